// Latent semantic analysis of a question's own hits (Hull, "Improving text retrieval for the
// routing problem using latent semantic indexing", 1994): a space fitted to the best few hundred
// passages spends its dimensions on the question's subject, however many other subjects the index
// has. Method and figures: docs/retrieval.md.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/term_rows.h"
#include "store/snapshot.h"

namespace sworn::retriever {

inline constexpr std::size_t kMinLocalHits = 16;   // fewer span no space worth having
inline constexpr std::size_t kMaxLocalHits = 300;  // more cost time and bring other subjects in
inline constexpr std::size_t kMaxLocalDimension = 40;

/// The space of one question. One thread, a fixed order of every sum: the same bits always.
class LocalSpace {
 public:
  /// `hits`: kMinLocalHits to kMaxLocalHits live chunks (kInvalidArgument), best first; `question`:
  /// one row.
  LocalSpace(const store::Snapshot& snapshot, std::span<const ChunkId> hits,
             const TermRows& question);

  /// Cosine of every hit with the question, moved by half the mean vector of the hits at the
  /// indices `feedback` (Rocchio, 1971). All zeros when the question has no word in the hits.
  [[nodiscard]] std::vector<double> Scores(std::span<const std::size_t> feedback) const;

 private:
  std::size_t count_ = 0;
  std::size_t dimension_ = 0;
  std::vector<double> hits_;      // row-major [count, dimension], rows of unit norm or zero
  std::vector<double> question_;  // [dimension], unit norm or zero
};

}  // namespace sworn::retriever
