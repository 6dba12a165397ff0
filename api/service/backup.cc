#include "api/service/backup.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/service/archive.h"
#include "api/service/evidence.h"
#include "api/service/knowledge_base.h"
#include "audit/audit_backup.h"
#include "audit/audit_verify.h"
#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

// Everything that cannot be made again; indexes are derived.
const std::vector<std::string>& BackupFiles() {
  static const std::vector<std::string> files = {
      "kb.json",    "catalog.db",         "audit/log.db",   "audit/payload.db",
      "audit/head", "keys/audit.ed25519", "keys/audit.pub",
  };
  return files;
}

// A folder inside the knowledge base, so that nothing personal leaves it half copied.
class StagingFolder {
 public:
  explicit StagingFolder(const fs::path& kb) {
    CreatePrivateFolder(kb / "run");
    std::string name = (kb / "run" / "backup-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) throw SystemError(errno, "cannot create", name);
    path_ = name;
  }
  ~StagingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<std::string> Existing(const fs::path& folder) {
  std::vector<std::string> names;
  for (const std::string& name : BackupFiles()) {
    if (fs::exists(folder / name)) names.push_back(name);
  }
  return names;
}

}  // namespace

void WriteBackup(Components& parts, audit::AuditLog& log, const fs::path& file, bool with_keys) {
  if (fs::exists(file)) throw Error(ErrorCode::kConflict, "'" + file.native() + "' exists");
  const StagingFolder staging(parts.config.kb);
  fs::copy_file(parts.config.kb / "kb.json", staging.path() / "kb.json");
  // The log first: whatever it says was indexed is then in the catalog's copy.
  audit::BackupLog(parts.config.kb, staging.path(), with_keys, parts.files);
  parts.store->BackupCatalog(staging.path() / "catalog.db");
  WriteArchive(staging.path(), Existing(staging.path()), file, parts.files);
  const audit::VerifyReport copied = audit::VerifyLog(staging.path(), {});
  log.Append(audit::BackupEvent(copied.head.size, copied.head.root, {{"file", file.native()}}));
}

void Restore(const Config& config, const fs::path& file, const std::string& reason) {
  ValidateConfig(config);
  if (fs::exists(config.kb) && (!fs::is_directory(config.kb) || !fs::is_empty(config.kb))) {
    throw Error(ErrorCode::kConflict,
                "'" + config.kb.native() + "' is not empty: restore fills an empty folder only");
  }
  FileOps files;
  CreatePrivateFolder(config.kb);
  try {
    ReadArchive(file, BackupFiles(), config.kb, files);
  } catch (...) {
    for (const auto& entry : fs::directory_iterator(config.kb)) fs::remove_all(entry.path());
    throw;
  }
  const auto parts = Compose(config, false);
  audit::RestoreLog(config.kb, parts->identity.kb_id, MakeActor(config), parts->files, parts->clock,
                    reason, "");
  for (const store::IntegrityFault& fault : parts->store->Check(true, [](std::string_view) {})) {
    if (!fault.repaired) {
      throw Error(ErrorCode::kIntegrity,
                  "the backup is damaged: " + fault.where + ": " + fault.reason);
    }
  }
}

}  // namespace sworn::service
