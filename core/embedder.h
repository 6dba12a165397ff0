// The ports through which texts become vectors: Embedder reads a text (a model);
// TermEmbedder is fitted to a collection and reads the rows of its index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/term_rows.h"

namespace sworn {

/// What a vector must carry to be comparable with another one. Two vectors may meet in one index
/// only if their identities have the same digest.
struct EmbedderIdentity {
  std::string name;             // "lsa", or a model's id
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

/// Immutable after construction and safe to share between threads.
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

/// Embeds passages by the terms of their index rows, in a space that was fitted to one collection.
/// Immutable and safe to share between threads.
class TermEmbedder {
 public:
  virtual ~TermEmbedder() = default;

  /// state_sha256 is that of the bytes Fit gave.
  [[nodiscard]] virtual const EmbedderIdentity& identity() const = 0;

  /// Row-major [rows.size(), dimension], unit norm each or all zeros; the same bits for any batch.
  [[nodiscard]] virtual std::vector<float> Embed(const TermRows& rows) const = 0;
};

/// Makes TermEmbedders. Immutable and safe to share between threads.
class TermEmbedderFactory {
 public:
  virtual ~TermEmbedderFactory() = default;

  /// What every embedder of it has in common; state_sha256 is empty.
  [[nodiscard]] virtual const EmbedderIdentity& identity() const = 0;

  /// The state, as bytes that a generation stores; nothing when the rows are too few to fit
  /// anything. `rows` are all of the collection, or of a large one a random part. The same rows and
  /// seed give the same bytes on one machine.
  [[nodiscard]] virtual std::optional<std::string> Fit(const TermRows& rows,
                                                       std::uint64_t seed) const = 0;

  /// `state` outlives the embedder, which may read it where it lies (a mapped file, 8-byte
  /// aligned). Throws kIntegrity unless it is what Fit gives.
  [[nodiscard]] virtual std::unique_ptr<const TermEmbedder> Load(std::string_view state) const = 0;
};

/// What makes the vectors of a collection. Never null.
using VectorSource = std::variant<const Embedder*, const TermEmbedderFactory*>;

/// Of a fitted source, what all its states have in common.
const EmbedderIdentity& IdentityOf(const VectorSource& source);

}  // namespace sworn
