#include "llm/graph/transformer.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "llm/graph/layer_stack.h"

namespace sworn::llm {
namespace {

// Tokens that go through all layers together: enough to make reading the weights cheap, few enough
// that their activations stay in the caches.
constexpr std::size_t kBlockTokens = 3 * kPanelTokens;

}  // namespace

struct Transformer::Impl {
  Impl(const Model& model, ThreadTeam& team)
      : config(model.config()), stack(model, team, kBlockTokens, LayerStack::Keeps::kAllLayers) {}

  const ModelConfig& config;
  LayerStack stack;
  std::vector<float> hidden;  // [want, hidden]: what Forward returns
};

Transformer::Transformer(const Model& model, ThreadTeam& team)
    : impl_(std::make_unique<Impl>(model, team)) {}

Transformer::~Transformer() = default;

std::span<const float> Transformer::Forward(std::span<const Token> tokens, std::size_t want,
                                            KvCache& cache, const CancelFlag& cancel) {
  if (want > tokens.size()) {
    throw Error(ErrorCode::kInvalidArgument, "more hidden states wanted than there are tokens");
  }
  impl_->stack.CheckTokens(tokens);
  cache.Reserve(tokens.size());
  impl_->hidden.clear();
  impl_->hidden.reserve(want * impl_->config.hidden);
  for (std::size_t begin = 0; begin < tokens.size(); begin += kBlockTokens) {
    const std::size_t count = std::min(kBlockTokens, tokens.size() - begin);
    const std::size_t behind = tokens.size() - begin - count;
    const BlockSequence sequence{.tokens = tokens.subspan(begin, count),
                                 .want = want > behind ? std::min(want - behind, count) : 0,
                                 .cache = &cache};
    impl_->stack.Run({&sequence, 1}, cache.length() + begin, cancel, impl_->hidden);
  }
  cache.Advance(tokens.size());
  return impl_->hidden;
}

}  // namespace sworn::llm
