#include "api/service/kb_folder.h"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "api/service/version.h"
#include "core/crypto.h"
#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxKbJsonBytes = std::uint64_t{64} * 1024;

// A random (version 4) UUID, RFC 9562.
std::string RandomUuid() {
  std::string bytes = RandomBytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string uuid = ToHex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  for (const std::size_t dash : {20, 16, 12, 8}) uuid.insert(dash, "-");
  return uuid;
}

KbIdentity ReadIdentity(const fs::path& file) {
  const json parsed = json::parse(ReadFile(file, kMaxKbJsonBytes), nullptr, false);
  if (!parsed.is_object() || !parsed.contains("format") || !parsed["format"].is_number_integer() ||
      !parsed.contains("kb_id") || !parsed["kb_id"].is_string()) {
    throw Error(ErrorCode::kIntegrity, "'" + file.native() + "' is damaged");
  }
  const int format = parsed["format"].get<int>();
  if (format > kFormat) {
    throw Error(ErrorCode::kNotConfigured,
                "'" + file.parent_path().native() + "' has format " + std::to_string(format) +
                    ", made by a newer Sworn; this one reads up to " + std::to_string(kFormat));
  }
  return {parsed["kb_id"].get<std::string>()};
}

}  // namespace

KbIdentity OpenKbFolder(const fs::path& folder, bool create, FileOps& ops) {
  const fs::path file = folder / "kb.json";
  if (fs::exists(file)) return ReadIdentity(file);
  if (!create) {
    throw Error(ErrorCode::kNotConfigured,
                "there is no knowledge base in '" + folder.native() +
                    "'; `sworn index PATH` makes one (--kb or SWORN_KB names another folder)");
  }
  if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder))) {
    throw Error(ErrorCode::kNotConfigured,
                "'" + folder.native() + "' holds something that is no knowledge base");
  }
  CreatePrivateFolder(folder);
  // Two first commands at once: the lock decides who creates, the other one reads.
  const auto lock = FileLock::TryAcquireExisting(folder, FileLock::Mode::kExclusive);
  if (lock == nullptr) throw Error(ErrorCode::kBusy, "the knowledge base is being created");
  if (fs::exists(file)) return ReadIdentity(file);
  CreatePrivateFolder(folder / "run");
  KbIdentity identity{RandomUuid()};
  const json written = {{"format", kFormat},
                        {"kb_id", identity.kb_id},
                        {"created_by", std::string("sworn ") + kVersion}};
  WriteFileDurably(ops, file, written.dump(2) + "\n");
  return identity;
}

}  // namespace sworn::service
