#include "audit/audit_log.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <mutex>
#include <type_traits>
#include <utility>

#include "audit/audit_draft.h"
#include "audit/audit_keys.h"
#include "audit/audit_payload.h"
#include "audit/audit_store.h"
#include "audit/tlog_proof.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

std::unique_ptr<FileLock> LockForAppend(const LogPaths& paths) {
  auto lock = FileLock::TryAcquire(paths.append_lock, FileLock::Mode::kExclusive, kAppendLockWait);
  if (!lock) {
    throw Error(ErrorCode::kBusy,
                "another process is writing the audit log ('" + paths.append_lock.native() + "')");
  }
  return lock;
}

// "intent-17.lock" -> 17.
std::optional<std::uint64_t> IndexOfLock(const std::string& name) {
  constexpr std::string_view kPrefix = "intent-";
  std::uint64_t index = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const auto parsed =
      std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), index);
  if (parsed.ec != std::errc() || std::string_view(parsed.ptr) != ".lock") return std::nullopt;
  return index;
}

}  // namespace

class AuditLog::Impl {
 public:
  Impl(const std::filesystem::path& folder, const std::string& kb_id, Actor actor, FileOps& ops,
       const Clock& clock)
      : paths_(folder),
        kb_id_(kb_id),
        origin_(OriginOf(kb_id)),
        actor_(std::move(actor)),
        ops_(ops),
        clock_(clock),
        boot_id_(CurrentBootId()) {
    const std::lock_guard guard(mutex_);
    Translated([&] { PrepareFolders(); });
    Guarded([&] { OpenLocked(); });
  }

  PendingIntent BeginIntent(const IntentRecord& record) {
    Draft draft = DraftIntent(actor_, record);
    const std::lock_guard guard(mutex_);
    std::unique_ptr<FileLock> in_flight;
    const Receipt receipt = Guarded([&] {
      return AppendLocked(std::move(draft), std::nullopt, [&](std::uint64_t index) {
        // Held before the INTENT can be seen, so that nobody takes it for an orphan.
        in_flight = FileLock::TryAcquire(paths_.IntentLock(index), FileLock::Mode::kExclusive,
                                         std::chrono::milliseconds(0));
        if (!in_flight) {
          throw Error(ErrorCode::kInternal,
                      "somebody else holds '" + paths_.IntentLock(index).native() + "'");
        }
      });
    });
    return {receipt.index, std::move(in_flight)};
  }

  Receipt Finish(const PendingIntent& intent, const OutcomeRecord& record) {
    Draft draft = DraftOutcome(actor_, intent.index(), record);
    const std::lock_guard guard(mutex_);
    Receipt receipt = Guarded([&] { return AppendLocked(std::move(draft), intent.index(), {}); });
    std::error_code ignored;  // a lock file that stays is removed at the next open
    std::filesystem::remove(paths_.IntentLock(intent.index()), ignored);
    return receipt;
  }

  Receipt Append(const EventRecord& record) {
    Draft draft = DraftEvent(actor_, record);
    const std::lock_guard guard(mutex_);
    return Guarded([&] { return AppendLocked(std::move(draft), std::nullopt, {}); });
  }

  void Close() {
    const std::lock_guard guard(mutex_);
    if (refuses_ || !store_) return;
    Guarded([&] { WriteHead(); });
    refuses_ = true;
  }

  std::uint64_t Size() {
    const std::lock_guard guard(mutex_);
    return store_->Size();
  }

  [[nodiscard]] const VerifierKey& public_key() const { return keys_->verifier; }

 private:
  void PrepareFolders() {
    for (const auto& folder : {paths_.audit, paths_.signing_key.parent_path(), paths_.run}) {
      CreatePrivateFolder(folder);
    }
  }

  // Runs `step` under the lock of all processes.
  template <typename Step>
  std::invoke_result_t<const Step&> Guarded(const Step& step) {
    return Translated([&] {
      const std::unique_ptr<FileLock> lock = LockForAppend(paths_);
      return step();
    });
  }

  // Sorts failures as the class comment says. What SQLite rolled back before anything was reported
  // may be tried again; after anything else this object stays shut.
  template <typename Step>
  std::invoke_result_t<const Step&> Translated(const Step& step) {
    if (refuses_) {
      throw Error(ErrorCode::kAuditUnavailable, "the audit log is closed or failed before");
    }
    try {
      return step();
    } catch (const Error& error) {
      switch (error.code()) {
        case ErrorCode::kBusy:
        case ErrorCode::kConflict:
        case ErrorCode::kTooLarge:
          throw;
        case ErrorCode::kNoSpace:
          break;
        case ErrorCode::kIntegrity:
          refuses_ = true;
          throw;
        default:
          refuses_ = true;
      }
      throw Error(ErrorCode::kAuditUnavailable,
                  std::string("the audit log cannot be written: ") + error.what());
    } catch (...) {
      refuses_ = true;
      throw;
    }
  }

