// A coarse copy of an output matrix, and what a logit can be at most when only the copy was read.
// docs/engine-head.md derives the bounds. Internal to llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/model_file.h"
#include "llm/files/tensor.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/packed_memory.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

using kernels::CoarseRows;

/// Hidden states as the kernels read the copy with them, and the numbers of their bounds.
class CoarseStates {
 public:
  /// hidden is [count, columns], `blocks` those of the copy.
  CoarseStates(std::span<const float> hidden, std::size_t count, std::size_t blocks);

  /// False if the bounds do not hold for one of the states: not finite, tiny or huge.
  [[nodiscard]] bool usable() const noexcept { return usable_; }
  [[nodiscard]] std::size_t count() const noexcept { return factors_.size(); }
  /// Valid as long as the states live.
  [[nodiscard]] kernels::CoarseQueries queries() const noexcept {
    return {x_.get(), sums_.data(), norms_.data(), count()};
  }
  [[nodiscard]] const kernels::CoarseFactors& factors(std::size_t state) const noexcept {
    return factors_[state];
  }

 private:
  /// False if the bounds do not hold.
  bool Set(std::size_t state, std::span<const float> hidden, std::size_t blocks);

  bool usable_ = true;
  AlignedArray<std::int8_t> x_;     // [blocks, count, 2, 64]
  std::vector<std::int32_t> sums_;  // [blocks, count]
  std::vector<float> norms_;        // [blocks, count]
  std::vector<kernels::CoarseFactors> factors_;
};

/// Immutable; safe to share between threads.
class CoarseMatrix {
 public:
  /// Reads all rows of `matrix`, on the threads of `team`, and releases their pages again.
  CoarseMatrix(const ModelFile& file, const TensorView& matrix, const kernels::KernelTable& kernels,
               ThreadTeam& team);

  /// False if the matrix has a value that is not finite or a row too large for the bounds.
  [[nodiscard]] bool usable() const noexcept { return usable_; }
  [[nodiscard]] std::size_t panels() const noexcept { return panels_; }
  /// Columns in units of kernels::kCoarseBlock.
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return panels_ * panel_bytes_; }

  [[nodiscard]] kernels::CoarsePanel panel(std::size_t index, bool both) const noexcept;
  [[nodiscard]] const CoarseRows& rows(std::size_t index) const noexcept;

 private:
  [[nodiscard]] std::uint8_t* at(std::size_t index) const noexcept {
    return memory_.data() + index * panel_bytes_;
  }

  [[nodiscard]] CoarseRows* rows_at(std::size_t index) const noexcept;

  std::size_t panels_;
  std::size_t blocks_;
  std::size_t panel_bytes_;  // high plane, low plane, CoarseRows, scales
  PackedMemory memory_;
  bool usable_ = true;
};

}  // namespace sworn::llm
