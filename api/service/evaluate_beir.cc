#include <algorithm>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "api/service/beir.h"
#include "api/service/beir_measure.h"
#include "api/service/components.h"
#include "api/service/index_service.h"
#include "api/service/knowledge_base.h"
#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

// A knowledge base that exists as long as the measurement.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "sworn-eval-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
      throw SystemError(errno, "cannot create a folder in", fs::temp_directory_path().native());
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<BeirCollection> ReadCollections(const BeirRequest& request) {
  std::vector<BeirCollection> collections;
  std::set<std::string> names;
  for (const fs::path& folder : request.folders) {
    BeirCollection collection = ReadBeir(folder);
    if (!names.insert(collection.name).second) {
      throw Error(ErrorCode::kInvalidArgument,
                  "two folders are named '" + collection.name + "': results go by that name");
    }
    if (request.mixed) TagDocuments(collection);
    collections.push_back(std::move(collection));
  }
  return collections;
}

DocumentIds IdsByContent(Components& parts) {
  DocumentIds ids;
  for (const store::DocumentInfo& document : parts.store->List({})) {
    if (document.content_id != 0) ids[document.content_id].push_back(document.key.relative_path);
  }
  for (auto& [content, names] : ids) std::sort(names.begin(), names.end());
  return ids;
}

IndexReport IndexAll(Components& parts, std::span<const BeirCollection> collections,
                     const ProgressSink& progress, const CancelFlag& cancel) {
  IndexRequest request;
  parts.store->CreateCollection(request.collection);
  BeirSource source(collections);
  IndexReport indexed = IndexSource(parts, source, request, progress, cancel);
  if (indexed.cancelled) throw Error(ErrorCode::kCancelled, "cancelled");
  // A record without any text is skipped and cannot be found; that is the collection's own fault.
  if (indexed.failed > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "document '" + indexed.notes.front().path + "': " + indexed.notes.front().reason);
  }
  return indexed;
}

BeirReport MakeReport(const BeirCollection& collection, const IndexReport& indexed,
                      const BeirRuns& runs) {
  BeirReport report;
  report.collection = collection.name;
  report.documents = collection.documents.size();
  report.queries = collection.queries.size();
  report.chunks = indexed.chunks;
  report.index_seconds = indexed.seconds;
  for (const BeirRun& run : runs.modes) report.modes.push_back(Summarise(run, runs.keyword));
  for (const BeirRun& run : runs.legs) report.legs.push_back(Summarise(run, runs.keyword));
  return report;
}

/// Indexes `collections` together and measures each of them.
void EvaluateTogether(const Config& config, const BeirRequest& request,
                      std::span<const BeirCollection> collections, const ProgressSink& progress,
                      const CancelFlag& cancel, std::vector<BeirRuns>& runs,
                      std::vector<BeirReport>& reports) {
  const ScratchFolder scratch;
  Config scratch_config = config;
  scratch_config.kb = scratch.path() / "kb";
  const auto parts = Compose(scratch_config, true);
  const IndexReport indexed = IndexAll(*parts, collections, progress, cancel);
  const auto snapshot = parts->store->OpenSnapshot({});
  const DocumentIds ids = IdsByContent(*parts);
  const BeirIndex index{*snapshot, nullptr, ids, parts->clock};
  for (const BeirCollection& collection : collections) {
    runs.push_back(MeasureBeir(index, collection, request.modes, request.legs, cancel));
    reports.push_back(MakeReport(collection, indexed, runs.back()));
  }
}

/// Means of the modes, or of the legs, over all collections.
std::vector<BeirScores> MeansOf(const std::vector<BeirRuns>& all,
                                std::vector<BeirRun> BeirRuns::*list) {
  std::vector<BeirScores> means;
  for (std::size_t row = 0; row < (all.front().*list).size(); ++row) {
    std::vector<const BeirRun*> runs;
    std::vector<const BeirRun*> keywords;
    for (const BeirRuns& one : all) {
      runs.push_back(&(one.*list)[row]);
      keywords.push_back(&one.keyword);
    }
    means.push_back(SummariseMeans(runs, keywords));
  }
  return means;
}

}  // namespace

BeirEvaluation EvaluateBeir(const Config& config, const BeirRequest& request,
                            const ProgressSink& progress, const CancelFlag& cancel) {
  if (request.folders.empty()) throw Error(ErrorCode::kInvalidArgument, "no folder to evaluate");
  const std::vector<BeirCollection> collections = ReadCollections(request);
  BeirEvaluation evaluation;
  evaluation.mixed = request.mixed;
  std::vector<BeirRuns> runs;
  const std::span all(collections);
  const std::size_t together = request.mixed ? all.size() : 1;
  for (std::size_t i = 0; i < all.size(); i += together) {
    EvaluateTogether(config, request, all.subspan(i, together), progress, cancel, runs,
                     evaluation.collections);
  }
  if (runs.size() > 1) {
    evaluation.mean_modes = MeansOf(runs, &BeirRuns::modes);
    evaluation.mean_legs = MeansOf(runs, &BeirRuns::legs);
  }
  return evaluation;
}

}  // namespace sworn::service
