// A coarse copy of an output matrix, and what a logit can be at most when only the copy was read.
// docs/engine-head.md derives the bounds. Internal to llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/model_file.h"
#include "llm/files/tensor.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// Of the 16 rows of a panel; every value is rounded up. "high" is the copy without its low plane.
struct CoarseRows {
  float scale[kernels::kCoarseRows];          // weight = scale * multiplier * level
  float residual_high[kernels::kCoarseRows];  // norm of row minus copy
  float residual_both[kernels::kCoarseRows];
  float spread_high[kernels::kCoarseRows];  // largest of a block's residual norms and 4 times its
  float spread_both[kernels::kCoarseRows];  // largest residual, divided by the block's multiplier
  float norm[kernels::kCoarseRows];         // at least the norms of the row and its residuals
};

/// A hidden state as the kernels read the copy with it, and the numbers of its bounds.
class CoarseState {
 public:
  CoarseState(std::span<const float> hidden, std::size_t blocks);

  /// False for a state whose bounds do not hold: not finite, tiny or huge.
  [[nodiscard]] bool usable() const noexcept { return usable_; }
  /// Valid as long as the state lives.
  [[nodiscard]] kernels::CoarseQuery query() const noexcept;

  /// From what the kernel returned for a panel: estimates of the 16 logits, and values that the
  /// true logits do not exceed.
  void Bound(const CoarseRows& rows, bool both, const float* sums, const float* reach,
             float* estimates, float* uppers) const noexcept;

 private:
  bool usable_ = false;
  std::vector<std::int8_t> high_;
  std::vector<std::int8_t> low_;
  std::vector<std::int32_t> sums_;
  std::vector<float> norms_;
  float step_ = 0;             // hidden state = step * (256 high + low), nearly
  float residual_factor_ = 0;  // of residual_high and residual_both
  float spread_factor_ = 0;    // of spread * reach
  float norm_factor_ = 0;      // of norm
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
  struct Unmap {
    std::size_t bytes;
    void operator()(std::uint8_t* data) const noexcept;
  };

  [[nodiscard]] std::uint8_t* at(std::size_t index) const noexcept {
    return data_.get() + index * panel_bytes_;
  }

  [[nodiscard]] CoarseRows* rows_at(std::size_t index) const noexcept;

  std::size_t panels_;
  std::size_t blocks_;
  std::size_t panel_bytes_;  // high plane, low plane, CoarseRows, scales
  bool usable_ = true;
  std::unique_ptr<std::uint8_t, Unmap> data_;
};

}  // namespace sworn::llm
