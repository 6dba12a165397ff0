#include "indexer/indexer.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "core/crypto.h"
#include "core/error.h"
#include "core/text/language.h"
#include "indexer/change_plan.h"
#include "indexer/document_builder.h"
#include "indexer/extract/media_type.h"
#include "indexer/folder_source.h"
#include "indexer/ordered_parallel.h"

namespace sworn::indexer {
namespace {

using std::chrono::milliseconds;
using store::DocumentInfo;

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::size_t kResultsPerThread = 8;  // how far readers may run ahead of the one writer

// What became of one candidate.
struct SameBytes {};
struct Unreadable {
  store::UnreadableKind kind = store::UnreadableKind::kFailed;
  std::string reason;
  bool keep_former = false;  // the last good version stays: the file was in motion, not bad
};
struct Processed {
  store::FileFacts facts;
  std::string document_sha256;
  std::string media_type;
  std::variant<SameBytes, Unreadable, ContentId, store::NewContent> outcome;
};

class Run {
 public:
  Run(Source& source, const IndexOptions& options, const IndexEnvironment& environment)
      : source_(source), options_(options), env_(environment) {
    started_ns_ = env_.clock.MonotonicNanos();
    last_publish_ns_ = last_commit_ns_ = started_ns_;
  }

  IndexReport Execute() {
    Progress("scanning", "");
    listing_ = source_.List();
    LoadKnown();
    plan_ = PlanChanges(listing_, known_);
    report_.unchanged = plan_.unchanged;
    IndexVanishedByDigest();
    NoteWhatNeedsNoReading();
    try {
      ProcessCandidates();
      env_.cancel.ThrowIfCancelled();
      WithdrawVanished();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      report_.cancelled = true;
    }
    Publish();
    report_.seconds = Seconds();
    if (!refused_.empty()) throw Error(ErrorCode::kConflict, refused_);
    return std::move(report_);
  }

 private:
  void LoadKnown() {
    std::set<std::string> roots;
    for (const Scope& scope : listing_.scopes) {
      if (!roots.insert(scope.root).second) continue;
      env_.job.RecordRoot(scope.root);
      auto documents = env_.job.DocumentsBelow(scope.root);
      std::move(documents.begin(), documents.end(), std::back_inserter(known_));
    }
  }

  void IndexVanishedByDigest() {
    for (const std::size_t i : plan_.vanished) {
      if (known_[i].state == store::DocumentState::kCurrent) {
        vanished_by_digest_.emplace(known_[i].document_sha256, i);
      }
    }
  }

  void NoteWhatNeedsNoReading() {
    for (const std::size_t i : plan_.still_skipped) {
      Note(known_[i].key, known_[i].unreadable_kind, known_[i].reason);
    }
    for (const store::UnreadableFile& fault : listing_.faults) {
      const auto former = std::find_if(known_.begin(), known_.end(),
                                       [&](const DocumentInfo& d) { return d.key == fault.key; });
      const bool told = former != known_.end() && former->reason == fault.reason &&
                        former->state == store::DocumentState::kUnreadable;
      if (!told) env_.job.PutUnreadable(fault, {});
      Note(fault.key, fault.kind, fault.reason);
    }
  }

  void ProcessCandidates() {
    total_ = plan_.read.size();
    Progress("indexing", "");
    ForEachOrdered<Processed>(
        plan_.read.size(), options_.threads, options_.threads * kResultsPerThread,
        [this](std::size_t i) { return Process(plan_.read[i]); },
        [this](std::size_t i, Processed processed) {
          Stage(plan_.read[i], std::move(processed));
          env_.cancel.ThrowIfCancelled();
        });
  }

  // Runs in several threads.
  Processed Process(const Candidate& candidate) {
    env_.cancel.ThrowIfCancelled();
    const SourceItem& item = listing_.items[candidate.item];
    Processed processed;
    processed.facts = item.facts;
    SourceBytes read;
    try {
      read = source_.Read(item, options_.max_file_bytes);
    } catch (const Error& error) {
      processed.outcome = FaultOf(error);
      return processed;
    }
    processed.facts = read.facts;
    processed.document_sha256 = ToHex(Sha256(read.bytes));
    processed.outcome = Extract(candidate, item, read.bytes, processed);
    return processed;
  }

  static Unreadable FaultOf(const Error& error) {
    if (error.code() == ErrorCode::kNotFound) {
      return {store::UnreadableKind::kSkipped, "vanished before it was read", true};
    }
    return {store::UnreadableKind::kFailed, error.what(), error.code() == ErrorCode::kConflict};
  }

