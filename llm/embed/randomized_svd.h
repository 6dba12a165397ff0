// The leading right singular vectors of a large sparse matrix (Halko, Martinsson and Tropp,
// "Finding Structure with Randomness", 2011: algorithms 4.4 and 5.1, one power iteration,
// oversampling 16).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "llm/graph/thread_team.h"

namespace sworn::llm {

struct SparseEntry {
  std::uint32_t column = 0;
  float value = 0;
};

struct SparseMatrix {
  std::size_t columns = 0;
  std::vector<std::size_t> row_begins;  // one more than rows
  std::vector<SparseEntry> entries;

  [[nodiscard]] std::size_t rows() const noexcept { return row_begins.size() - 1; }
};

struct RightSingularVectors {
  std::size_t count = 0;      // as asked, fewer where the rank is lower
  std::vector<float> values;  // row-major [columns, count], largest singular value first
};

/// `matrix` has an entry that is not zero. The bits depend on the matrix, the seed and OpenBLAS's
/// kernels, not on the team's size. Sets OpenBLAS to one thread. Memory: the matrix once more, and
/// 4 bytes * (rows + columns) * (count + 16).
RightSingularVectors RandomizedSvd(const SparseMatrix& matrix, std::size_t count,
                                   std::uint64_t seed, ThreadTeam& team);

}  // namespace sworn::llm