  void OpenLocked() {
    const bool is_new = !std::filesystem::exists(paths_.log);
    CreatePrivateFile(paths_.log);
    CreatePrivateFile(paths_.payload);
    if (is_new) ops_.SyncFolder(paths_.audit);
    store_.emplace(paths_.log, SqliteConnection::Mode::kReadWrite);
    payloads_.emplace(paths_.payload, SqliteConnection::Mode::kReadWrite);
    const std::uint64_t size = store_->Size();
    CheckAgainstHead(size);
    keys_.emplace(OpenKeys(paths_, origin_, size == 0, ops_));
    if (size == 0) {
      AppendGenesis();
    } else {
      CheckGenesis();
      CheckHeadRoot(size);
    }
    if (store_->Size() == 1) WriteHead();
    SettleOrphans();
  }

  // The size first: it is what tells a person that an old copy was put back.
  void CheckAgainstHead(std::uint64_t size) {
    if (!std::filesystem::exists(paths_.head)) {
      if (size > 1) {
        throw Error(ErrorCode::kIntegrity, "'" + paths_.head.native() + "' is missing");
      }
      return;
    }
    const Checkpoint head = ParseCheckpointUnverified(ReadFile(paths_.head, kMaxCheckpointBytes));
    if (head.size > size) {
      throw Error(ErrorCode::kIntegrity,
                  "the audit log was set back: it has " + std::to_string(size) +
                      " entries, but a checkpoint over " + std::to_string(head.size) +
                      " was signed; use restore to begin a new epoch");
    }
  }

  void CheckHeadRoot(std::uint64_t size) {
    if (!std::filesystem::exists(paths_.head)) return;
    const Checkpoint head =
        OpenCheckpoint(ReadFile(paths_.head, kMaxCheckpointBytes), keys_->verifier);
    if (RootAt(head.size, store_->Nodes()) != head.root) {
      throw Error(ErrorCode::kIntegrity, "the audit log of " + std::to_string(size) +
                                             " entries is not the one whose first " +
                                             std::to_string(head.size) + " entries were signed");
    }
    head_size_ = head.size;
    head_utc_ms_ = clock_.UtcMillis();
  }

  void CheckGenesis() {
    const AuditEntry genesis = DecodeEntry(store_->Entry(0).bytes);
    if (genesis.type != EntryType::kLogOpened || genesis.fields.Bytes(Tag::kKbId) != kb_id_ ||
        genesis.fields.Bytes(Tag::kPublicKey) != keys_->verifier.public_key) {
      throw Error(ErrorCode::kIntegrity, "'" + paths_.log.native() +
                                             "' is the audit log of another knowledge base or key");
    }
  }

  void AppendGenesis() {
    EventRecord record;
    record.type = EntryType::kLogOpened;
    record.fields.SetText(Tag::kKbId, kb_id_);
    record.fields.SetDigest(Tag::kPublicKey, keys_->verifier.public_key);
    AppendLocked(DraftEvent(actor_, record), std::nullopt, {});
  }

  // Gives every INTENT whose process is gone its OUTCOME, and removes lock files of settled ones.
  void SettleOrphans() {
    const std::uint64_t size = store_->Size();
    const std::uint64_t first_open = store_->Entry(size - 1).first_open;
    auto intent = store_->NextOpenIntent(first_open, std::nullopt);
    for (; intent && *intent < size; intent = store_->NextOpenIntent(*intent + 1, std::nullopt)) {
      const auto lock = FileLock::TryAcquire(paths_.IntentLock(*intent), FileLock::Mode::kExclusive,
                                             std::chrono::milliseconds(0));
      if (!lock) continue;  // its process is alive
      OutcomeRecord crashed;
      crashed.status = OutcomeStatus::kCrashed;
      crashed.reason = "process_gone";
      AppendLocked(DraftOutcome(actor_, *intent, crashed), *intent, {});
    }
    for (const auto& file : std::filesystem::directory_iterator(paths_.run)) {
      const auto index = IndexOfLock(file.path().filename().native());
      std::error_code ignored;
      if (index && store_->HasOutcome(*index)) std::filesystem::remove(file.path(), ignored);
    }
  }

  using BeforeCommit = std::function<void(std::uint64_t index)>;

  // One durable append: payload first (an orphan of it is harmless), then entry, nodes and, unless
  // it is an INTENT, a checkpoint in one transaction.
  Receipt AppendLocked(Draft draft, std::optional<std::uint64_t> outcome_of,
                       const BeforeCommit& before_commit) {
    if (outcome_of && store_->HasOutcome(*outcome_of)) {
      throw Error(ErrorCode::kConflict,
                  "intent " + std::to_string(*outcome_of) + " already has its outcome");
    }
    ops_.BeforeStep("audit.payload");
    payloads_->Put(draft.payload);
    ops_.AfterStep("audit.payload");

    SqliteTransaction transaction(store_->connection());
    std::uint64_t size = store_->Size();
    MerkleFrontier tree(size, store_->Nodes());
    std::uint64_t first_open = 0;
    EntryTimes now{clock_.UtcMillis(), clock_.MonotonicNanos(), boot_id_};
    if (size > 0) {
      const EntryRow last = store_->Entry(size - 1);
      first_open = last.first_open;
      const EntryTimes before = TimesOf(DecodeEntry(last.bytes));
      if (IsClockStep(before, now)) AddClockStep(before, now, first_open, tree);
    }
    SetTimes(now, draft.entry);
    const std::uint64_t index = tree.size();
    const std::string bytes = EncodeEntry(draft.entry);
    AddRow(
        {index, bytes, outcome_of, FirstOpenAfter(draft.entry.type, index, outcome_of, first_open)},
        draft.entry.type, tree);
    Receipt receipt{index, 0, ""};
    if (draft.entry.type != EntryType::kIntent) receipt = Sign(index, bytes, tree);
    if (before_commit) before_commit(index);
    ops_.BeforeStep("audit.commit");
    transaction.Commit();
    ops_.AfterStep("audit.commit");
    if (HeadIsDue(tree.size(), now.utc_ms)) WriteHead();
    return receipt;
  }