  decltype(Processed::outcome) Extract(const Candidate& candidate, const SourceItem& item,
                                       const std::string& bytes, Processed& processed) {
    if (candidate.known >= 0) {
      const DocumentInfo& document = known_[static_cast<std::size_t>(candidate.known)];
      if (document.state == store::DocumentState::kCurrent &&
          document.document_sha256 == processed.document_sha256) {
        return SameBytes{};
      }
    }
    const std::string file_name = PathOf(item.key).filename().native();
    processed.media_type =
        item.media_type.empty() ? DetectMediaType(file_name, bytes) : item.media_type;
    if (const auto content = FindContent(processed); content) return *content;

    ExtractionResult result = env_.extraction.Extract(bytes, file_name, processed.media_type);
    if (result.status != ExtractionStatus::kText) return FaultOf(result);
    if (result.text.blocks.empty()) {
      return Unreadable{store::UnreadableKind::kSkipped, "empty: holds no text"};
    }
    return BuildContent({processed.document_sha256, processed.media_type, file_name, item.title},
                        std::move(result.text), options_.chunks, env_.embedder);
  }

  static Unreadable FaultOf(const ExtractionResult& result) {
    switch (result.status) {
      case ExtractionStatus::kSkipped:
        return {store::UnreadableKind::kSkipped, result.reason};
      case ExtractionStatus::kNeedsOcr:
        return {store::UnreadableKind::kNeedsOcr, result.reason};
      default:
        return {store::UnreadableKind::kFailed, result.reason};
    }
  }

  std::optional<ContentId> FindContent(const Processed& processed) {
    const std::lock_guard lock(job_mutex_);
    return env_.job.FindContent(processed.document_sha256, processed.media_type);
  }

  void Stage(const Candidate& candidate, Processed processed) {
    const SourceItem& item = listing_.items[candidate.item];
    {
      const std::lock_guard lock(job_mutex_);
      std::visit([&](auto& outcome) { StageOutcome(candidate, item, processed, outcome); },
                 processed.outcome);
      CommitWhenDue();
    }
    ++done_;
    Progress("indexing", PathOf(item.key).native());
  }

  void StageOutcome(const Candidate& candidate, const SourceItem& /*item*/,
                    const Processed& processed, SameBytes& /*same*/) {
    const DocumentInfo& document = known_[static_cast<std::size_t>(candidate.known)];
    env_.job.UpdateFacts(document.document_id, processed.facts);
    ++report_.unchanged;
  }

  void StageOutcome(const Candidate& /*candidate*/, const SourceItem& item,
                    const Processed& processed, Unreadable& fault) {
    if (!fault.keep_former) {
      env_.job.PutUnreadable({item.key, fault.kind, fault.reason}, processed.facts);
    }
    Note(item.key, fault.kind, fault.reason);
  }

  void StageOutcome(const Candidate& candidate, const SourceItem& item, const Processed& processed,
                    ContentId& content) {
    if (candidate.known < 0 && RenameVanished(item, processed)) return;
    const auto date_ms = processed.facts.mtime_ns / kNanosPerMilli;
    Count(env_.job.Put({item.key, processed.facts, date_ms, options_.user_meta}, content));
  }

  void StageOutcome(const Candidate& candidate, const SourceItem& item, const Processed& processed,
                    store::NewContent& content) {
    // A copy of a document that was staged after this one was read.
    const auto stored = env_.job.FindContent(content.document_sha256, content.media_type);
    if (stored) {
      ContentId id = *stored;
      StageOutcome(candidate, item, processed, id);
      return;
    }
    SettleLanguage(content);
    const auto date_ms = DocumentDate(content, processed.facts.mtime_ns / kNanosPerMilli);
    report_.chunks += content.chunks.size();
    report_.text_bytes += content.text.size();
    Count(
        env_.job.Put({item.key, processed.facts, date_ms, options_.user_meta}, std::move(content)));
  }

  // A file that is gone and a new one with the same bytes: one document that moved.
  bool RenameVanished(const SourceItem& item, const Processed& processed) {
    const auto moved = vanished_by_digest_.find(processed.document_sha256);
    if (moved == vanished_by_digest_.end()) return false;
    const DocumentInfo& document = known_[moved->second];
    if (document.media_type != processed.media_type) return false;
    env_.job.Rename(document.document_id, item.key, processed.facts);
    std::erase(plan_.vanished, moved->second);
    vanished_by_digest_.erase(moved);
    ++report_.updated;
    return true;
  }

