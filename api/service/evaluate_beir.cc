#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/service/beir.h"
#include "api/service/components.h"
#include "api/service/index_service.h"
#include "api/service/knowledge_base.h"
#include "core/error.h"
#include "retriever/metrics.h"
#include "retriever/retriever.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDepth = 10;
constexpr std::size_t kRecallDepth = 100;

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

// The collection's own document ids behind each stored text.
using DocumentIds = std::unordered_map<ContentId, std::vector<std::string>>;

DocumentIds IdsByContent(Components& parts) {
  DocumentIds ids;
  for (const store::DocumentInfo& document : parts.store->List({})) {
    if (document.content_id != 0) ids[document.content_id].push_back(document.key.relative_path);
  }
  for (auto& [content, names] : ids) std::sort(names.begin(), names.end());
  return ids;
}

// Documents in the order of their best chunk.
std::vector<std::string> RankDocuments(const retriever::Ranking& ranking, const DocumentIds& ids) {
  std::vector<std::string> documents;
  std::unordered_set<ContentId> seen;
  for (const retriever::RankedChunk& chunk : ranking.chunks) {
    if (!seen.insert(chunk.content_id).second) continue;
    const auto names = ids.find(chunk.content_id);
    if (names == ids.end()) continue;
    documents.insert(documents.end(), names->second.begin(), names->second.end());
  }
  return documents;
}

struct ModeScores {
  std::vector<double> ndcg;
  std::vector<double> recall;
  std::vector<double> reciprocal_rank;
};

ModeScores Measure(retriever::Retriever& retriever, const BeirCollection& collection,
                   const DocumentIds& ids, SearchMode mode, const CancelFlag& cancel) {
  ModeScores scores;
  for (const BeirCollection::Query& query : collection.queries) {
    cancel.ThrowIfCancelled();
    const retriever::Ranking ranking =
        retriever.Rank({query.text, retriever::kMaxTopK, mode, {}, {}});
    const std::vector<std::string> documents = RankDocuments(ranking, ids);
    scores.ndcg.push_back(retriever::NdcgAt(documents, query.judgements, kDepth));
    scores.recall.push_back(retriever::RecallAt(documents, query.judgements, kRecallDepth));
    scores.reciprocal_rank.push_back(retriever::ReciprocalRank(documents, query.judgements));
  }
  return scores;
}

}  // namespace

BeirReport EvaluateBeir(const Config& config, const fs::path& folder,
                        const std::vector<SearchMode>& modes, const ProgressSink& progress,
                        const CancelFlag& cancel) {
  const BeirCollection collection = ReadBeir(folder);
  const ScratchFolder scratch;
  Config scratch_config = config;
  scratch_config.kb = scratch.path() / "kb";
  const auto parts = Compose(scratch_config, true);

  IndexRequest request;
  parts->store->CreateCollection(request.collection);
  BeirSource source(collection);
  const IndexReport indexed = IndexSource(*parts, source, request, progress, cancel);
  if (indexed.cancelled) throw Error(ErrorCode::kCancelled, "cancelled");
  // A record without any text is skipped and cannot be found; that is the collection's own fault.
  if (indexed.failed > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "document '" + indexed.notes.front().path + "': " + indexed.notes.front().reason);
  }

  BeirReport report;
  report.collection = collection.name;
  report.documents = collection.documents.size();
  report.queries = collection.queries.size();
  report.chunks = indexed.chunks;
  report.index_seconds = indexed.seconds;
  const auto snapshot = parts->store->OpenSnapshot({});
  retriever::Retriever retriever(*snapshot, parts->embedder.get());
  const DocumentIds ids = IdsByContent(*parts);
  const ModeScores keyword = Measure(retriever, collection, ids, SearchMode::kKeyword, cancel);
  for (const SearchMode mode : modes) {
    const bool is_keyword = mode == SearchMode::kKeyword;
    const ModeScores scores =
        is_keyword ? keyword : Measure(retriever, collection, ids, mode, cancel);
    BeirModeResult result;
    result.mode = retriever::ModeName(mode);
    result.ndcg_at_10 = retriever::Mean(scores.ndcg);
    result.recall_at_100 = retriever::Mean(scores.recall);
    result.mrr = retriever::Mean(scores.reciprocal_rank);
    if (!is_keyword) {
      result.p_value_vs_keyword = retriever::SignFlipPValue(scores.ndcg, keyword.ndcg);
    }
    report.modes.push_back(std::move(result));
  }
  return report;
}

}  // namespace sworn::service
