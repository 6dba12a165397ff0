#include "audit/audit_verify.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "audit/audit_draft.h"
#include "audit/audit_keys.h"
#include "audit/audit_payload.h"
#include "audit/audit_store.h"
#include "audit/signature_batch.h"
#include "core/error.h"
#include "core/file.h"

namespace sworn::audit {
namespace {

constexpr std::uint64_t kProgressEvery = 1024;

/// Thrown inside this file only: the walk ends at the first fault.
struct Found {
  VerifyFault fault;
  std::uint64_t first_bad;
  std::uint64_t last_bad;
  std::string reason;
};

[[noreturn]] void BadEntry(std::uint64_t index, const std::string& why) {
  throw Found{VerifyFault::kEntry, index, index, "entry " + std::to_string(index) + ": " + why};
}

/// A checkpoint that the caller or audit/head holds against the log.
struct Outside {
  std::string name;
  Checkpoint checkpoint;
};

class Verifier {
 public:
  Verifier(const LogPaths& paths, VerifierKey key, VerifyReport& report)
      : store_(paths.log, SqliteConnection::Mode::kReadOnly),
        one_state_(store_.connection(), SqliteTransaction::Kind::kDeferred),
        payloads_(paths.payload, SqliteConnection::Mode::kReadOnly),
        key_(key),
        signatures_(std::move(key)),
        report_(report),
        checkpoints_(
            store_.connection().Prepare("SELECT size, note FROM checkpoint ORDER BY size")) {}

  void Walk(std::vector<Outside> outside, const std::function<void(std::uint64_t)>& progress) {
    outside_ = std::move(outside);
    try {
      WalkEntries(progress);
    } catch (const Found&) {
      CheckSignatures();  // one that does not hold stands before what was found
      throw;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kDenied) throw;
      CheckSignatures();
      BadEntry(tree_.size(), error.what());  // SQLite itself finds the file damaged
    }
    CheckSignatures();
    report_.head = {key_.origin, tree_.size(), tree_.Root()};
    report_.open_intents = open_.size();
    CheckEnd();
  }

 private:
  void WalkEntries(const std::function<void(std::uint64_t)>& progress) {
    report_.entries = store_.Size();
    NextCheckpoint();
    SqliteStatement entries = store_.connection().Prepare(
        "SELECT idx, bytes, outcome_of, first_open, type FROM entry ORDER BY idx");
    while (entries.Step()) {
      const auto index = static_cast<std::uint64_t>(entries.Int(0));
      if (index != tree_.size()) BadEntry(tree_.size(), "it is missing");
      CheckEntry({index, entries.Text(1), entries.OptionalInt<std::uint64_t>(2),
                  static_cast<std::uint64_t>(entries.Int(3))},
                 entries.Int(4));
      CheckOutside();
      if (progress && tree_.size() % kProgressEvery == 0) progress(tree_.size());
    }
  }

  void CheckEntry(const EntryRow& row, std::int64_t type_column) {
    AuditEntry entry;
    try {
      entry = DecodeEntry(row.bytes);
    } catch (const Error& error) {
      BadEntry(row.index, error.what());
    }
    CheckNodes(row);
    if (type_column != static_cast<std::int64_t>(entry.type)) {
      BadEntry(row.index, "its type column is wrong");
    }
    if (row.index == 0) CheckGenesis(entry);
    if (tree_.size() == next_.size) {
      CheckCheckpoint();
    } else if (entry.type != EntryType::kIntent && entry.type != EntryType::kClockStep) {
      throw Found{VerifyFault::kSignature, row.index, row.index,
                  "the checkpoint over " + std::to_string(tree_.size()) + " is missing"};
    }
    CheckTimes(row.index, entry);
    CheckPairing(row, entry);
    CheckPayload(row.index, entry);
    if (entry.type == EntryType::kRestore) {
      report_.restored = true;
      first_without_key_.reset();  // keys of older payloads may have been left out of the backup
    }
  }

  void CheckNodes(const EntryRow& row) {
    for (const TreeNode& node : tree_.Append(HashLeaf(row.bytes))) {
      ++nodes_;
      if (store_.FindNode(node.level, node.position) == node.hash) continue;
      BadEntry(row.index, node.level == 0 ? "its bytes are not those that were logged"
                                          : "a stored node of the tree over it is wrong");
    }
  }

