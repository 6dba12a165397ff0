#include "llm/graph/encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"
#include "kernels/panels.h"
#include "llm/files/dequantize.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/encoder_weights.h"
#include "llm/graph/linear.h"

namespace sworn::llm {
namespace {

using kernels::kAttentionBlock;
using kernels::kPanelRows;

/// One head's keys and values of a text, and what becomes of its queries.
struct HeadScratch {
  std::vector<std::uint16_t> row;     // [head_dim]
  std::vector<std::uint16_t> keys;    // [blocks, head_dim, kAttentionBlock]
  std::vector<std::uint16_t> values;  // [blocks, kAttentionBlock, head_dim]
  std::vector<float> queries;         // [tokens, head_dim]
  std::vector<float> accumulator;     // [tokens, head_dim]
  std::vector<float> max;             // [tokens]
  std::vector<float> sum;             // [tokens]
  std::vector<std::uint32_t> visible;

  void Reserve(std::size_t tokens, std::size_t dim) {
    if (max.size() >= tokens) return;
    const std::size_t padded = (tokens + kAttentionBlock - 1) / kAttentionBlock * kAttentionBlock;
    row.resize(dim);
    keys.resize(padded * dim);
    values.resize(padded * dim);
    queries.resize(tokens * dim);
    accumulator.resize(tokens * dim);
    max.resize(tokens);
    sum.resize(tokens);
    visible.resize(tokens);
  }
};

Token Marker(const Tokenizer& tokenizer, std::initializer_list<const char*> texts) {
  for (const char* const text : texts) {
    if (const auto token = tokenizer.Control(text)) return *token;
  }
  throw Error(ErrorCode::kIntegrity,
              "the tokenizer has no token '" + std::string(*texts.begin()) + "'");
}

}  // namespace

EncoderModel::EncoderModel() = default;
EncoderModel::~EncoderModel() = default;

std::shared_ptr<const EncoderModel> EncoderModel::Load(std::unique_ptr<ModelFile> file,
                                                       const kernels::KernelTable& kernels,
                                                       ThreadTeam& team) {
  const std::shared_ptr<EncoderModel> model(new EncoderModel);
  model->kernels_ = &kernels;
  model->config_ = ReadEncoderConfig(*file);
  model->tokenizer_ = LoadTokenizer(*file);
  if (model->tokenizer_->vocabulary() > model->config_.vocabulary) {
    throw Error(ErrorCode::kIntegrity,
                "the tokenizer has " + std::to_string(model->tokenizer_->vocabulary()) +
                    " tokens, the model only " + std::to_string(model->config_.vocabulary));
  }
  model->first_ = Marker(*model->tokenizer_, {"[CLS]", "<s>"});
  model->last_ = Marker(*model->tokenizer_, {"[SEP]", "</s>"});
  model->weights_ = std::make_unique<const EncoderWeights>(
      LoadEncoderWeights(*file, model->config_, kernels, team));
  model->file_ = std::move(file);
  return model;
}

std::vector<Token> EncoderModel::Encode(std::string_view text) const {
  std::vector<Token> tokens = tokenizer_->Encode(text);
  tokens.resize(std::min(tokens.size(), config_.positions - 2));
  tokens.insert(tokens.begin(), first_);
  tokens.push_back(last_);
  return tokens;
}

class Encoder::Impl {
 public:
  Impl(const EncoderModel& model, ThreadTeam& team)
      : config_(model.config()),
        weights_(model.weights()),
        kernels_(model.kernels()),
        team_(team),
        narrow_(0, 0),
        wide_(0, 0) {
    for (std::size_t i = 0; i < team.size(); ++i) {
      panels_.emplace_back(std::max(config_.hidden, config_.ffn));
    }
    heads_.resize(team.size());
  }

  std::span<const float> Run(std::span<const Token> tokens, std::span<const std::size_t> ends,
                             const CancelFlag& cancel) {
    Check(tokens, ends);
    tokens_ = tokens.size();
    ends_ = ends;
    Reserve();
    Embed(tokens);
    for (const EncoderLayer& layer : weights_.layers) {
      cancel.ThrowIfCancelled();
      RunLayer(layer);
    }
    return {x_.get(), tokens_ * config_.hidden};
  }

 private:
  void Check(std::span<const Token> tokens, std::span<const std::size_t> ends) const {
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      if (end <= begin || end - begin > config_.positions) {
        throw Error(ErrorCode::kInvalidArgument,
                    "a text of " + std::to_string(end > begin ? end - begin : 0) +
                        " tokens; an encoder reads 1 to " + std::to_string(config_.positions));
      }
      begin = end;
    }
    if (begin != tokens.size()) {
      throw Error(ErrorCode::kInvalidArgument, "the texts do not end where the tokens do");
    }
    for (const Token token : tokens) {
      if (token < 0 || static_cast<std::size_t>(token) >= config_.vocabulary) {
        throw Error(ErrorCode::kInvalidArgument,
                    "token " + std::to_string(token) + " is not in the vocabulary");
      }
    }
  }

