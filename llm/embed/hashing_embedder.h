// An embedder without weights: hashed words and character n-grams.
//
// Feature hashing as in Weinberger et al., "Feature Hashing for Large Scale Multitask Learning"
// (2009). It finds spelling variants that stemming misses and little else, which its fusion weight
// says; it is the vector leg until a collection has a better one.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/embedder.h"

namespace sworn::llm {

/// Immutable, thread-safe, and the same bits on every machine: features are integers, sums run in
/// the order of the features' hashes.
class HashingEmbedder : public Embedder {
 public:
  static constexpr std::uint32_t kDimension = 256;

  HashingEmbedder();

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::vector<float> EmbedQuery(std::string_view text) const override;
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override;

 private:
  EmbedderIdentity identity_;
};

}  // namespace sworn::llm
