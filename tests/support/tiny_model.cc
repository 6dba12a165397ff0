#include "tests/support/tiny_model.h"

#include <cmath>
#include <random>
#include <stdexcept>
#include <utility>

#include "core/file.h"
#include "llm/files/gguf_writer.h"
#include "tests/support/tensor_encoder.h"

namespace sworn::test {
namespace {

using llm::DType;

// The number that weight i of Q8_0 or Q6_K blocks stands for.
float Q8Value(const Bytes& bytes, std::size_t i) {
  const std::uint8_t* const block = bytes.data() + i / 32 * 34;
  const float scale = FromHalf(static_cast<std::uint16_t>(block[0] | block[1] << 8));
  return scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i % 32]));
}

float Q6Value(const Bytes& bytes, std::size_t i) {
  const std::uint8_t* const block = bytes.data() + i / 256 * 210;
  const float scale = FromHalf(static_cast<std::uint16_t>(block[208] | block[209] << 8));
  const std::size_t at = i % 256;
  const int low = block[at / 128 * 64 + at % 64] >> (at % 128 < 64 ? 0 : 4) & 15;
  const int high = block[128 + at / 128 * 32 + at % 32] >> (at % 128 / 32 * 2) & 3;
  const auto sub_scale = static_cast<std::int8_t>(block[192 + at / 16]);
  return scale * static_cast<float>(sub_scale) * static_cast<float>((low | high << 4) - 32);
}

// Sets the bytes of a dense tensor, and its values to what they mean.
void Encode(TinyTensor& tensor) {
  switch (tensor.dtype) {
    case DType::kF32:
      tensor.bytes = EncodeF32(tensor.values);
      return;
    case DType::kF16:
      tensor.bytes = EncodeF16(tensor.values);
      for (float& value : tensor.values) value = FromHalf(ToHalf(value));
      return;
    case DType::kBf16:
      tensor.bytes = EncodeBf16(tensor.values);
      return;
    case DType::kQ8_0:
      tensor.bytes = QuantizeQ8(tensor.values);
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        tensor.values[i] = Q8Value(tensor.bytes, i);
      }
      return;
    case DType::kQ6K:
      tensor.bytes = QuantizeQ6(tensor.values);
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        tensor.values[i] = Q6Value(tensor.bytes, i);
      }
      return;
    default:
      throw std::invalid_argument("not a dense type");
  }
}

constexpr float kScale = 0x1p-4F;  // exact in every type, and so is its inverse

TinyTensor Described(std::string name, DType dtype, std::vector<std::size_t> shape) {
  TinyTensor tensor;
  tensor.name = std::move(name);
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  return tensor;
}

class Builder {
 public:
  explicit Builder(const TinyModelOptions& options) : random_(options.seed) {
    model_.options = options;
    model_.vocabulary = options.architecture == "gemma3" ? MakeTinyPieces(options.vocabulary)
                                                         : MakeTinyVocabulary(options.vocabulary);
    const std::size_t vocabulary = model_.vocabulary.tokens.size();
    Dense("token_embd.weight", options.embedding, {vocabulary, options.hidden}, 1.0F);
    for (std::size_t layer = 0; layer < options.layers; ++layer) Layer(layer);
    Norm("output_norm.weight", options.hidden);
    if (!options.tied) {
      Dense("output.weight", options.embedding, {vocabulary, options.hidden}, 1.0F);
    }
  }

  TinyModel Take() { return std::move(model_); }

 private:
  // 0 to below 1, in steps of 2^-24.
  float Uniform() { return static_cast<float>(random_() >> 40U) * 0x1p-24F; }

