#include "llm/graph/transformer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "llm/files/dequantize.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/attention.h"
#include "llm/graph/linear.h"
#include "llm/graph/rope.h"
#include "llm/graph/weights.h"

namespace sworn::llm {
namespace {

// Tokens that go through all layers together: enough to make reading the weights cheap, few enough
// that their activations stay in the caches.
constexpr std::size_t kBlockTokens = 3 * kPanelTokens;

// Rows of the mapped embedding that are read before its pages are let go: the kernel maps what is
// cached around each, some hundred KiB.
constexpr std::size_t kMappedRows = 32;

std::size_t WidestInput(const ModelConfig& config) {
  return std::max({config.hidden, config.attention_width(), config.ffn});
}

}  // namespace

struct Transformer::Impl {
  Impl(const Model& model, ThreadTeam& thread_team);

  void CheckTokens(std::span<const Token> tokens, std::size_t want) const;
  /// Positions of `tokens` from `position` on; the last `want` of them come out of the last layer.
  void RunBlock(std::span<const Token> tokens, std::size_t position, std::size_t want,
                KvCache& cache, const CancelFlag& cancel);
  void Embed(std::span<const Token> tokens, std::size_t position);
  void RunLayer(std::size_t index, std::size_t tokens, std::size_t position, std::size_t skip,
                KvCache& cache);
  /// input = rms(rows) * norm, or the rows themselves without a norm, for tokens from `first` on.
  void PrepareInput(const float* rows, std::size_t columns, const std::vector<float>& norm,
                    std::initializer_list<const Linear*> readers, std::size_t first,
                    std::size_t tokens);

  const ModelConfig& config;
  const ModelFile& file;
  const Weights& weights;
  const kernels::KernelTable& kernels;
  ThreadTeam& team;

  RopeTable rope;
  LinearInput input;
  std::vector<PanelScratch> panel_scratch;
  std::vector<AttentionScratch> attention_scratch;
  std::vector<AlignedArray<float>> row_scratch;  // a row of the widest input for each thread

  AlignedArray<float> residual;   // [kBlockTokens, hidden]
  AlignedArray<float> queries;    // [kBlockTokens, heads * head_dim]
  AlignedArray<float> keys;       // [kBlockTokens, kv_heads * head_dim]
  AlignedArray<float> values;     // [kBlockTokens, kv_heads * head_dim]
  AlignedArray<float> attention;  // [kBlockTokens, heads * head_dim]
  AlignedArray<float> ffn;        // [kBlockTokens, ffn]
  std::vector<float> hidden;      // [want, hidden]: what Forward returns
  std::size_t mapped_rows = 0;    // of the embedding, read since its pages were let go
};

Transformer::Impl::Impl(const Model& model, ThreadTeam& thread_team)
    : config(model.config()),
      file(model.file()),
      weights(model.weights()),
      kernels(model.kernels()),
      team(thread_team),
      rope(config, kBlockTokens),
      input(kBlockTokens, WidestInput(config)),
      residual(MakeAlignedArray<float>(kBlockTokens * config.hidden)),
      queries(MakeAlignedArray<float>(kBlockTokens * config.attention_width())),
      keys(MakeAlignedArray<float>(kBlockTokens * config.kv_width())),
      values(MakeAlignedArray<float>(kBlockTokens * config.kv_width())),
      attention(MakeAlignedArray<float>(kBlockTokens * config.attention_width())),
      ffn(MakeAlignedArray<float>(kBlockTokens * config.ffn)) {
  for (std::size_t thread = 0; thread < team.size(); ++thread) {
    panel_scratch.emplace_back(WidestInput(config));
    attention_scratch.emplace_back(config);
    row_scratch.push_back(MakeAlignedArray<float>(WidestInput(config)));
  }
}

void Transformer::Impl::CheckTokens(std::span<const Token> tokens, std::size_t want) const {
  if (want > tokens.size()) {
    throw Error(ErrorCode::kInvalidArgument, "more hidden states wanted than there are tokens");
  }
  for (const Token token : tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= config.vocabulary) {
      throw Error(ErrorCode::kInvalidArgument, "token " + std::to_string(token) +
                                                   " is not in the vocabulary of " +
                                                   std::to_string(config.vocabulary));
    }
  }
}

void Transformer::Impl::Embed(std::span<const Token> tokens, std::size_t position) {
  for (std::size_t begin = 0; begin < tokens.size(); begin += kMappedRows) {
    const std::size_t count = std::min(kMappedRows, tokens.size() - begin);
    team.For(count, [&](std::size_t item, std::size_t) {
      const std::size_t t = begin + item;
      WidenRow(*weights.embedding, static_cast<std::size_t>(tokens[t]), kernels,
               residual.get() + t * config.hidden);
      rope.Set(t, position + t);
    });
    mapped_rows += count;
    if (mapped_rows < kMappedRows) continue;
    file.Release(*weights.embedding);
    mapped_rows = 0;
  }
}