  void CheckGenesis(const AuditEntry& entry) {
    if (entry.type != EntryType::kLogOpened ||
        "sworn/" + std::string(entry.fields.Bytes(Tag::kKbId).value_or("")) != key_.origin) {
      BadEntry(0, "it does not open this log");
    }
    if (entry.fields.Bytes(Tag::kPublicKey) != key_.public_key) {
      throw Found{VerifyFault::kSignature, 0, 0, "the log was opened with another public key"};
    }
  }

  void CheckTimes(std::uint64_t index, const AuditEntry& entry) {
    for (const Tag tag : {Tag::kUtcMs, Tag::kMonotonicNs, Tag::kBootId, Tag::kProcessId}) {
      if (!entry.fields.Bytes(tag)) BadEntry(index, "it has no time");
    }
    EntryTimes now = TimesOf(entry);
    if (index > 0 && entry.type != EntryType::kClockStep && IsClockStep(last_times_, now)) {
      BadEntry(index, "its time does not follow the entry before it");
    }
    last_times_ = std::move(now);
  }

  void CheckPairing(const EntryRow& row, const AuditEntry& entry) {
    const auto intent = entry.fields.Number(Tag::kIntent);
    if (entry.type == EntryType::kIntent) open_.insert(row.index);
    if (entry.type == EntryType::kOutcome && (!intent || open_.erase(*intent) == 0)) {
      BadEntry(row.index, "it is the outcome of no intent, or a second one");
    }
    if (row.outcome_of != (entry.type == EntryType::kOutcome ? intent : std::nullopt)) {
      BadEntry(row.index, "its outcome column is wrong");
    }
    // Intents in flight are few, so the smallest is found by looking.
    std::uint64_t first_open = tree_.size();
    for (const std::uint64_t index : open_) first_open = std::min(first_open, index);
    if (row.first_open != first_open) BadEntry(row.index, "its first_open column is wrong");
  }

  void CheckPayload(std::uint64_t index, const AuditEntry& entry) {
    const auto commitment = entry.fields.Bytes(Tag::kPayload);
    if (!commitment) return;
    const auto payload = payloads_.Find(*commitment);
    if (!payload) BadEntry(index, "its payload is missing");
    if (payload->key.empty()) {
      ++report_.payloads_missing;
      if (!first_without_key_) first_without_key_ = index;
      return;
    }
    if (!PayloadIsAsLogged(entry, *payload)) {
      BadEntry(index, "its payload is not the one that was logged");
    }
    ++report_.payloads;
  }

  void CheckSignatures() {
    if (const auto fault = signatures_.Flush()) ThrowSignature(*fault);
  }

  void NextCheckpoint() {
    if (!checkpoints_.Step()) {
      next_ = {};
      return;
    }
    next_ = {static_cast<std::uint64_t>(checkpoints_.Int(0)), checkpoints_.Text(1)};
  }

  // The text is compared at once, its signature a little later (SignatureBatch). Everything since
  // the last good checkpoint is in doubt when one does not hold.
  void CheckCheckpoint() {
    const Checkpoint expected{key_.origin, tree_.size(), tree_.Root()};
    bool agrees = false;
    try {
      agrees = ParseCheckpointUnverified(next_.note) == expected;
      if (!agrees) OpenCheckpoint(next_.note, key_);
    } catch (const Error& error) {
      ThrowSignature({next_.size, error.what()});
    }
    if (!agrees) {
      throw Found{VerifyFault::kFork, vouched_, tree_.size() - 1,
                  "the entries " + std::to_string(vouched_) + " to " +
                      std::to_string(tree_.size() - 1) +
                      " are not those that the checkpoint over " + std::to_string(next_.size) +
                      " was signed for"};
    }
    vouched_ = tree_.size();
    ++report_.checkpoints;
    if (const auto fault = signatures_.Add(next_)) ThrowSignature(*fault);
    NextCheckpoint();
  }

  [[noreturn]] static void ThrowSignature(const SignatureBatch::Fault& fault) {
    throw Found{VerifyFault::kSignature, fault.size - 1, fault.size - 1,
                "checkpoint over " + std::to_string(fault.size) + ": " + fault.reason};
  }

  void CheckOutside() {
    for (const Outside& outside : outside_) {
      if (outside.checkpoint.size != tree_.size()) continue;
      if (outside.checkpoint.root == tree_.Root()) continue;
      throw Found{VerifyFault::kFork, 0, tree_.size() - 1,
                  "the first " + std::to_string(tree_.size()) + " entries are not those of " +
                      outside.name};
    }
  }