  void Layer(std::size_t index) {
    const TinyModelOptions& options = model_.options;
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const std::size_t width = options.heads * HeadDim(options);
    const std::size_t kv = options.kv_heads * HeadDim(options);
    const bool sub_norms = options.sub_norms && options.architecture != "llama" && !Embeds(options);
    Norm(prefix + "attn_norm.weight", options.hidden);
    Linear(prefix + "attn_q", width, options.hidden);
    Linear(prefix + "attn_k", kv, options.hidden);
    Linear(prefix + "attn_v", kv, options.hidden);
    if (sub_norms) Norm(prefix + "attn_sub_norm.weight", options.hidden);
    Linear(prefix + "attn_output", options.hidden, width);
    Norm(prefix + "ffn_norm.weight", options.hidden);
    Linear(prefix + "ffn_gate", options.ffn, options.hidden);
    Linear(prefix + "ffn_up", options.ffn, options.hidden);
    if (sub_norms) Norm(prefix + "ffn_sub_norm.weight", options.ffn);
    Linear(prefix + "ffn_down", options.hidden, options.ffn);
    if (Embeds(options)) EmbedderNorms(prefix);
  }

  void EmbedderNorms(const std::string& prefix) {
    const TinyModelOptions& options = model_.options;
    Norm(prefix + "attn_q_norm.weight", HeadDim(options));
    Norm(prefix + "attn_k_norm.weight", HeadDim(options));
    if (options.architecture == "gemma3") {
      Norm(prefix + "post_attention_norm.weight", options.hidden);
      Norm(prefix + "post_ffw_norm.weight", options.hidden);
    }
    if (!options.projection_norms) return;
    for (const char* const linear : {"attn_q", "attn_k", "attn_v", "ffn_gate", "ffn_up"}) {
      Norm(prefix + linear + "_norm_in.weight", options.hidden);
    }
    Norm(prefix + "attn_output_norm_in.weight", options.heads * HeadDim(options));
    Norm(prefix + "ffn_down_norm_in.weight", options.ffn);
  }

  void Norm(const std::string& name, std::size_t width) {
    TinyTensor tensor = Described(name, model_.options.norm, {width});
    for (std::size_t i = 0; i < width; ++i) tensor.values.push_back(0.5F + Uniform());
    // Exact in bfloat16, so that every container holds the same.
    for (float& value : tensor.values) value = FromBfloat16(ToBfloat16(value));
    Encode(tensor);
    model_.tensors.push_back(std::move(tensor));
  }

  void Dense(const std::string& name, DType dtype, std::vector<std::size_t> shape, float range) {
    TinyTensor tensor = Described(name, dtype, std::move(shape));
    const std::size_t count = tensor.shape[0] * tensor.shape[1];
    for (std::size_t i = 0; i < count; ++i) {
      tensor.values.push_back(FromBfloat16(ToBfloat16((2 * Uniform() - 1) * range)));
    }
    Encode(tensor);
    model_.tensors.push_back(std::move(tensor));
  }

  void Linear(const std::string& stem, std::size_t rows, std::size_t columns) {
    const DType dtype = model_.options.linear;
    if (!llm::IsTernary(dtype)) {
      Dense(stem + ".weight", dtype, {rows, columns},
            2.0F / std::sqrt(static_cast<float>(columns)));
      return;
    }
    TinyTensor tensor = Described(stem + ".weight", dtype, {rows, columns});
    tensor.scale = kScale;
    for (std::size_t i = 0; i < rows * columns; ++i) {
      tensor.ternary.push_back(static_cast<std::int8_t>(static_cast<int>(random_() % 3) - 1));
      tensor.values.push_back(kScale * static_cast<float>(tensor.ternary.back()));
    }
    switch (dtype) {
      case DType::kI2S:
        tensor.bytes = EncodeI2s(tensor.ternary, kScale);
        break;
      case DType::kTq1_0:
        tensor.bytes = EncodeTq1(tensor.ternary, kScale);
        break;
      case DType::kTq2_0:
        tensor.bytes = EncodeTq2(tensor.ternary, kScale);
        break;
      case DType::kPanels:
        tensor.bytes = EncodePanels(tensor.ternary, rows);
        break;
      default:
        throw std::invalid_argument("not a type of GGUF");
    }
    model_.tensors.push_back(std::move(tensor));
    if (dtype != DType::kPanels) return;
    TinyTensor scale = Described(stem + ".scale", DType::kF32, {1});
    scale.values = {kScale};
    scale.bytes = EncodeF32(scale.values);
    model_.tensors.push_back(std::move(scale));
  }