  void Reserve() {
    if (tokens_ <= capacity_) return;
    capacity_ = tokens_;
    const std::size_t states = capacity_ * config_.hidden;
    for (auto* const buffer : {&x_, &queries_, &keys_, &values_, &change_}) {
      *buffer = MakeAlignedArray<float>(states);
    }
    inner_ = MakeAlignedArray<float>(capacity_ * config_.ffn);
    narrow_ = LinearInput(capacity_, config_.hidden);
    wide_ = LinearInput(capacity_, config_.ffn);
  }

  [[nodiscard]] float* State(const AlignedArray<float>& states, std::size_t token) const {
    return states.get() + token * config_.hidden;
  }

  /// Runs work(token) for every token.
  template <typename Work>
  void ForEachToken(const Work& work) {
    constexpr std::size_t kStep = 8;
    team_.For((tokens_ + kStep - 1) / kStep, [&](std::size_t item, std::size_t /*thread*/) {
      const std::size_t end = std::min(tokens_, (item + 1) * kStep);
      for (std::size_t t = item * kStep; t < end; ++t) work(t);
    });
  }

  /// Makes `row` the input of linear layers for `token`.
  void Feed(LinearInput& input, std::size_t token, float* row) {
    float* const place = input.Row(token, row);
    if (place != row) std::copy_n(row, input.columns(), place);
    input.Finish(token, place, kernels_);
  }

