#include "audit/audit_backup.h"

#include "audit/audit_keys.h"
#include "audit/audit_payload.h"
#include "audit/audit_store.h"
#include "audit/merkle_tree.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::uint64_t kMaxSmallFile = kMaxCheckpointBytes;

std::string_view View(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

void CopySmallFile(const std::filesystem::path& from, const std::filesystem::path& to,
                   FileOps& ops) {
  WriteFileDurably(ops, to, ReadFile(from, kMaxSmallFile));
}

}  // namespace

void BackupLog(const std::filesystem::path& folder, const std::filesystem::path& target,
               bool with_payload_keys, FileOps& ops) {
  const LogPaths from(folder);
  const LogPaths to(target);
  if (std::filesystem::exists(to.log) || std::filesystem::exists(to.payload)) {
    throw Error(ErrorCode::kConflict, "'" + to.log.native() + "' already exists");
  }
  const auto lock =
      FileLock::TryAcquire(from.append_lock, FileLock::Mode::kExclusive, kAppendLockWait);
  if (!lock) throw Error(ErrorCode::kBusy, "another process is writing the audit log");
  CreatePrivateFolder(to.audit);
  CreatePrivateFolder(to.signing_key.parent_path());
  CreatePrivateFile(to.log);
  CreatePrivateFile(to.payload);
  AuditStore store(from.log, SqliteConnection::Mode::kReadOnly);
  store.connection().BackupTo(to.log);
  CopyPayloads(from.payload, to.payload, with_payload_keys);
  CopySmallFile(from.signing_key, to.signing_key, ops);
  CopySmallFile(from.verifier_key, to.verifier_key, ops);
  // The newest checkpoint rather than audit/head, which may be behind.
  const auto newest = store.NewestCheckpoint();
  if (newest) WriteFileDurably(ops, to.head, newest->note);
  SyncTree(ops, to.audit);
}

Receipt RestoreLog(const std::filesystem::path& folder, const std::string& kb_id,
                   const Actor& actor, FileOps& ops, const Clock& clock, const std::string& reason,
                   const std::string& abandoned) {
  const LogPaths paths(folder);
  const VerifierKey key = ReadVerifierKey(paths);
  EventRecord record;
  record.type = EntryType::kRestore;
  record.payload = {{"reason", reason}};
  {
    AuditStore store(paths.log, SqliteConnection::Mode::kReadOnly);
    const std::uint64_t size = store.Size();
    const Sha256Digest root = RootAt(size, store.Nodes());
    Checkpoint old{key.origin, size, root};
    if (!abandoned.empty()) {
      old = OpenCheckpoint(abandoned, key);
    } else if (std::filesystem::exists(paths.head)) {
      old = OpenCheckpoint(ReadFile(paths.head, kMaxCheckpointBytes), key);
    }
    record.fields.SetNumber(Tag::kOldSize, old.size).SetDigest(Tag::kOldRoot, View(old.root));
    record.fields.SetNumber(Tag::kNewSize, size).SetDigest(Tag::kNewRoot, View(root));
    // The head of the epoch that is left would make the log look set back: the entry keeps it.
    const auto newest = store.NewestCheckpoint();
    if (!newest) throw Error(ErrorCode::kIntegrity, "the restored log has no checkpoint");
    WriteFileDurably(ops, paths.head, newest->note);
  }
  AuditLog log(folder, kb_id, actor, ops, clock);
  Receipt receipt = log.Append(record);
  log.Close();
  return receipt;
}

}  // namespace sworn::audit