  void CheckEnd() {
    const std::uint64_t size = tree_.size();
    if (size == 0) throw Found{VerifyFault::kTruncation, 0, 0, "the log has no entries"};
    if (next_.size != 0) {
      throw Found{VerifyFault::kTruncation, size, size,
                  "the log has " + std::to_string(size) + " entries, but a checkpoint over " +
                      std::to_string(next_.size) + " is stored in it"};
    }
    for (const Outside& outside : outside_) {
      if (outside.checkpoint.size <= size) continue;
      throw Found{VerifyFault::kTruncation, size, size,
                  "the log has " + std::to_string(size) + " entries, but " + outside.name +
                      " was signed over " + std::to_string(outside.checkpoint.size)};
    }
    if (first_without_key_) BadEntry(*first_without_key_, "the key of its payload is missing");
    if (store_.NodeCount() != nodes_) {
      throw Found{VerifyFault::kEntry, size, size, "the log stores nodes that no entry has"};
    }
  }

  AuditStore store_;
  SqliteTransaction one_state_;
  PayloadStore payloads_;
  VerifierKey key_;
  SignatureBatch signatures_;
  VerifyReport& report_;
  SqliteStatement checkpoints_;
  StoredCheckpoint next_;
  std::vector<Outside> outside_;
  MerkleFrontier tree_;
  std::uint64_t nodes_ = 0;
  std::uint64_t vouched_ = 0;  // entries below this one are covered by a good checkpoint
  EntryTimes last_times_;
  std::optional<std::uint64_t> first_without_key_;  // since the last RESTORE
  std::unordered_set<std::uint64_t> open_;          // intents without outcome so far
};

Outside OpenOutside(const std::string& name, const std::string& note, const VerifierKey& key) {
  try {
    return {name, OpenCheckpoint(note, key)};
  } catch (const Error& error) {
    throw Found{VerifyFault::kSignature, 0, 0, name + ": " + error.what()};
  }
}

// Read before the log, so that what a writer adds meanwhile makes no false alarm.
std::vector<Outside> OutsideOf(const LogPaths& paths, const VerifyOptions& options,
                               const VerifierKey& key) {
  std::vector<Outside> outside;
  if (std::filesystem::exists(paths.head)) {
    outside.push_back(OpenOutside("audit/head", ReadFile(paths.head, kMaxCheckpointBytes), key));
  }
  if (!options.anchor.empty()) outside.push_back(OpenOutside("the anchor", options.anchor, key));
  return outside;
}

VerifierKey TrustedKey(const LogPaths& paths, const VerifyOptions& options) {
  try {
    return options.trusted_key.empty() ? ReadVerifierKey(paths)
                                       : ParseVerifierKey(options.trusted_key);
  } catch (const Error& error) {
    throw Found{VerifyFault::kSignature, 0, 0, std::string("the public key: ") + error.what()};
  }
}

}  // namespace

std::string_view VerifyFaultName(VerifyFault fault) {
  switch (fault) {
    case VerifyFault::kNone:
      return "none";
    case VerifyFault::kEntry:
      return "entry";
    case VerifyFault::kSignature:
      return "signature";
    case VerifyFault::kFork:
      return "fork";
    case VerifyFault::kTruncation:
      return "truncation";
  }
  return "unknown";
}

VerifyReport VerifyLog(const std::filesystem::path& folder, const VerifyOptions& options,
                       const std::function<void(std::uint64_t)>& progress) {
  const LogPaths paths(folder);
  if (!std::filesystem::exists(paths.log)) {
    throw Error(ErrorCode::kNotFound, "'" + paths.log.native() + "' does not exist");
  }
  VerifyReport report;
  try {
    const VerifierKey key = TrustedKey(paths, options);
    const bool has_head = std::filesystem::exists(paths.head);
    std::vector<Outside> outside = OutsideOf(paths, options, key);
    Verifier(paths, key, report).Walk(std::move(outside), progress);
    if (!has_head && report.entries > 1) {
      throw Found{VerifyFault::kTruncation, 0, 0, "audit/head is missing"};
    }
    report.ok = true;
  } catch (const Found& found) {
    report.fault = found.fault;
    report.first_bad = found.first_bad;
    report.last_bad = found.last_bad;
    report.reason = found.reason;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kDenied) throw;
    report.fault = VerifyFault::kEntry;  // a file that is no log at all
    report.first_bad = report.last_bad = 0;
    report.reason = error.what();
  }
  return report;
}

}  // namespace sworn::audit
