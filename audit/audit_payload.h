// audit/payload.db: what entries commit to but do not hold.
//
// Each payload is a JSON object under a random 32-byte key of its own. An entry holds only
// HMAC-SHA-256(key, payload), so that a payload (or its key) can be erased while the entry, and
// with it the tree, stays as it is. Payloads stand in one table and keys in another: a backup can
// leave the keys out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "audit/audit_records.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/sqlite.h"

namespace sworn::audit {

/// Of one payload; an answer with all its passages is far below.
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{8} * 1024 * 1024;

inline constexpr std::size_t kPayloadKeyBytes = 32;

struct Payload {
  std::string key;         // empty if it was erased or left out of a backup
  std::string json;        // bytes as stored
  std::string commitment;  // HMAC(key, json): the name under which it is stored
};

/// A payload under a fresh key. Throws kTooLarge beyond kMaxPayloadBytes.
Payload MakePayload(const std::string& key, const nlohmann::json& value);

/// HMAC(key, "sworn " || what || 0x00 || bytes), 32 bytes: commitments to parts of a payload.
std::string CommitTo(std::string_view key, std::string_view what, std::string_view bytes);

/// The entry commits to exactly these bytes.
bool PayloadIsAsLogged(const AuditEntry& entry, const Payload& payload);

/// PayloadIsAsLogged, and every other commitment of the entry is made from what stands in it: says
/// what does not hold, or nothing.
std::optional<std::string> FindPayloadFault(const AuditEntry& entry, const Payload& payload);

/// One thread at a time.
class PayloadStore {
 public:
  /// For appending; makes the file when missing. The caller holds audit/append.lock for every Put.
  PayloadStore(const std::filesystem::path& file, SqliteConnection::Mode mode);

  /// Durable when it returns.
  void Put(const Payload& payload);
  std::optional<Payload> Find(std::string_view commitment);

 private:
  SqliteConnection connection_;
  std::optional<SqliteStatement> put_;
  std::optional<SqliteStatement> put_key_;
  std::optional<SqliteStatement> find_;
};

/// Copies payloads (and their keys with `with_keys`) into an empty file.
void CopyPayloads(const std::filesystem::path& from, const std::filesystem::path& to,
                  bool with_keys);

}  // namespace sworn::audit