  void SettleLanguage(store::NewContent& content) {
    if (content.language != text::kUnknownLanguage) {
      ++languages_seen_[content.language];
      return;
    }
    const auto usual =
        std::max_element(languages_seen_.begin(), languages_seen_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    AssignLanguage(content, usual == languages_seen_.end() ? env_.usual_language : usual->first);
  }

  void Count(store::IndexJob::PutResult result) {
    ++(result == store::IndexJob::PutResult::kAdded ? report_.added : report_.updated);
  }

  void WithdrawVanished() {
    for (const Scope& scope : listing_.scopes) {
      std::vector<std::size_t> gone;
      for (const std::size_t i : plan_.vanished) {
        if (scope.Contains(known_[i].key)) gone.push_back(i);
      }
      const auto held = static_cast<std::size_t>(
          std::count_if(known_.begin(), known_.end(),
                        [&](const DocumentInfo& d) { return scope.Contains(d.key); }));
      if (!options_.allow_mass_remove && IsMassRemoval(gone.size(), held)) {
        refused_ = "this would remove " + std::to_string(gone.size()) + " of " +
                   std::to_string(held) + " documents below '" +
                   PathOf({scope.root, scope.prefix}).native() +
                   "'; nothing was removed: check the folder, or pass --allow-mass-remove";
        continue;
      }
      for (const std::size_t i : gone) {
        env_.job.Withdraw(known_[i].document_id);
        std::erase(plan_.vanished, i);
        ++report_.removed;
      }
    }
  }

  void Note(const store::SourceKey& key, store::UnreadableKind kind, const std::string& reason) {
    const bool skipped = kind == store::UnreadableKind::kSkipped;
    ++(skipped ? report_.skipped : report_.failed);
    report_.notes.push_back({PathOf(key).native(), skipped ? "skipped" : "failed", reason});
  }

  void CommitWhenDue() {
    const std::int64_t now = env_.clock.MonotonicNanos();
    if (milliseconds((now - last_publish_ns_) / kNanosPerMilli) >= options_.publish_every) {
      Publish();
    } else if (milliseconds((now - last_commit_ns_) / kNanosPerMilli) >= options_.commit_every) {
      env_.job.Commit();
      last_commit_ns_ = now;
    }
  }

  void Publish() {
    Progress("publishing", "");
    report_.generation = env_.job.Publish().generation;
    last_publish_ns_ = last_commit_ns_ = env_.clock.MonotonicNanos();
    Progress("publishing", "");
  }

  [[nodiscard]] double Seconds() const {
    constexpr double kNanos = 1e9;
    return static_cast<double>(env_.clock.MonotonicNanos() - started_ns_) / kNanos;
  }

  void Progress(const char* phase, const std::string& path) const {
    env_.progress({phase, done_, total_, report_.chunks, report_.generation, path, Seconds()});
  }

  Source& source_;
  const IndexOptions& options_;
  const IndexEnvironment& env_;
  SourceListing listing_;
  std::vector<DocumentInfo> known_;
  ChangePlan plan_;
  std::multimap<std::string, std::size_t> vanished_by_digest_;
  std::map<std::string, std::uint64_t> languages_seen_;
  std::mutex job_mutex_;  // guards env_.job, which belongs to one thread at a time
  IndexReport report_;
  std::string refused_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  std::int64_t started_ns_ = 0;
  std::int64_t last_publish_ns_ = 0;
  std::int64_t last_commit_ns_ = 0;
};

}  // namespace

IndexReport RunIndex(Source& source, const IndexOptions& options,
                     const IndexEnvironment& environment) {
  return Run(source, options, environment).Execute();
}

IndexReport DryRunIndex(Source& source, const std::vector<DocumentInfo>& known,
                        const IndexOptions& options) {
  const SourceListing listing = source.List();
  const ChangePlan plan = PlanChanges(listing, known);
  IndexReport report;
  report.dry_run = true;
  report.unchanged = plan.unchanged;
  const auto note = [&](const store::SourceKey& key, const char* outcome, std::string reason) {
    report.notes.push_back({PathOf(key).native(), outcome, std::move(reason)});
  };
  for (const std::size_t i : plan.still_skipped) {
    ++report.skipped;
    note(known[i].key, "skipped", known[i].reason);
  }
  for (const store::UnreadableFile& fault : listing.faults) {
    const bool skipped = fault.kind == store::UnreadableKind::kSkipped;
    ++(skipped ? report.skipped : report.failed);
    note(fault.key, skipped ? "skipped" : "failed", fault.reason);
  }
  for (const Candidate& candidate : plan.read) {
    const SourceItem& item = listing.items[candidate.item];
    try {
      if (candidate.known < 0) {
        ++report.added;
        note(item.key, "new", "");
      } else if (ToHex(Sha256(source.Read(item, options.max_file_bytes).bytes)) ==
                 known[static_cast<std::size_t>(candidate.known)].document_sha256) {
        ++report.unchanged;
      } else {
        ++report.updated;
        note(item.key, "updated", "");
      }
    } catch (const Error& error) {
      ++report.failed;
      note(item.key, "failed", error.what());
    }
  }
  for (const std::size_t i : plan.vanished) {
    ++report.removed;
    note(known[i].key, "removed", "");
  }
  return report;
}

}  // namespace sworn::indexer
