// The facade: every use case of Sworn, for the command line and for the server alike.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/service/config.h"
#include "api/service/model_registry.h"
#include "api/service/requests.h"
#include "core/cancel.h"

namespace sworn::service {

/// One knowledge base: a folder with a catalog, indexes, keys and an audit log.
///
/// Search, Ask, List, Show and Status may run in several threads and processes beside one index
/// job. Every call throws sworn::Error; nothing is answered that the log could not record
/// (kAuditUnavailable).
class KnowledgeBase {
 public:
  virtual ~KnowledgeBase() = default;

  /// Opens the knowledge base in config.kb; kNotConfigured when there is none and `create` is
  /// false, or when it was made by a newer version.
  static std::unique_ptr<KnowledgeBase> Open(const Config& config, bool create);

  /// Makes the collection mirror the paths. Files that cannot be read are notes of the report, not
  /// errors. Cancelling keeps what is indexed so far.
  virtual IndexReport Index(const IndexRequest& request, const ProgressSink& progress,
                            const CancelFlag& cancel) = 0;

  /// Index, then again for every burst of changes below the paths (coalesced for 2 s) until
  /// cancelled; `report` is called after each run.
  virtual void Watch(const IndexRequest& request, const ProgressSink& progress,
                     const std::function<void(const IndexReport&)>& report,
                     const CancelFlag& cancel) = 0;

  virtual SearchResponse Search(const SearchRequest& request) = 0;
  /// `sink` (may be empty) gets each sentence when it was checked; the answer may be used only when
  /// the call has returned. Cancelling a model throws kCancelled within one of its tokens.
  virtual AskResponse Ask(const AskRequest& request, const SentenceSink& sink,
                          const CancelFlag& cancel) = 0;
  AskResponse Ask(const AskRequest& request) { return Ask(request, {}, CancelFlag()); }

  /// As Ask, over one document or the text given; `question` of the response is what was
  /// summarised.
  virtual AskResponse Summarize(const SummarizeRequest& request, const SentenceSink& sink,
                                const CancelFlag& cancel) = 0;
  /// `on_text` (may be empty) gets the pieces as they come. Nothing of a translation is verified.
  virtual TranslateResponse Translate(const TranslateRequest& request, const TextSink& on_text,
                                      const CancelFlag& cancel) = 0;

  virtual std::vector<store::DocumentInfo> List(const ListRequest& request) = 0;
  /// By document id or path; kNotFound, or kConflict if the path fits several documents.
  virtual store::DocumentInfo Show(const std::string& id_or_path) = 0;
  /// The stored text of the newest version (of `version` unless 0); offsets of citations count in
  /// it.
  virtual std::string ShowText(const std::string& id_or_path, std::uint32_t version) = 0;
  /// Withdraws documents (a path may name a folder); their text stays until erased.
  virtual RemoveReport Remove(const std::string& id_or_path) = 0;
  virtual StatusReport Status() = 0;

  virtual std::vector<store::CollectionInfo> Collections() = 0;
  virtual void CreateCollection(const std::string& name) = 0;
  virtual void RemoveCollection(const std::string& name) = 0;

  // The record. Entries are JSON objects with at least "index", "type" and "time".
  struct AuditListRequest {
    std::size_t limit = 50;  // newest first; 0: all
    std::string type;        // only these, for example "outcome"
    std::optional<std::int64_t> since_ms;
  };
  virtual std::vector<nlohmann::json> AuditList(const AuditListRequest& request) = 0;
  /// With the payload (question, answer, paths) when it is still there.
  virtual nlohmann::json AuditShow(std::uint64_t index) = 0;
  /// {"ok","entries","checkpoints","first_bad","reason","size","root"}; a broken log is a value.
  virtual nlohmann::json AuditVerify() = 0;
  /// One JSON object a line, each with its inclusion proof; the last line is the checkpoint.
  virtual void AuditExport(const std::function<void(const nlohmann::json&)>& line) = 0;
  /// The tlog-proof text of an entry.
  virtual std::string AuditReceipt(std::uint64_t index) = 0;

  // Model files.
  virtual std::vector<ModelEntry> Models() = 0;
  /// Throws kNotConfigured for an unknown id; so do the next two.
  virtual ModelEntry ModelInfo(const std::string& id) = 0;
  /// Throws kIntegrity unless the file is the one that was pinned.
  virtual ModelEntry VerifyModel(const std::string& id) = 0;
  virtual ModelEntry RemoveModel(const std::string& id) = 0;
  virtual ModelEntry ImportModel(const ModelImportRequest& request, const ProgressSink& progress,
                                 const CancelFlag& cancel) = 0;
  virtual ModelEntry PullModel(const ModelPullRequest& request, const ProgressSink& progress,
                               const CancelFlag& cancel) = 0;

  /// The vector of a text. Nothing is written to the log: no document is read. Throws
  /// kNotConfigured where there is no embedder to use.
  virtual EmbedResponse Embed(const EmbedRequest& request) = 0;

  /// Faults as {"where","reason","repaired"}; empty when everything agrees.
  virtual std::vector<nlohmann::json> Fsck(
      bool repair, const std::function<void(std::string_view)>& progress) = 0;

  /// Writes one archive with catalog, log and keys of the knowledge base (payload keys only with
  /// `with_keys`); refuses to overwrite.
  virtual void Backup(const std::filesystem::path& file, bool with_keys) = 0;
};

/// Fills an empty or missing config.kb from an archive that Backup wrote, rebuilds the indexes and
/// opens a new epoch of the log with `reason`.
void Restore(const Config& config, const std::filesystem::path& file, const std::string& reason);

/// Checks the environment; needs no knowledge base.
std::vector<DoctorFinding> Doctor(const Config& config);

/// Indexes BEIR folders into a scratch knowledge base through the normal path and measures modes
/// and legs. With request.mixed all documents go into one index, in which each collection's
/// documents compete with all the others. Throws what ReadBeir throws, and kInvalidArgument for two
/// folders of one name.
BeirEvaluation EvaluateBeir(const Config& config, const BeirRequest& request,
                            const ProgressSink& progress, const CancelFlag& cancel);

/// Asks every question of a JSONL file (data/eval/README.md) of the knowledge base. `split`
/// restricts to questions with that "split" when not empty.
AnswerEvaluation EvaluateAnswers(KnowledgeBase& kb, const std::filesystem::path& file,
                                 const std::string& split, const CancelFlag& cancel);

}  // namespace sworn::service
