// The read path: its three legs, their fusion, and the passages behind the hits.
// Method and figures: docs/retrieval.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedder.h"
#include "core/text/analyzer.h"
#include "core/text/keyword_query.h"
#include "core/types.h"
#include "retriever/fusion.h"
#include "retriever/parameters.h"
#include "retriever/query.h"
#include "store/snapshot.h"

namespace sworn::retriever {

struct LegReport {
  bool ran = false;
  std::size_t candidates = 0;
  std::string reason;  // why it did not run, or not everywhere; empty if it did
};

/// A chunk with its place, before its text is loaded.
struct RankedChunk {
  ChunkId chunk_id = 0;
  ContentId content_id = 0;
  std::uint32_t tier = 0;  // distinct identifiers and quoted phrases of the question in it
  double score = 0;        // fused, in [0, 1]; comparable within a tier of one query only
  std::optional<std::uint32_t> keyword_rank;  // 1-based
  std::optional<std::uint32_t> vector_rank;
  std::optional<std::uint32_t> local_rank;
  std::optional<double> keyword_score;  // chunk and document combined, in [0, 1]
  std::optional<double> vector_score;   // inner product
  std::optional<double> local_score;    // cosine
};

struct Ranking {
  std::vector<RankedChunk> chunks;  // best first; every candidate, not only top_k
  LegReport keyword;
  LegReport vector;
  LegReport local;
};

struct Hit {
  std::uint32_t rank = 0;  // 1-based
  RankedChunk place;
  store::StoredChunk chunk;
  // Chunks further down whose text is the same but for case and white space; best first.
  std::vector<store::StoredChunk> duplicates;
};

struct SearchResult {
  std::vector<Hit> hits;  // at most top_k
  LegReport keyword;
  LegReport vector;
  LegReport local;
};

/// Reads one snapshot. Holds an analyzer, so one object belongs to one thread at a time. The
/// snapshot and the embedder outlive it.
class Retriever {
 public:
  /// `embedder` may be null: then the vector leg searches only collections to which vectors were
  /// fitted.
  Retriever(const store::Snapshot& snapshot, const Embedder* embedder, Parameters parameters = {});

  /// All candidates in order, without their texts (except where a quoted phrase is verified). The
  /// same bits for any thread count. Throws what CheckQuery throws.
  [[nodiscard]] Ranking Rank(const Query& query);

  /// The best top_k candidates with their stored texts, equal texts folded into one hit.
  [[nodiscard]] SearchResult Search(const Query& query);

 private:
  struct Question;
  struct Legs;

  void RunKeyword(const Question& question, Legs& legs);
  void RunTextVectors(const Question& question, Legs& legs) const;
  void RunFitted(const Question& question, std::span<const ChunkId> feedback, Legs& legs) const;
  void RunHybrid(const Question& question, Legs& legs);

  const store::Snapshot& snapshot_;
  const Embedder* embedder_;
  Parameters parameters_;
  text::Analyzer analyzer_;
  std::vector<std::string> languages_;  // of the collections of the snapshot
};

/// The languages in which a question to this snapshot is analysed.
std::vector<std::string> QuestionLanguages(const store::Snapshot& snapshot);

}  // namespace sworn::retriever
