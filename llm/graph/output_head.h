// From hidden states to logits: all of them, or exactly the best few for a fraction of the memory
// traffic.
//
// A logit is kernels::dot of the row of the output matrix, widened to float, and the hidden state.
// Best() reads a coarse copy of the matrix first (a 4-bit plane, then a 2-bit plane of the rows
// that could still matter), bounds what the true logit can be by the Cauchy-Schwarz inequality and
// computes only the logits that could be among the best. So it gives the same tokens and the same
// bits as sorting Logits().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/model_file.h"
#include "llm/graph/thread_team.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

struct TokenLogit {
  Token token = 0;
  float logit = 0;

  friend bool operator==(const TokenLogit&, const TokenLogit&) = default;
};

/// The order of Best: largest logit first, ties to the smaller id; what is no number (a damaged
/// model) counts as the smallest.
bool Precedes(const TokenLogit& a, const TokenLogit& b) noexcept;

/// Immutable; safe to share between threads.
class OutputHead {
 public:
  /// `matrix` is [vocabulary, hidden], of a type that WidenRow reads; it stays mapped and its rows
  /// are read when they are needed. The coarse copy is made on the threads of `team`. `file` and
  /// `kernels` must outlive the head. Throws kIntegrity for a shape that cannot be and
  /// kUnsupportedMedia for another type.
  OutputHead(const ModelFile& file, const TensorView& matrix, const kernels::KernelTable& kernels,
             ThreadTeam& team);
  ~OutputHead();

  [[nodiscard]] std::size_t vocabulary() const noexcept;

  /// out is [rows, vocabulary]; hidden is [rows, hidden].
  void Logits(std::span<const float> hidden, std::size_t rows, ThreadTeam& team, float* out) const;

  /// The logits of `tokens` for one hidden state, in their order.
  void LogitsOf(std::span<const float> hidden, std::span<const Token> tokens, float* out) const;

  /// For each of `rows` hidden states the `count` largest logits, largest first, ties to the
  /// smaller id. The coarse copy is read once for all rows.
  [[nodiscard]] std::vector<std::vector<TokenLogit>> Best(std::span<const float> hidden,
                                                          std::size_t rows, std::size_t count,
                                                          ThreadTeam& team) const;

  /// Bytes of the coarse copy.
  [[nodiscard]] std::size_t coarse_bytes() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace sworn::llm
