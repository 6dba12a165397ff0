// An embedder over a decoder of a BitNet embedding model (qwen3, gemma3): the hidden state of the
// token that ends the text, as a unit vector.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedder.h"
#include "llm/embed/vector_storage.h"
#include "llm/graph/model.h"
#include "llm/graph/sequence_encoder.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// Tokens of one text, of which the last is the end; what goes beyond is cut off.
inline constexpr std::size_t kMaxTextTokens = 2'048;

/// Tokens of one run through the layers: a multiple of the panels' tokens, enough to make reading
/// the weights cheap, few enough that the activations stay in the caches.
inline constexpr std::size_t kEmbedBatchTokens = 576;

struct DecoderEmbedderOptions {
  std::string id{};              // the name that a collection remembers
  std::string sha256{};          // of the weights
  std::string query_prefix{};    // an instruction, as the model's manifest has it
  std::string passage_prefix{};  // most models have none
  VectorStorage storage = VectorStorage::kF32;
};

/// Thread-safe: calls wait for each other, a question at most for one batch of passages. A vector
/// depends on its text alone: the same bits for any batch, order and number of threads and on
/// every kernel table.
class DecoderEmbedder final : public Embedder {
 public:
  /// `model` was loaded to embed; `team` outlives this. Throws kIntegrity if the file names no
  /// token that ends a text.
  DecoderEmbedder(std::shared_ptr<const Model> model, ThreadTeam& team,
                  const DecoderEmbedderOptions& options);

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }

  /// A text of white space gives zeros. Throws kInvalidArgument for text that is not valid UTF-8
  /// and kIntegrity where the weights give what is no number.
  [[nodiscard]] std::vector<float> EmbedQuery(std::string_view text) const override;
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override;

 private:
  [[nodiscard]] std::vector<float> Embed(std::span<const std::string_view> texts,
                                         const std::string& prefix) const;
  [[nodiscard]] std::vector<Token> Tokens(const std::string& text) const;
  void Finish(std::span<const float> state, std::span<float> vector) const;

  EmbedderIdentity identity_;
  std::shared_ptr<const Model> model_;
  VectorStorage storage_;
  std::size_t max_tokens_;
  Token end_;
  mutable std::mutex mutex_;  // guards encoder_
  mutable SequenceEncoder encoder_;
};

}  // namespace sworn::llm