  // The smallest index of an INTENT that is still open once this entry is there; else the next
  // index. Starting points only move forward, so a look at the tail finds all open ones.
  std::uint64_t FirstOpenAfter(EntryType type, std::uint64_t index,
                               std::optional<std::uint64_t> outcome_of, std::uint64_t first_open) {
    const auto open = store_->NextOpenIntent(first_open, outcome_of);
    if (open) return *open;
    return type == EntryType::kIntent ? index : index + 1;
  }

  void AddClockStep(const EntryTimes& before, const EntryTimes& now, std::uint64_t first_open,
                    MerkleFrontier& tree) {
    EventRecord record;
    record.type = EntryType::kClockStep;
    record.fields.SetNumber(Tag::kExpectedUtcMs,
                            static_cast<std::uint64_t>(ExpectedUtcMs(before, now)));
    Draft draft = DraftEvent(actor_, record);
    payloads_->Put(draft.payload);
    SetTimes(now, draft.entry);
    const std::uint64_t index = tree.size();
    AddRow({index, EncodeEntry(draft.entry), std::nullopt,
            FirstOpenAfter(EntryType::kClockStep, index, std::nullopt, first_open)},
           EntryType::kClockStep, tree);
  }

  void AddRow(const EntryRow& row, EntryType type, MerkleFrontier& tree) {
    store_->AddEntry(row, type);
    for (const TreeNode& node : tree.Append(HashLeaf(row.bytes))) store_->AddNode(node);
  }

  Receipt Sign(std::uint64_t index, const std::string& bytes, const MerkleFrontier& tree) {
    const std::string note =
        SignCheckpoint({origin_, tree.size(), tree.Root()}, keys_->signing, keys_->verifier);
    store_->AddCheckpoint({tree.size(), note});
    const TlogProof proof{bytes, index, InclusionProof(index, tree.size(), store_->Nodes()), note};
    return {index, tree.size(), FormatTlogProof(proof)};
  }

  [[nodiscard]] bool HeadIsDue(std::uint64_t size, std::int64_t utc_ms) const {
    return size - head_size_ >= kHeadEveryEntries || utc_ms - head_utc_ms_ >= kHeadEveryMs;
  }

  void WriteHead() {
    const auto newest = store_->NewestCheckpoint();
    head_utc_ms_ = clock_.UtcMillis();
    if (!newest || newest->size <= head_size_) return;
    WriteFileDurably(ops_, paths_.head, newest->note);
    head_size_ = newest->size;
  }

  std::mutex mutex_;  // guards everything below that changes
  const LogPaths paths_;
  const std::string kb_id_;
  const std::string origin_;
  const Actor actor_;
  FileOps& ops_;
  const Clock& clock_;
  const std::string boot_id_;
  std::optional<AuditStore> store_;
  std::optional<PayloadStore> payloads_;
  std::optional<LogKeys> keys_;
  std::uint64_t head_size_ = 0;  // size of the checkpoint in audit/head, as far as this one knows
  std::int64_t head_utc_ms_ = 0;
  bool refuses_ = false;  // closed, or failed in a way that leaves the disk's state unknown
};

AuditLog::AuditLog(const std::filesystem::path& folder, const std::string& kb_id, Actor actor,
                   FileOps& ops, const Clock& clock)
    : impl_(std::make_unique<Impl>(folder, kb_id, std::move(actor), ops, clock)) {}

AuditLog::~AuditLog() {
  try {
    impl_->Close();
  } catch (...) {
    // Close() is there for callers that want to know; audit/head stays behind, which is allowed.
  }
}

PendingIntent AuditLog::BeginIntent(const IntentRecord& record) {
  return impl_->BeginIntent(record);
}
Receipt AuditLog::Finish(PendingIntent intent, const OutcomeRecord& record) {
  return impl_->Finish(intent, record);
}
Receipt AuditLog::Append(const EventRecord& record) { return impl_->Append(record); }
void AuditLog::Close() { impl_->Close(); }
std::uint64_t AuditLog::Size() { return impl_->Size(); }
const VerifierKey& AuditLog::public_key() const { return impl_->public_key(); }

}  // namespace sworn::audit
