// The tables of audit/log.db. Internal to audit/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit_entry.h"
#include "audit/merkle_tree.h"
#include "core/file.h"
#include "core/sqlite.h"

namespace sworn::audit {

struct LogPaths {
  explicit LogPaths(const std::filesystem::path& folder);

  std::filesystem::path audit;    // folder
  std::filesystem::path log;      // log.db
  std::filesystem::path payload;  // payload.db
  std::filesystem::path head;     // newest checkpoint that was written aside
  std::filesystem::path append_lock;
  std::filesystem::path signing_key;   // 32-byte seed
  std::filesystem::path verifier_key;  // C2SP text
  std::filesystem::path run;           // folder of the locks of intents in flight

  [[nodiscard]] std::filesystem::path IntentLock(std::uint64_t index) const;
};

/// One row of the entry table. Only `bytes` is evidence; the other columns are derived from the
/// entries, for finding intents without an outcome, and the verifier derives them again.
struct EntryRow {
  std::uint64_t index = 0;
  std::string bytes;
  std::optional<std::uint64_t> outcome_of;
  std::uint64_t first_open = 0;  // after this entry, every intent below this index has its outcome
};

struct StoredCheckpoint {
  std::uint64_t size = 0;
  std::string note;
};

/// Creates an empty file with mode 0600 unless there is one.
void CreatePrivateFile(const std::filesystem::path& file);

/// Rows of log.db. One thread at a time.
class AuditStore {
 public:
  /// kReadWrite creates the tables when missing and then refuses every statement that would change
  /// or remove a row.
  AuditStore(const std::filesystem::path& file, SqliteConnection::Mode mode);

  SqliteConnection& connection() { return connection_; }

  std::uint64_t Size();
  /// Throws kNotFound.
  EntryRow Entry(std::uint64_t index);
  Sha256Digest Node(unsigned level, std::uint64_t position);
  std::optional<Sha256Digest> FindNode(unsigned level, std::uint64_t position);
  NodeReader Nodes();
  std::optional<StoredCheckpoint> NewestCheckpoint();
  /// Smallest index at or after `from` of an INTENT without OUTCOME, `settled` counted as having
  /// one; nothing if there is none.
  std::optional<std::uint64_t> NextOpenIntent(std::uint64_t from,
                                              std::optional<std::uint64_t> settled);
  bool HasOutcome(std::uint64_t intent);
  std::uint64_t NodeCount();

  void AddEntry(const EntryRow& row, EntryType type);
  void AddNode(const TreeNode& node);
  void AddCheckpoint(const StoredCheckpoint& checkpoint);

 private:
  SqliteConnection connection_;
  std::optional<SqliteStatement> node_;
  std::optional<SqliteStatement> add_node_;
};

}  // namespace sworn::audit
