// Rows for vector files, and the search that they are compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

#include "store/faiss_index.h"

namespace sworn::store {

inline void Normalise(std::span<float> row) {
  double sum = 0;
  for (const float x : row) sum += double{x} * x;
  if (sum == 0) return;
  for (float& x : row) x = static_cast<float>(x / std::sqrt(sum));
}

/// Unit rows around `clusters` random centres; ids from 1 on.
inline VectorRows ClusteredRows(std::size_t count, std::uint32_t dimension, std::size_t clusters,
                                std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(clusters * dimension);
  for (float& x : centres) x = normal(random);
  VectorRows rows{dimension, {}, std::vector<float>(count * dimension)};
  for (std::size_t i = 0; i < count; ++i) {
    rows.ids.push_back(static_cast<ChunkId>(i + 1));
    const float* const centre = centres.data() + random() % clusters * dimension;
    const std::span row(rows.values.data() + i * dimension, dimension);
    for (std::size_t k = 0; k < dimension; ++k) row[k] = centre[k] + 0.55F * normal(random);
    Normalise(row);
  }
  return rows;
}

/// The definition: every inner product, in double.
inline std::vector<ScoredChunk> ExactSearch(const VectorRows& rows, std::span<const float> query,
                                            std::size_t limit,
                                            const std::function<bool(ChunkId)>& accept) {
  std::vector<ScoredChunk> hits;
  for (std::size_t i = 0; i < rows.ids.size(); ++i) {
    if (!accept(rows.ids[i])) continue;
    double score = 0;
    for (std::size_t k = 0; k < rows.dimension; ++k) {
      score += double{query[k]} * rows.values[i * rows.dimension + k];
    }
    hits.push_back({rows.ids[i], score});
  }
  std::sort(hits.begin(), hits.end(), [](const ScoredChunk& a, const ScoredChunk& b) {
    return a.score != b.score ? a.score > b.score : a.chunk_id < b.chunk_id;
  });
  if (hits.size() > limit) hits.resize(limit);
  return hits;
}

/// The share of `expected` that `hits` has.
inline double Recall(const std::vector<ScoredChunk>& hits,
                     const std::vector<ScoredChunk>& expected) {
  std::size_t found = 0;
  for (const ScoredChunk& wanted : expected) {
    found += std::any_of(hits.begin(), hits.end(),
                         [&](const ScoredChunk& hit) { return hit.chunk_id == wanted.chunk_id; });
  }
  return expected.empty() ? 1 : static_cast<double>(found) / static_cast<double>(expected.size());
}

}  // namespace sworn::store
