// Rotary position embedding (Su et al., "RoFormer", 2021): the angles of a block of positions.
// Internal to llm/.
#pragma once

#include <cstddef>
#include <vector>

namespace sworn::llm {

/// Cosines and sines for one block of positions at a time. The frequencies are binary32 like those
/// the models were trained with; the angle, its cosine and its sine are computed in double, so that
/// far positions are exact.
class RopeTable {
 public:
  /// For blocks of at most `positions`.
  RopeTable(std::size_t head_dim, float theta, std::size_t positions);

  /// Makes row `index` that of `position`, if it is not yet. Distinct rows may be set in several
  /// threads.
  void Set(std::size_t index, std::size_t position) noexcept;

  /// [head_dim / 2] of row `index`.
  [[nodiscard]] const float* cosines(std::size_t index) const noexcept {
    return cosines_.data() + index * half_;
  }
  [[nodiscard]] const float* sines(std::size_t index) const noexcept {
    return sines_.data() + index * half_;
  }
  [[nodiscard]] std::size_t half() const noexcept { return half_; }

 private:
  std::size_t half_;
  std::vector<float> frequencies_;  // theta^(-i / half)
  std::vector<float> cosines_;      // [positions, half]
  std::vector<float> sines_;        // [positions, half]
  std::vector<std::size_t> held_;   // position + 1 of each row; 0: none
};

}  // namespace sworn::llm
