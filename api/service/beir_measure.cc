#include "api/service/beir_measure.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "api/service/stopwatch.h"
#include "retriever/metrics.h"
#include "retriever/retriever.h"

namespace sworn::service {
namespace {

using retriever::RankedChunk;
using retriever::Ranking;
using retriever::Retriever;

constexpr std::size_t kDepth = 10;
constexpr std::size_t kRecallDepth = 100;
constexpr double kMedian = 0.5;
constexpr double kTail = 0.99;

/// A leg of the hybrid ranking: where it put a chunk, and whether it ran.
struct LegView {
  std::string_view name;
  std::optional<std::uint32_t> RankedChunk::*rank;
  retriever::LegReport Ranking::*report;
};

constexpr LegView kLegs[] = {
    {"vector", &RankedChunk::vector_rank, &Ranking::vector},
    {"local", &RankedChunk::local_rank, &Ranking::local},
};

/// Documents in the order of their best chunk.
std::vector<std::string> RankDocuments(const std::vector<const RankedChunk*>& chunks,
                                       const DocumentIds& ids) {
  std::vector<std::string> documents;
  std::unordered_set<ContentId> seen;
  for (const RankedChunk* chunk : chunks) {
    if (!seen.insert(chunk->content_id).second) continue;
    const auto names = ids.find(chunk->content_id);
    if (names == ids.end()) continue;
    documents.insert(documents.end(), names->second.begin(), names->second.end());
  }
  return documents;
}

std::vector<const RankedChunk*> AllChunks(const Ranking& ranking) {
  std::vector<const RankedChunk*> chunks;
  for (const RankedChunk& chunk : ranking.chunks) chunks.push_back(&chunk);
  return chunks;
}

std::vector<const RankedChunk*> ChunksOfLeg(const Ranking& ranking, const LegView& leg) {
  std::vector<const RankedChunk*> chunks;
  for (const RankedChunk& chunk : ranking.chunks) {
    if (chunk.*leg.rank) chunks.push_back(&chunk);
  }
  std::sort(chunks.begin(), chunks.end(), [&leg](const RankedChunk* a, const RankedChunk* b) {
    return *(a->*leg.rank) < *(b->*leg.rank);
  });
  return chunks;
}

void Score(const std::vector<std::string>& documents, const BeirCollection::Query& query,
           BeirRun& run) {
  run.ndcg.push_back(retriever::NdcgAt(documents, query.judgements, kDepth));
  run.recall.push_back(retriever::RecallAt(documents, query.judgements, kRecallDepth));
  run.reciprocal_rank.push_back(retriever::ReciprocalRank(documents, query.judgements));
}

retriever::Query Deep(const BeirCollection::Query& query, SearchMode mode) {
  return {query.text, retriever::kMaxTopK, mode, {}, {}};
}

BeirRun MeasureMode(const BeirIndex& index, const BeirCollection& collection, SearchMode mode,
                    const CancelFlag& cancel) {
  Retriever retriever(index.snapshot, index.embedder);
  BeirRun run;
  run.name = retriever::ModeName(mode);
  for (const BeirCollection::Query& query : collection.queries) {
    cancel.ThrowIfCancelled();
    const Ranking ranking = retriever.Rank(Deep(query, mode));
    run.ran += ranking.keyword.ran || ranking.vector.ran ? 1 : 0;
    Score(RankDocuments(AllChunks(ranking), index.ids), query, run);
  }
  // Apart from the deep rankings: what somebody who asks for ten hits waits for.
  for (const BeirCollection::Query& query : collection.queries) {
    cancel.ThrowIfCancelled();
    const Stopwatch watch(index.clock);
    static_cast<void>(retriever.Search({query.text, kDepth, mode, {}, {}}));
    run.latency_ms.push_back(watch.Millis());
  }
  return run;
}

/// The keyword leg with all the weight on chunks (share 0) or on whole documents (share 1).
BeirRun MeasureKeywordPart(const BeirIndex& index, const BeirCollection& collection,
                           std::string name, double document_share, const CancelFlag& cancel) {
  retriever::Parameters parameters;
  parameters.document_share = document_share;
  Retriever retriever(index.snapshot, index.embedder, parameters);
  BeirRun run;
  run.name = std::move(name);
  for (const BeirCollection::Query& query : collection.queries) {
    cancel.ThrowIfCancelled();
    const Ranking ranking = retriever.Rank(Deep(query, SearchMode::kKeyword));
    run.ran += ranking.keyword.ran ? 1 : 0;
    Score(RankDocuments(AllChunks(ranking), index.ids), query, run);
  }
  return run;
}

/// Legs as they stand in hybrid rankings.
std::vector<BeirRun> MeasureLegs(const BeirIndex& index, const BeirCollection& collection,
                                 const CancelFlag& cancel) {
  Retriever retriever(index.snapshot, index.embedder);
  std::vector<BeirRun> runs(std::size(kLegs));
  for (const BeirCollection::Query& query : collection.queries) {
    cancel.ThrowIfCancelled();
    const Ranking ranking = retriever.Rank(Deep(query, SearchMode::kHybrid));
    for (std::size_t i = 0; i < runs.size(); ++i) {
      runs[i].name = kLegs[i].name;
      runs[i].ran += (ranking.*kLegs[i].report).ran ? 1 : 0;
      Score(RankDocuments(ChunksOfLeg(ranking, kLegs[i]), index.ids), query, runs[i]);
    }
  }
  return runs;
}

}  // namespace

BeirRuns MeasureBeir(const BeirIndex& index, const BeirCollection& collection,
                     const std::vector<SearchMode>& modes, bool legs, const CancelFlag& cancel) {
  BeirRuns runs;
  runs.keyword = MeasureMode(index, collection, SearchMode::kKeyword, cancel);
  for (const SearchMode mode : modes) {
    runs.modes.push_back(
        mode == SearchMode::kKeyword ? runs.keyword : MeasureMode(index, collection, mode, cancel));
  }
  if (!legs) return runs;
  runs.legs.push_back(MeasureKeywordPart(index, collection, "keyword_chunks", 0, cancel));
  runs.legs.push_back(MeasureKeywordPart(index, collection, "whole_documents", 1, cancel));
  for (BeirRun& run : MeasureLegs(index, collection, cancel)) runs.legs.push_back(std::move(run));
  return runs;
}

BeirScores Summarise(const BeirRun& run, const BeirRun& keyword) {
  return SummariseMeans({&run}, {&keyword});
}

BeirScores SummariseMeans(const std::vector<const BeirRun*>& runs,
                          const std::vector<const BeirRun*>& keywords) {
  BeirScores scores;
  scores.name = runs.front()->name;
  // Shares of the mean over collections, query by query: their sum is that mean.
  std::vector<double> ndcg;
  std::vector<double> keyword_ndcg;
  std::vector<double> latency_ms;
  const auto collections = static_cast<double>(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const BeirRun& run = *runs[i];
    scores.ndcg_at_10 += retriever::Mean(run.ndcg) / collections;
    scores.recall_at_100 += retriever::Mean(run.recall) / collections;
    scores.mrr += retriever::Mean(run.reciprocal_rank) / collections;
    scores.ran += run.ran;
    latency_ms.insert(latency_ms.end(), run.latency_ms.begin(), run.latency_ms.end());
    const double weight = 1 / (collections * static_cast<double>(run.ndcg.size()));
    for (std::size_t query = 0; query < run.ndcg.size(); ++query) {
      ndcg.push_back(run.ndcg[query] * weight);
      keyword_ndcg.push_back(keywords[i]->ndcg[query] * weight);
    }
  }
  if (scores.name != keywords.front()->name) {
    scores.p_value_vs_keyword = retriever::SignFlipPValue(ndcg, keyword_ndcg);
  }
  if (!latency_ms.empty()) {
    scores.p50_ms = retriever::Percentile(latency_ms, kMedian);
    scores.p99_ms = retriever::Percentile(latency_ms, kTail);
  }
  return scores;
}

}  // namespace sworn::service
