#include "llm/embed/encoder_embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "llm/embed/batching.h"

namespace sworn::llm {
namespace {

// Of one run through the layers: enough for all threads, and the activations stay in the cache.
constexpr std::size_t kBatchTokens = 768;

// Of the vector leg's score in the fused one. Encoders of this family and BM25 are about equally
// good by themselves on the collections that their authors published.
constexpr double kFusionWeight = 0.5;

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f") == std::string_view::npos;
}

Pooling CheckedPooling(const std::string& name) {
  const auto pooling = PoolingByName(name);
  if (!pooling) {
    throw Error(ErrorCode::kInvalidArgument,
                "an encoder is pooled by 'mean' or 'cls', not '" + name + "'");
  }
  return *pooling;
}

}  // namespace

EncoderEmbedder::EncoderEmbedder(const std::string& id, const std::string& sha256,
                                 std::shared_ptr<const EncoderModel> model, ThreadTeam& team,
                                 const EmbeddingSettings& settings)
    : model_(std::move(model)),
      pooling_(CheckedPooling(settings.pooling)),
      encoder_(*model_, team) {
  identity_.name = id;
  identity_.version = "encoder/1";
  identity_.dimension = static_cast<std::uint32_t>(model_->config().hidden);
  identity_.state_sha256 = sha256;
  identity_.query_prefix = settings.query_prefix;
  identity_.passage_prefix = settings.passage_prefix;
  identity_.pooling = PoolingName(pooling_);
  identity_.fusion_weight = kFusionWeight;
}

std::vector<float> EncoderEmbedder::EmbedQuery(std::string_view text) const {
  return Embed(std::span(&text, 1), identity_.query_prefix);
}

std::vector<float> EncoderEmbedder::EmbedPassages(std::span<const std::string_view> texts) const {
  return Embed(texts, identity_.passage_prefix);
}

std::vector<float> EncoderEmbedder::Embed(std::span<const std::string_view> texts,
                                          const std::string& prefix) const {
  const std::size_t dimension = identity_.dimension;
  std::vector<float> out(texts.size() * dimension);
  std::vector<std::size_t> rows;  // of the texts that are not blank
  std::vector<std::vector<Token>> tokens;
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (IsBlank(texts[i])) continue;
    rows.push_back(i);
    tokens.push_back(model_->Encode(prefix + std::string(texts[i])));
    lengths.push_back(tokens.back().size());
  }
  const CancelFlag cancel;
  const std::lock_guard lock(mutex_);
  for (const std::vector<std::size_t>& batch : PackBatches(lengths, kBatchTokens)) {
    std::vector<Token> packed;
    std::vector<std::size_t> ends;
    for (const std::size_t index : batch) {
      packed.insert(packed.end(), tokens[index].begin(), tokens[index].end());
      ends.push_back(packed.size());
    }
    const std::span<const float> states = encoder_.Run(packed, ends, cancel);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Pool(states.subspan(begin * dimension, (ends[i] - begin) * dimension),
           out.data() + rows[batch[i]] * dimension);
      begin = ends[i];
    }
  }
  return out;
}

void EncoderEmbedder::Pool(std::span<const float> states, float* out) const {
  const std::size_t dimension = identity_.dimension;
  const kernels::KernelTable& kernels = model_->kernels();
  std::copy_n(states.data(), dimension, out);
  if (pooling_ == Pooling::kMean) {
    // The length of the sum does not matter: it is normalised.
    for (std::size_t at = dimension; at < states.size(); at += dimension) {
      kernels.add(out, states.data() + at, dimension);
    }
  }
  float square = 0;
  kernels.dot(out, dimension, out, dimension, 1, &square, 1);
  if (!std::isfinite(square)) {
    throw Error(ErrorCode::kIntegrity,
                "model '" + identity_.name + "' gave a vector that is not finite");
  }
  if (square == 0) return;
  const float scale = 1.0F / std::sqrt(square);
  for (std::size_t d = 0; d < dimension; ++d) out[d] *= scale;
}

}  // namespace sworn::llm
