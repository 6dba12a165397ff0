// Linear layers over a block of tokens: panels of 64 output rows, shared out to the threads.
// Internal to llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/thread_team.h"
#include "llm/graph/weights.h"

namespace sworn::llm {

/// The activations of a block of tokens as the input of linear layers: int8 with a scale for each
/// token for ternary matrices, floats for dense ones.
class LinearInput {
 public:
  /// For at most `tokens` tokens of at most `columns` numbers.
  LinearInput(std::size_t tokens, std::size_t columns);

  /// Sets the width of the rows that follow and which of the two forms they are needed in.
  void Begin(std::size_t columns, bool quantized, bool dense);
  /// Where row `token` is to be written before Finish; `spare` (columns numbers) is used for it if
  /// the floats are not kept.
  [[nodiscard]] float* Row(std::size_t token, float* spare) noexcept;
  /// Quantises what was written to `row` where ternary matrices follow. Distinct tokens may be
  /// finished in several threads.
  void Finish(std::size_t token, const float* row, const kernels::KernelTable& kernels) noexcept;

  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  [[nodiscard]] std::size_t padded() const noexcept { return padded_; }
  [[nodiscard]] const float* dense(std::size_t token) const noexcept {
    return dense_.get() + token * columns_;
  }
  [[nodiscard]] const std::int8_t* quantized(std::size_t token) const noexcept {
    return quantized_.get() + token * padded_;
  }
  [[nodiscard]] const std::int32_t* sums(std::size_t token) const noexcept {
    return sums_.data() + token;
  }
  /// The quantisation's factor s: activation = int8 / s.
  [[nodiscard]] float scale(std::size_t token) const noexcept { return scales_[token]; }

 private:
  std::size_t columns_ = 0;
  std::size_t padded_ = 0;
  bool keep_dense_ = false;
  bool quantize_ = false;
  AlignedArray<float> dense_;            // [tokens, columns_]
  AlignedArray<std::int8_t> quantized_;  // [tokens, padded_]
  std::vector<std::int32_t> sums_;       // of quantized_, [tokens]
  std::vector<float> scales_;            // [tokens]
};

/// Tokens whose products are in a panel's scratch at a time: the tiles of every kernel table divide
/// it, and its int32 and float results stay in the first-level cache.
inline constexpr std::size_t kPanelTokens = 96;

/// The scratch of one thread.
class PanelScratch {
 public:
  /// For matrices of at most `columns` columns.
  explicit PanelScratch(std::size_t columns);

  std::int32_t* products() noexcept { return products_.get(); }
  float* row() noexcept { return row_.get(); }
  float* first() noexcept { return first_.get(); }
  float* second() noexcept { return second_.get(); }

 private:
  AlignedArray<std::int32_t> products_;  // [kPanelTokens, kPanelRows]
  AlignedArray<float> row_;              // [columns]: of a dense matrix, widened
  AlignedArray<float> first_;            // [kPanelTokens, kPanelRows]
  AlignedArray<float> second_;           // [kPanelTokens, kPanelRows]
};

/// What runs a linear layer. Everything outlives it.
struct LinearContext {
  const kernels::KernelTable& kernels;
  ThreadTeam& team;
  std::span<PanelScratch> scratch;  // one for each thread of the team
};

/// One matrix of a step and what it multiplies.
struct Product {
  const Linear* linear;
  const LinearInput* input;
  float* out;  // [tokens, linear->rows]
};

/// out = W x for each of the products, in one parallel step. Their inputs are equally wide.
void Multiply(std::span<const Product> products, std::size_t tokens, const LinearContext& context);

/// out += W x.
void MultiplyAdd(const Product& product, std::size_t tokens, const LinearContext& context);

/// out = activation(gate x) * (up x'), [tokens, gate.rows]; x and x' are equally wide.
struct GatedProduct {
  const Linear* gate;
  const LinearInput* gate_input;
  const Linear* up;
  const LinearInput* up_input;
  Activation activation;
  float* out;
};
void MultiplyGated(const GatedProduct& product, std::size_t tokens, const LinearContext& context);

}  // namespace sworn::llm
