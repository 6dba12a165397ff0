#include "llm/graph/layer_stack.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "llm/files/dequantize.h"
#include "llm/graph/weights.h"

namespace sworn::llm {
namespace {

// Rows of the mapped embedding that are read before its pages are let go: the kernel maps what is
// cached around each, some hundred KiB.
constexpr std::size_t kMappedRows = 32;

std::size_t WidestInput(const ModelConfig& config) {
  return std::max({config.hidden, config.attention_width(), config.ffn});
}

}  // namespace

LayerStack::LayerStack(const Model& model, ThreadTeam& team, std::size_t block_tokens, Keeps keeps)
    : config_(model.config()),
      file_(model.file()),
      weights_(model.weights()),
      kernels_(model.kernels()),
      team_(team),
      keeps_(keeps),
      rope_(config_.head_dim, config_.rope_theta, block_tokens),
      local_rope_(config_.head_dim, config_.local_rope_theta,
                  config_.local_layers.empty() ? 0 : block_tokens),
      inputs_{LinearInput(block_tokens, WidestInput(config_)),
              LinearInput(config_.projection_norms ? block_tokens : 0, config_.hidden),
              LinearInput(config_.projection_norms ? block_tokens : 0, config_.hidden)},
      residual_(MakeAlignedArray<float>(block_tokens * config_.hidden)),
      queries_(MakeAlignedArray<float>(block_tokens * config_.attention_width())),
      keys_(MakeAlignedArray<float>(block_tokens * config_.kv_width())),
      values_(MakeAlignedArray<float>(block_tokens * config_.kv_width())),
      attention_(MakeAlignedArray<float>(block_tokens * config_.attention_width())),
      ffn_(MakeAlignedArray<float>(block_tokens * config_.ffn)),
      product_(MakeAlignedArray<float>(config_.post_norms ? block_tokens * config_.hidden : 0)) {
  for (std::size_t thread = 0; thread < team.size(); ++thread) {
    panel_scratch_.emplace_back(WidestInput(config_));
    attention_scratch_.emplace_back(config_);
    row_scratch_.push_back(MakeAlignedArray<float>(2 * WidestInput(config_)));
  }
}

void LayerStack::CheckTokens(std::span<const Token> tokens) const {
  for (const Token token : tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= config_.vocabulary) {
      throw Error(ErrorCode::kInvalidArgument, "token " + std::to_string(token) +
                                                   " is not in the vocabulary of " +
                                                   std::to_string(config_.vocabulary));
    }
  }
}

void LayerStack::EmbedSome(std::span<const Token> tokens, std::size_t first) {
  for (std::size_t begin = 0; begin < tokens.size(); begin += kMappedRows) {
    const std::size_t count = std::min(kMappedRows, tokens.size() - begin);
    team_.For(count, [&](std::size_t item, std::size_t) {
      const std::size_t t = begin + item;
      float* const row = residual_.get() + (first + t) * config_.hidden;
      WidenRow(*weights_.embedding, static_cast<std::size_t>(tokens[t]), kernels_, row);
      if (config_.embedding_scale == 1) return;
      for (std::size_t i = 0; i < config_.hidden; ++i) row[i] *= config_.embedding_scale;
    });
    mapped_rows_ += count;
    if (mapped_rows_ < kMappedRows) continue;
    file_.Release(*weights_.embedding);
    mapped_rows_ = 0;
  }
}

void LayerStack::Embed(std::span<const BlockSequence> sequences, std::size_t position) {
  sequences_.clear();
  tokens_ = 0;
  wanted_ = 0;
  std::size_t longest = 0;
  for (const BlockSequence& sequence : sequences) {
    EmbedSome(sequence.tokens, tokens_);
    sequences_.push_back({.first_token = tokens_,
                          .tokens = sequence.tokens.size(),
                          .wanted = sequence.tokens.size(),
                          .first_row = tokens_,
                          .cache = sequence.cache});
    tokens_ += sequence.tokens.size();
    longest = std::max(longest, sequence.tokens.size());
  }
  wanted_ = tokens_;
  team_.For(longest, [&](std::size_t row, std::size_t) {
    rope_.Set(row, position + row);
    if (!config_.local_layers.empty()) local_rope_.Set(row, position + row);
  });
}

void LayerStack::PrepareInputs(const float* rows, std::size_t columns,
                               const std::vector<float>& norm, Readers readers,
                               std::size_t tokens) {
  const auto is_ternary = [](const Linear* linear) { return linear->ternary(); };
  const bool quantized = std::any_of(readers.begin(), readers.end(), is_ternary);
  const bool dense = !std::all_of(readers.begin(), readers.end(), is_ternary);
  const std::size_t inputs = config_.projection_norms ? readers.size() : 1;
  for (std::size_t i = 0; i < inputs; ++i) inputs_[i].Begin(columns, quantized, dense);
  team_.For(tokens, [&](std::size_t t, std::size_t thread) {
    const float* row = rows + t * columns;
    float* const spare = row_scratch_[thread].get();
    float* const normed = config_.projection_norms ? spare : inputs_[0].Row(t, spare);
    if (!norm.empty()) {
      kernels_.rms_norm(row, norm.data(), columns, config_.norm_epsilon, normed);
      row = normed;
    }
    if (!config_.projection_norms) {
      if (row != normed) std::copy_n(row, columns, normed);
      inputs_[0].Finish(t, normed, kernels_);
      return;
    }
    for (std::size_t i = 0; i < inputs; ++i) {
      float* const own = inputs_[i].Row(t, spare + columns);
      kernels_.rms_norm(row, readers.begin()[i]->norm.data(), columns, config_.norm_epsilon, own);
      inputs_[i].Finish(t, own, kernels_);
    }
  });
}