  TinyModel model_;
  std::mt19937_64 random_;
};

void SetMetadata(const TinyModel& model, llm::GgufWriter& writer) {
  const TinyModelOptions& options = model.options;
  const TinyVocabulary& vocabulary = model.vocabulary;
  const auto number = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
  const std::string prefix = options.architecture + ".";
  writer.Set("general.architecture", options.architecture);
  writer.Set("general.name", std::string("tiny"));
  writer.Set(prefix + "vocab_size", number(vocabulary.tokens.size()));
  writer.Set(prefix + "context_length", number(options.context));
  writer.Set(prefix + "embedding_length", number(options.hidden));
  writer.Set(prefix + "block_count", number(options.layers));
  writer.Set(prefix + "feed_forward_length", number(options.ffn));
  writer.Set(prefix + "rope.dimension_count", number(HeadDim(options)));
  writer.Set(prefix + "attention.head_count", number(options.heads));
  writer.Set(prefix + "attention.head_count_kv", number(options.kv_heads));
  writer.Set(prefix + "attention.layer_norm_rms_epsilon", 1e-5F);
  writer.Set(prefix + "rope.freq_base", 500'000.0F);
  if (options.head_dim != 0) {
    writer.Set(prefix + "attention.key_length", number(options.head_dim));
    writer.Set(prefix + "attention.value_length", number(options.head_dim));
  }
  if (options.attention_scale != 0) {
    writer.Set(prefix + "attention.scale", options.attention_scale);
  }
  if (options.sliding_window != 0) {
    writer.Set(prefix + "attention.sliding_window", number(options.sliding_window));
    writer.Set(prefix + "attention.sliding_window_pattern", std::uint32_t{2});
    writer.Set(prefix + "rope.freq_base_swa", 1'000.0F);
  }
  if (Embeds(options)) writer.Set(prefix + "pooling_type", std::uint32_t{1});
  if (vocabulary.scores.empty()) {
    writer.Set("tokenizer.ggml.model", std::string("gpt2"));
    writer.Set("tokenizer.ggml.pre", std::string("llama-bpe"));
    writer.Set("tokenizer.ggml.merges", vocabulary.merges);
  } else {
    writer.Set("tokenizer.ggml.model", std::string("llama"));
    writer.Set("tokenizer.ggml.scores", vocabulary.scores);
    writer.Set("tokenizer.ggml.add_space_prefix", false);
  }
  writer.Set("tokenizer.ggml.tokens", vocabulary.tokens);
  writer.Set("tokenizer.ggml.token_type", vocabulary.types);
  writer.Set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(vocabulary.begin_of_text));
  writer.Set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(vocabulary.end_of_text));
  writer.Set("tokenizer.ggml.add_bos_token", true);
}

}  // namespace

bool Embeds(const TinyModelOptions& options) {
  return options.architecture == "qwen3" || options.architecture == "gemma3";
}

std::size_t HeadDim(const TinyModelOptions& options) {
  return options.head_dim != 0 ? options.head_dim : options.hidden / options.heads;
}

const TinyTensor& TinyModel::tensor(std::string_view name) const {
  for (const TinyTensor& candidate : tensors) {
    if (candidate.name == name) return candidate;
  }
  throw std::out_of_range(std::string(name));
}

TinyModel MakeTinyModel(const TinyModelOptions& options) { return Builder(options).Take(); }

void WriteTinyGguf(const TinyModel& model, const std::filesystem::path& path) {
  FileOps ops;
  llm::GgufWriter writer(path, ops);
  SetMetadata(model, writer);
  for (const TinyTensor& tensor : model.tensors) {
    writer.AddTensor(tensor.name, tensor.dtype, tensor.shape);
  }
  for (const TinyTensor& tensor : model.tensors) writer.Append(tensor.bytes);
  writer.Finish();
}

}  // namespace sworn::test