  void Embed(std::span<const Token> tokens) {
    std::vector<std::size_t> places(tokens_);
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      for (std::size_t t = begin; t < end; ++t) places[t] = t - begin + config_.position_offset;
      begin = end;
    }
    narrow_.Begin(config_.hidden, config_.int8, !config_.int8);
    ForEachToken([&](std::size_t t) {
      float* const x = State(x_, t);
      float* const other = State(change_, t);
      WidenRow(*weights_.words, static_cast<std::size_t>(tokens[t]), kernels_, x);
      kernels_.add(x, weights_.token_type.data(), config_.hidden);
      WidenRow(*weights_.positions, places[t], kernels_, other);
      kernels_.add(x, other, config_.hidden);
      Norm(weights_.embedding_norm, x);
      Feed(narrow_, t, x);
    });
  }

  void Norm(const LayerNormWeights& norm, float* x) const {
    kernels_.layer_norm(x, norm.weight.data(), norm.bias.data(), config_.hidden,
                        config_.norm_epsilon, x);
  }

  /// out[t] = W x[t] + bias for all of `products`, which read the same input.
  struct Product {
    const BiasedLinear* linear;
    float* out;  // [tokens, linear->rows]
  };
  void Multiply(std::span<const Product> products, const LinearInput& input, bool gelu) {
    std::size_t panels = 0;
    for (const Product& product : products) panels += product.linear->panel_count();
    const std::size_t pieces = (tokens_ + kPanelTokens - 1) / kPanelTokens;
    team_.For(pieces * panels, [&](std::size_t item, std::size_t thread) {
      std::size_t panel = item % panels;
      const Product* product = products.data();
      while (panel >= product->linear->panel_count()) {
        panel -= product->linear->panel_count();
        ++product;
      }
      const std::size_t first = item / panels * kPanelTokens;
      const std::size_t count = std::min(kPanelTokens, tokens_ - first);
      MultiplyPanel(*product, panel, input, first, count, gelu, panels_[thread]);
    });
  }

  void MultiplyPanel(const Product& product, std::size_t panel, const LinearInput& input,
                     std::size_t first, std::size_t count, bool gelu, PanelScratch& scratch) const {
    const BiasedLinear& linear = *product.linear;
    const std::size_t row = panel * kPanelRows;
    const std::size_t rows = std::min(kPanelRows, linear.rows - row);
    float* const out = product.out + first * linear.rows + row;
    if (linear.panels != nullptr) {
      kernels_.int8_panel(linear.panels.get() + panel * kernels::Int8PanelBytes(linear.columns),
                          input.padded(), input.quantized(first), input.padded(), input.sums(first),
                          count, scratch.products());
    } else {
      for (std::size_t r = 0; r < rows; ++r) {
        WidenRow(*linear.tensor, row + r, kernels_, scratch.row());
        kernels_.dot(scratch.row(), linear.columns, input.dense(first), linear.columns, count,
                     scratch.first() + r, kPanelRows);
      }
    }
    for (std::size_t t = 0; t < count; ++t) {
      float* const place = out + t * linear.rows;
      if (linear.panels != nullptr) {
        kernels_.scale_rows(scratch.products() + t * kPanelRows, rows,
                            1.0F / input.scale(first + t), linear.scales.data() + row,
                            linear.bias.data() + row, place);
      } else {
        std::copy_n(scratch.first() + t * kPanelRows, rows, place);
        kernels_.add(place, linear.bias.data() + row, rows);
      }
      if (gelu) kernels_.gelu(place, rows, place);
    }
  }

  void RunLayer(const EncoderLayer& layer) {
    const std::array<Product, 3> projections = {
        {{&layer.query, queries_.get()}, {&layer.key, keys_.get()}, {&layer.value, values_.get()}}};
    Multiply(projections, narrow_, false);
    Attend();
    narrow_.Begin(config_.hidden, config_.int8, !config_.int8);
    ForEachToken([&](std::size_t t) { Feed(narrow_, t, State(queries_, t)); });
    Multiply(std::array{Product{&layer.output, change_.get()}}, narrow_, false);
    AddAndNorm(layer.attention_norm);
    Multiply(std::array{Product{&layer.up, inner_.get()}}, narrow_, true);
    wide_.Begin(config_.ffn, config_.int8, !config_.int8);
    ForEachToken([&](std::size_t t) { Feed(wide_, t, inner_.get() + t * config_.ffn); });
    Multiply(std::array{Product{&layer.down, change_.get()}}, wide_, false);
    AddAndNorm(layer.output_norm);
  }

  /// x = norm(x + change), which is the next step's input.
  void AddAndNorm(const LayerNormWeights& norm) {
    narrow_.Begin(config_.hidden, config_.int8, !config_.int8);
    ForEachToken([&](std::size_t t) {
      kernels_.add(State(x_, t), State(change_, t), config_.hidden);
      Norm(norm, State(x_, t));
      Feed(narrow_, t, State(x_, t));
    });
  }

  /// Every token of a text against all of them; the output takes the place of the queries.
  void Attend() {
    team_.For(ends_.size() * config_.heads, [&](std::size_t item, std::size_t thread) {
      const std::size_t text = item / config_.heads;
      const std::size_t begin = text == 0 ? 0 : ends_[text - 1];
      AttendHead(begin, ends_[text] - begin, item % config_.heads, heads_[thread]);
    });
  }

  void AttendHead(std::size_t begin, std::size_t count, std::size_t head, HeadScratch& scratch) {
    const std::size_t dim = config_.head_dim;
    scratch.Reserve(count, dim);
    for (std::size_t t = 0; t < count; ++t) {
      const std::size_t at = (begin + t) * config_.hidden + head * dim;
      const std::size_t block = t / kAttentionBlock;
      std::copy_n(queries_.get() + at, dim, scratch.queries.data() + t * dim);
      kernels_.narrow_f16(values_.get() + at, dim, scratch.values.data() + t * dim);
      kernels_.narrow_f16(keys_.get() + at, dim, scratch.row.data());
      std::uint16_t* const column =
          scratch.keys.data() + block * kAttentionBlock * dim + t % kAttentionBlock;
      for (std::size_t d = 0; d < dim; ++d) column[d * kAttentionBlock] = scratch.row[d];
    }
    std::fill_n(scratch.max.data(), count, -std::numeric_limits<float>::infinity());
    std::fill_n(scratch.sum.data(), count, 0.0F);
    std::fill_n(scratch.accumulator.data(), count * dim, 0.0F);
    for (std::size_t block = 0; block * kAttentionBlock < count; ++block) {
      const std::size_t left = std::min(kAttentionBlock, count - block * kAttentionBlock);
      std::fill_n(scratch.visible.data(), count, static_cast<std::uint32_t>(left));
      kernels_.attend({.queries = scratch.queries.data(),
                       .rows = count,
                       .head_dim = dim,
                       .keys = scratch.keys.data() + block * kAttentionBlock * dim,
                       .values = scratch.values.data() + block * kAttentionBlock * dim,
                       .visible = scratch.visible.data(),
                       .scale = 1.0F / std::sqrt(static_cast<float>(dim)),
                       .max = scratch.max.data(),
                       .sum = scratch.sum.data(),
                       .accumulator = scratch.accumulator.data()});
    }
    for (std::size_t t = 0; t < count; ++t) {
      const float share = 1.0F / scratch.sum[t];
      float* const out = queries_.get() + (begin + t) * config_.hidden + head * dim;
      for (std::size_t d = 0; d < dim; ++d) out[d] = scratch.accumulator[t * dim + d] * share;
    }
  }

  const EncoderConfig& config_;
  const EncoderWeights& weights_;
  const kernels::KernelTable& kernels_;
  ThreadTeam& team_;
  std::size_t tokens_ = 0;
  std::size_t capacity_ = 0;
  std::span<const std::size_t> ends_;
  AlignedArray<float> x_, queries_, keys_, values_, change_;  // [capacity, hidden]
  AlignedArray<float> inner_;                                 // [capacity, ffn]
  LinearInput narrow_;                                        // of width hidden
  LinearInput wide_;                                          // of width ffn
  std::vector<PanelScratch> panels_;                          // one for each thread, as the next
  std::vector<HeadScratch> heads_;
};

Encoder::Encoder(const EncoderModel& model, ThreadTeam& team)
    : impl_(std::make_unique<Impl>(model, team)) {}
Encoder::~Encoder() = default;

std::span<const float> Encoder::Run(std::span<const Token> tokens,
                                    std::span<const std::size_t> ends, const CancelFlag& cancel) {
  return impl_->Run(tokens, ends, cancel);
}

}  // namespace sworn::llm
