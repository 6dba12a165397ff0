// The port through which texts become vectors. Implementations: core/hashing_embedder (no weights);
// later ones run a model or are fitted to a collection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn {

/// What a vector must carry to be comparable with another one. Two vectors may meet in one index
/// only if their identities have the same digest.
struct EmbedderIdentity {
  std::string name;             // "hashing"
  std::string version;          // of the algorithm
  std::uint32_t dimension = 0;  // floats per vector
  std::string state_sha256;     // of the weights or the fitted state; empty where there is neither
  std::string query_prefix;     // put before a question
  std::string passage_prefix;   // put before a passage
  std::string pooling;          // "mean", "last", "none"
  std::string storage = "f32";  // how the vector is stored
  double fusion_weight = 0;     // share of the vector leg in the fused score, measured per embedder

  /// SHA-256 (hex) over all fields in a fixed order.
  [[nodiscard]] std::string Digest() const;
};

/// What the vector of a passage is made of, when it is first indexed and when it is embedded again:
/// the passage with what gives it context, a line each, empty parts left out.
std::string EmbeddingText(std::string_view title, std::string_view heading, std::string_view text);

/// Immutable after construction (or Fit) and safe to share between threads.
class Embedder {
 public:
  virtual ~Embedder() = default;

  [[nodiscard]] virtual const EmbedderIdentity& identity() const = 0;

  /// One unit-norm vector of identity().dimension floats, or all zeros when the text has no
  /// feature.
  [[nodiscard]] virtual std::vector<float> EmbedQuery(std::string_view text) const = 0;

  /// Row-major [texts.size(), dimension], each row as above; the same bits for any batch.
  [[nodiscard]] virtual std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const = 0;
};

/// An embedder whose state is made from a collection and kept as a file of the generation.
class FittableEmbedder : public Embedder {
 public:
  /// A fitted embedder, its state as bytes that a generation stores. The same sample and seed give
  /// the same bytes.
  struct Fitted {
    std::unique_ptr<Embedder> embedder;
    std::string state;
  };
  [[nodiscard]] virtual Fitted Fit(std::span<const std::string_view> sample,
                                   std::uint64_t seed) const = 0;
};

}  // namespace sworn
