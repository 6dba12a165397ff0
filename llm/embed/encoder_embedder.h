// An embedder of BERT's family: texts to unit vectors by an encoder and the pooling that it was
// trained with.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedder.h"
#include "llm/embed/embedding_settings.h"
#include "llm/graph/encoder.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// Thread-safe: calls wait for each other, because each takes the whole team. A vector depends on
/// its text alone: the same bits for any batch, number of threads and kernel table.
class EncoderEmbedder final : public Embedder {
 public:
  /// `id` is the name that a collection remembers, `sha256` that of the weights. Throws
  /// kInvalidArgument for a pooling other than "mean" and "cls". `team` outlives it.
  EncoderEmbedder(const std::string& id, const std::string& sha256,
                  std::shared_ptr<const EncoderModel> model, ThreadTeam& team,
                  const EmbeddingSettings& settings);

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }

  /// A text longer than the model's positions counts with its beginning. A text of white space
  /// gives zeros. Throws kIntegrity where the model's weights give what is no number, and
  /// kInvalidArgument for text that is no valid UTF-8.
  [[nodiscard]] std::vector<float> EmbedQuery(std::string_view text) const override;
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override;

 private:
  std::vector<float> Embed(std::span<const std::string_view> texts,
                           const std::string& prefix) const;
  void Pool(std::span<const float> states, float* out) const;

  EmbedderIdentity identity_;
  std::shared_ptr<const EncoderModel> model_;
  Pooling pooling_;
  mutable std::mutex mutex_;  // guards encoder_
  mutable Encoder encoder_;
};

}  // namespace sworn::llm
