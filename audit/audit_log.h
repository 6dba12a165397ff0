// The writing side of the tamper-evident log.
//
// audit/log.db (SQLite, WAL, synchronous FULL) holds the entries, the complete nodes of one RFC
// 6962 tree over them and a signed checkpoint after every entry that is no INTENT.
// audit/payload.db holds what is personal. audit/head is the newest checkpoint, written aside: a
// log.db that was set back is behind it. keys/audit.ed25519 signs; keys/audit.pub is for verifiers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "audit/audit_records.h"
#include "audit/checkpoint.h"
#include "core/clock.h"
#include "core/file.h"

namespace sworn::audit {

/// How long an append waits for another process before it throws kBusy.
inline constexpr std::chrono::milliseconds kAppendLockWait{2000};
/// audit/head is written when it is this far behind, and on Close.
inline constexpr std::uint64_t kHeadEveryEntries = 256;
inline constexpr std::int64_t kHeadEveryMs = 60'000;

/// What proves that an entry stands in the log.
struct Receipt {
  std::uint64_t index = 0;
  std::uint64_t checkpoint_size = 0;
  std::string tlog_proof;  // text, audit/tlog_proof.h
};

/// A retrieval in flight. As long as this lives (in this process), nobody calls it crashed.
class PendingIntent {
 public:
  PendingIntent(std::uint64_t index, std::unique_ptr<FileLock> lock)
      : index_(index), lock_(std::move(lock)) {}

  [[nodiscard]] std::uint64_t index() const noexcept { return index_; }

 private:
  std::uint64_t index_;
  std::unique_ptr<FileLock> lock_;
};

/// Thread-safe; several processes may hold one each, since every append takes audit/append.lock.
///
/// Nothing returns before its entry is durable. kBusy: another process kept the lock for
/// kAppendLockWait. kAuditUnavailable: the entry could not be made durable; after an I/O error the
/// object refuses every further call, because what reached the disk is not known. After a full disk
/// it works again once there is space.
class AuditLog {
 public:
  /// Opens the log of the knowledge base in `folder`, making log and keys at first use, and writes
  /// an OUTCOME "crashed" for every INTENT whose process is gone. Throws kIntegrity when the log is
  /// behind or beside audit/head, or when keys do not belong to it.
  AuditLog(const std::filesystem::path& folder, const std::string& kb_id, Actor actor, FileOps& ops,
           const Clock& clock);
  /// Closes; an error is lost then.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  /// To be called before anything is retrieved.
  PendingIntent BeginIntent(const IntentRecord& record);
  /// To be called before the answer leaves. `principal` of BeginIntent and Finish is the Actor's.
  Receipt Finish(PendingIntent intent, const OutcomeRecord& record);
  Receipt Append(const EventRecord& record);

  /// Writes audit/head if it is behind. Further calls are refused.
  void Close();

  /// Entries so far, those of other processes included.
  [[nodiscard]] std::uint64_t Size();
  [[nodiscard]] const VerifierKey& public_key() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::audit
