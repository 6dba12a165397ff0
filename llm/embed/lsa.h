// Latent semantic analysis: an embedder without weights, fitted to the passages of one collection.
//
// Deerwester et al., "Indexing by Latent Semantic Analysis" (1990), with log-entropy weights
// (Dumais 1991) and the randomised SVD of Halko, Martinsson and Tropp (2011). A passage's vector is
// x V, x its weighted row and V the right singular vectors, without division by the singular
// values, at unit norm. Method and figures: docs/retrieval.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/embedder.h"

namespace sworn::llm {

/// Fit sets OpenBLAS to one thread for the whole process: its own threads share the work, and the
/// state does not depend on their number. On another processor OpenBLAS may round otherwise and
/// the state differ a little; what a given state embeds to has the same bits everywhere.
class LsaFactory : public TermEmbedderFactory {
 public:
  /// Floats per vector; a smaller space is padded with zeros.
  static constexpr std::uint32_t kDimension = 384;
  /// Below, nothing is fitted.
  static constexpr std::size_t kMinPassages = 20;

  /// `threads` for Fit, the caller's included; at least 1.
  explicit LsaFactory(std::size_t threads);

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }

  /// Nothing for fewer than kMinPassages rows, nor where no term stands in two of them. A word
  /// that is not in two of the rows gets no direction.
  [[nodiscard]] std::optional<std::string> Fit(const TermRows& rows,
                                               std::uint64_t seed) const override;

  [[nodiscard]] std::unique_ptr<const TermEmbedder> Load(std::string_view state) const override;

 private:
  std::size_t threads_;
  EmbedderIdentity identity_;
};

}  // namespace sworn::llm