const LinearInput* LayerStack::InputOf(std::size_t index) const noexcept {
  return &inputs_[config_.projection_norms ? index : 0];
}

void LayerStack::AddProduct(const Linear& linear, const std::vector<float>& norm,
                            std::size_t tokens) {
  const LinearContext context{.kernels = kernels_, .team = team_, .scratch = panel_scratch_};
  if (norm.empty()) {
    MultiplyAdd({&linear, InputOf(0), residual_.get()}, tokens, context);
    return;
  }
  const Product products[] = {{&linear, InputOf(0), product_.get()}};
  Multiply(products, tokens, context);
  team_.For(tokens, [&](std::size_t t, std::size_t) {
    float* const row = product_.get() + t * config_.hidden;
    kernels_.rms_norm(row, norm.data(), config_.hidden, config_.norm_epsilon, row);
    kernels_.add(residual_.get() + t * config_.hidden, row, config_.hidden);
  });
}

void LayerStack::KeepWanted() {
  for (const AttentionStep::Sequence& sequence : sequences_) {
    const std::size_t first = sequence.first_token + sequence.tokens - sequence.wanted;
    float* const to = residual_.get() + sequence.first_row * config_.hidden;
    const float* const from = residual_.get() + first * config_.hidden;
    if (to != from) std::copy_n(from, sequence.wanted * config_.hidden, to);
  }
}

void LayerStack::Attend(std::size_t index, std::size_t position) {
  const LayerWeights& layer = weights_.layers[index];
  const LinearContext context{.kernels = kernels_, .team = team_, .scratch = panel_scratch_};
  if (wanted_ == tokens_) {
    PrepareInputs(residual_.get(), config_.hidden, layer.attention_norm,
                  {&layer.query, &layer.key, &layer.value}, tokens_);
    const Product products[] = {{&layer.query, InputOf(0), queries_.get()},
                                {&layer.key, InputOf(1), keys_.get()},
                                {&layer.value, InputOf(2), values_.get()}};
    Multiply(products, tokens_, context);
  } else {
    // Nobody reads what the last layer makes of the other tokens, only their keys and values.
    PrepareInputs(residual_.get(), config_.hidden, layer.attention_norm, {&layer.key, &layer.value},
                  tokens_);
    const Product products[] = {{&layer.key, InputOf(0), keys_.get()},
                                {&layer.value, InputOf(1), values_.get()}};
    Multiply(products, tokens_, context);
    KeepWanted();
    PrepareInputs(residual_.get(), config_.hidden, layer.attention_norm, {&layer.query}, wanted_);
    const Product query[] = {{&layer.query, InputOf(0), queries_.get()}};
    Multiply(query, wanted_, context);
  }
  const AttentionStep attend(config_, kernels_, attention_scratch_);
  attend.Run({.cache_layer = keeps_ == Keeps::kOneLayer ? 0 : index,
              .first_position = position,
              .sequences = sequences_,
              .weights = &layer,
              .rope = config_.is_local(index) ? &local_rope_ : &rope_,
              .queries = queries_.get(),
              .keys = keys_.get(),
              .values = values_.get(),
              .out = attention_.get()},
             team_);
}

void LayerStack::RunLayer(std::size_t index, std::size_t position) {
  const LayerWeights& layer = weights_.layers[index];
  const LinearContext context{.kernels = kernels_, .team = team_, .scratch = panel_scratch_};
  Attend(index, position);
  PrepareInputs(attention_.get(), config_.attention_width(), layer.attention_sub_norm,
                {&layer.output}, wanted_);
  AddProduct(layer.output, layer.attention_post_norm, wanted_);

  PrepareInputs(residual_.get(), config_.hidden, layer.ffn_norm, {&layer.gate, &layer.up}, wanted_);
  MultiplyGated({.gate = &layer.gate,
                 .gate_input = InputOf(0),
                 .up = &layer.up,
                 .up_input = InputOf(1),
                 .activation = config_.activation,
                 .out = ffn_.get()},
                wanted_, context);
  PrepareInputs(ffn_.get(), config_.ffn, layer.ffn_sub_norm, {&layer.down}, wanted_);
  AddProduct(layer.down, layer.ffn_post_norm, wanted_);
}

void LayerStack::Run(std::span<const BlockSequence> sequences, std::size_t position,
                     const CancelFlag& cancel, std::vector<float>& hidden) {
  Embed(sequences, position);
  for (std::size_t layer = 0; layer < config_.layers; ++layer) {
    cancel.ThrowIfCancelled();
    if (layer + 1 == config_.layers) {
      wanted_ = 0;
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        sequences_[i].wanted = sequences[i].want;
        sequences_[i].first_row = wanted_;
        wanted_ += sequences[i].want;
      }
    }
    RunLayer(layer, position);
  }
  const std::size_t before = hidden.size();
  hidden.resize(before + wanted_ * config_.hidden);
  for (std::size_t t = 0; t < wanted_; ++t) {
    kernels_.rms_norm(residual_.get() + t * config_.hidden, weights_.output_norm.data(),
                      config_.hidden, config_.norm_epsilon,
                      hidden.data() + before + t * config_.hidden);
  }
}

}  // namespace sworn::llm
