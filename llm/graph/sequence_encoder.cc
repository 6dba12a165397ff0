#include "llm/graph/sequence_encoder.h"

#include <deque>
#include <string>
#include <vector>

#include "core/error.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/layer_stack.h"

namespace sworn::llm {
namespace {

// Keys and values are those of one layer at a time.
ModelConfig OneLayer(ModelConfig config) {
  config.layers = 1;
  return config;
}

}  // namespace

struct SequenceEncoder::Impl {
  Impl(const Model& model, ThreadTeam& team, std::size_t tokens)
      : batch_tokens(tokens),
        cache_config(OneLayer(model.config())),
        stack(model, team, tokens, LayerStack::Keeps::kOneLayer) {}

  std::size_t batch_tokens;
  ModelConfig cache_config;
  LayerStack stack;
  std::deque<KvCache> caches;  // one for each sequence; their pages are kept from batch to batch
  std::vector<BlockSequence> block;
  std::vector<float> states;
};

SequenceEncoder::SequenceEncoder(const Model& model, ThreadTeam& team, std::size_t batch_tokens)
    : impl_(std::make_unique<Impl>(model, team, batch_tokens)) {}

SequenceEncoder::~SequenceEncoder() = default;

std::span<const float> SequenceEncoder::LastStates(
    std::span<const std::span<const Token>> sequences, const CancelFlag& cancel) {
  Impl& impl = *impl_;
  std::size_t tokens = 0;
  for (const std::span<const Token> sequence : sequences) {
    if (sequence.empty()) throw Error(ErrorCode::kInvalidArgument, "a sequence without tokens");
    impl.stack.CheckTokens(sequence);
    tokens += sequence.size();
  }
  if (tokens > impl.batch_tokens) {
    throw Error(ErrorCode::kTooLarge, "a batch of " + std::to_string(tokens) +
                                          " tokens; it holds " + std::to_string(impl.batch_tokens));
  }
  impl.states.clear();
  if (sequences.empty()) return impl.states;
  while (impl.caches.size() < sequences.size()) {
    impl.caches.emplace_back(impl.cache_config, impl.batch_tokens);
  }
  impl.block.clear();
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    impl.caches[i].Reserve(sequences[i].size());
    impl.block.push_back({.tokens = sequences[i], .want = 1, .cache = &impl.caches[i]});
  }
  impl.stack.Run(impl.block, 0, cancel, impl.states);
  return impl.states;
}

}  // namespace sworn::llm