void Transformer::Impl::PrepareInput(const float* rows, std::size_t columns,
                                     const std::vector<float>& norm,
                                     std::initializer_list<const Linear*> readers,
                                     std::size_t first, std::size_t tokens) {
  const auto is_ternary = [](const Linear* linear) { return linear->ternary(); };
  input.Begin(columns, std::any_of(readers.begin(), readers.end(), is_ternary),
              !std::all_of(readers.begin(), readers.end(), is_ternary));
  team.For(tokens - first, [&](std::size_t item, std::size_t thread) {
    const std::size_t t = first + item;
    const float* row = rows + t * columns;
    float* normed = input.Row(t, row_scratch[thread].get());
    if (norm.empty()) {
      std::copy_n(row, columns, normed);
    } else {
      kernels.rms_norm(row, norm.data(), columns, config.norm_epsilon, normed);
    }
    input.Finish(t, normed, kernels);
  });
}

void Transformer::Impl::RunLayer(std::size_t index, std::size_t tokens, std::size_t position,
                                 std::size_t skip, KvCache& cache) {
  const LayerWeights& layer = weights.layers[index];
  const LinearContext context{.kernels = kernels, .team = team, .scratch = panel_scratch};

  PrepareInput(residual.get(), config.hidden, layer.attention_norm,
               {&layer.query, &layer.key, &layer.value}, 0, tokens);
  const Product products[] = {{&layer.query, skip, queries.get()},
                              {&layer.key, 0, keys.get()},
                              {&layer.value, 0, values.get()}};
  Multiply(products, input, tokens, context);
  const AttentionStep attend(config, kernels, rope, attention_scratch);
  attend.Run({.layer = index,
              .first_position = position,
              .tokens = tokens,
              .first_query = skip,
              .queries = queries.get(),
              .keys = keys.get(),
              .values = values.get(),
              .out = attention.get()},
             cache, team);
  if (skip == tokens) return;
  PrepareInput(attention.get(), config.attention_width(), layer.attention_sub_norm, {&layer.output},
               skip, tokens);
  MultiplyAdd({&layer.output, skip, residual.get()}, input, tokens, context);

  PrepareInput(residual.get(), config.hidden, layer.ffn_norm, {&layer.gate, &layer.up}, skip,
               tokens);
  MultiplyGated(layer.gate, layer.up, config.activation, skip, input, tokens, ffn.get(), context);
  PrepareInput(ffn.get(), config.ffn, layer.ffn_sub_norm, {&layer.down}, skip, tokens);
  MultiplyAdd({&layer.down, skip, residual.get()}, input, tokens, context);
}

void Transformer::Impl::RunBlock(std::span<const Token> tokens, std::size_t position,
                                 std::size_t want, KvCache& cache, const CancelFlag& cancel) {
  Embed(tokens, position);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    cancel.ThrowIfCancelled();
    // Nobody reads what the last layer makes of the other tokens, only their keys and values.
    const std::size_t skip = layer + 1 == config.layers ? tokens.size() - want : 0;
    RunLayer(layer, tokens.size(), position, skip, cache);
  }
  for (std::size_t t = tokens.size() - want; t < tokens.size(); ++t) {
    const std::size_t end = hidden.size();
    hidden.resize(end + config.hidden);
    kernels.rms_norm(residual.get() + t * config.hidden, weights.output_norm.data(), config.hidden,
                     config.norm_epsilon, hidden.data() + end);
  }
}

Transformer::Transformer(const Model& model, ThreadTeam& team)
    : impl_(std::make_unique<Impl>(model, team)) {}

Transformer::~Transformer() = default;

std::span<const float> Transformer::Forward(std::span<const Token> tokens, std::size_t want,
                                            KvCache& cache, const CancelFlag& cancel) {
  impl_->CheckTokens(tokens, want);
  cache.Reserve(tokens.size());
  impl_->hidden.clear();
  impl_->hidden.reserve(want * impl_->config.hidden);
  for (std::size_t begin = 0; begin < tokens.size(); begin += kBlockTokens) {
    const std::size_t count = std::min(kBlockTokens, tokens.size() - begin);
    const std::size_t behind = tokens.size() - begin - count;
    const std::size_t block_want = want > behind ? std::min(want - behind, count) : 0;
    impl_->RunBlock(tokens.subspan(begin, count), cache.length() + begin, block_want, cache,
                    cancel);
  }
  cache.Advance(tokens.size());
  return impl_->hidden;
}

}  // namespace sworn::llm
