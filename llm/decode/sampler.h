// Chooses the next token from the best logits. Deterministic for a seed; arithmetic in double in a
// fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/generator.h"
#include "llm/graph/output_head.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// Of one generation; not thread-safe.
class Sampler {
 public:
  /// Throws what CheckSampler throws.
  explicit Sampler(const SamplerOptions& options);

  /// How many of the largest logits Choose needs so that it decides as it would from all of them:
  /// top_k and the tokens whose logits the repeat penalty may lower.
  [[nodiscard]] std::size_t candidates() const;

  /// Greedy: the largest after the penalty, ties to the smaller id; consumes no random number.
  /// Otherwise, in this order: repeat penalty, temperature, top_k, softmax, top_p, min_p, one draw.
  /// `logits` is not empty; it may be fewer than candidates() where a constraint leaves fewer.
  Token Choose(std::span<const TokenLogit> logits);

  /// `token` is now part of the text (of the prompt or the answer).
  void Accept(Token token);

 private:
  SamplerOptions options_;
  std::uint64_t random_[4];  // xoshiro256**, seeded by splitmix64
  std::deque<Token> window_;
};

}  // namespace sworn::llm
