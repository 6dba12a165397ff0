#include "tests/support/tiny_encoder.h"

#include <array>
#include <cmath>
#include <fstream>
#include <random>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "llm/files/gguf_writer.h"
#include "tests/support/tensor_encoder.h"
#include "tests/support/tiny_safetensors.h"

namespace sworn::test {
namespace {

using llm::DType;
using nlohmann::json;

std::vector<std::string> Pieces() {
  std::vector<std::string> pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".",     ",",
                                     "?",     "the",   "a",     "of",    "and",    "##ing", "##s"};
  for (char c = 'a'; c <= 'z'; ++c) {
    if (c != 'a') pieces.emplace_back(1, c);
    if (c != 's') pieces.push_back(std::string("##") + c);
  }
  return pieces;
}

class Maker {
 public:
  explicit Maker(TinyEncoder& model) : model_(model), random_(model.options.seed) {}

  void Make() {
    const TinyEncoderOptions& o = model_.options;
    Add("token_embd.weight", {model_.pieces.size(), o.hidden}, 0.5F);
    Add("position_embd.weight", {o.positions + o.position_offset, o.hidden}, 0.5F);
    Add("token_types.weight", {2, o.hidden}, 0.5F);
    Norm("token_embd_norm");
    for (std::size_t i = 0; i < o.layers; ++i) {
      const std::string prefix = "blk." + std::to_string(i) + ".";
      for (const char* const name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
        Linear(prefix + name, o.hidden, o.hidden);
      }
      Norm(prefix + "attn_output_norm");
      Linear(prefix + "ffn_up", o.ffn, o.hidden);
      Linear(prefix + "ffn_down", o.hidden, o.ffn);
      Norm(prefix + "layer_output_norm");
    }
  }

 private:
  void Add(const std::string& name, std::vector<std::size_t> shape, float size, float mean = 0) {
    std::normal_distribution<float> normal(mean, size);
    EncoderTensor tensor;
    tensor.name = name;
    std::size_t count = 1;
    for (const std::size_t length : shape) count *= length;
    tensor.shape = std::move(shape);
    for (std::size_t i = 0; i < count; ++i) tensor.values.push_back(normal(random_));
    model_.tensors.push_back(std::move(tensor));
  }
  void Linear(const std::string& name, std::size_t rows, std::size_t columns) {
    Add(name + ".weight", {rows, columns}, 1.5F / std::sqrt(static_cast<float>(columns)));
    EncoderTensor& weight = model_.tensors.back();
    weight.dtype = model_.options.linear;
    for (float& value : weight.values) {
      if (weight.dtype == DType::kF16) value = FromHalf(ToHalf(value));
      if (weight.dtype == DType::kBf16) value = FromBfloat16(ToBfloat16(value));
    }
    Add(name + ".bias", {rows}, 0.3F);
  }
  void Norm(const std::string& name) {
    Add(name + ".weight", {model_.options.hidden}, 0.2F, 1.0F);
    Add(name + ".bias", {model_.options.hidden}, 0.2F);
  }

  TinyEncoder& model_;
  std::mt19937_64 random_;
};

Bytes Encoded(const EncoderTensor& tensor) {
  if (tensor.dtype == DType::kF16) return EncodeF16(tensor.values);
  if (tensor.dtype == DType::kBf16) return EncodeBf16(tensor.values);
  return EncodeF32(tensor.values);
}

std::string HfName(std::string name) {
  static constexpr std::array<std::pair<const char*, const char*>, 12> kParts = {{
      {"token_embd_norm", "embeddings.LayerNorm"},
      {"token_embd", "embeddings.word_embeddings"},
      {"position_embd", "embeddings.position_embeddings"},
      {"token_types", "embeddings.token_type_embeddings"},
      {"attn_output_norm", "attention.output.LayerNorm"},
      {"attn_output", "attention.output.dense"},
      {"attn_q", "attention.self.query"},
      {"attn_k", "attention.self.key"},
      {"attn_v", "attention.self.value"},
      {"layer_output_norm", "output.LayerNorm"},
      {"ffn_up", "intermediate.dense"},
      {"ffn_down", "output.dense"},
  }};
  for (const auto& [ours, theirs] : kParts) {
    const std::size_t at = name.find(ours);
    if (at == std::string::npos) continue;
    name.replace(at, std::string(ours).size(), theirs);
    break;
  }
  if (name.starts_with("blk.")) name.replace(0, 4, "encoder.layer.");
  return name;
}

void WriteText(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

EncoderTensor& TinyEncoder::tensor(const std::string& name) {
  for (EncoderTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::out_of_range(name);
}

TinyEncoder MakeTinyEncoder(const TinyEncoderOptions& options) {
  TinyEncoder model;
  model.options = options;
  model.pieces = Pieces();
  Maker(model).Make();
  return model;
}

void WriteTinyEncoderGguf(const TinyEncoder& model, const std::filesystem::path& path) {
  const TinyEncoderOptions& o = model.options;
  FileOps ops;
  llm::GgufWriter writer(path, ops);
  const auto number = [&](const char* key, std::size_t value) {
    writer.Set(key, static_cast<std::uint32_t>(value));
  };
  writer.Set("general.architecture", std::string("bert"));
  writer.Set("general.name", o.name);
  number("bert.block_count", o.layers);
  number("bert.context_length", o.positions);
  number("bert.embedding_length", o.hidden);
  number("bert.feed_forward_length", o.ffn);
  number("bert.attention.head_count", o.heads);
  writer.Set("bert.attention.layer_norm_epsilon", 1e-12F);
  writer.Set("bert.attention.causal", false);
  if (o.position_offset != 0) number("sworn.position.offset", o.position_offset);
  if (o.pooling_type != 0) number("bert.pooling_type", o.pooling_type);
  std::vector<std::string> tokens;
  for (const std::string& piece : model.pieces) {
    const bool special = piece.size() > 2 && piece.front() == '[';
    if (special) {
      tokens.push_back(piece);
    } else if (piece.starts_with("##")) {
      tokens.push_back(piece.substr(2));
    } else {
      tokens.push_back("\xE2\x96\x81" + piece);
    }
  }
  writer.Set("tokenizer.ggml.model", std::string("bert"));
  writer.Set("tokenizer.ggml.tokens", tokens);
  for (const EncoderTensor& tensor : model.tensors) {
    writer.AddTensor(tensor.name, tensor.dtype, tensor.shape);
  }
  for (const EncoderTensor& tensor : model.tensors) writer.Append(Encoded(tensor));
  writer.Finish();
}

void WriteTinyEncoderFolder(const TinyEncoder& model, const std::filesystem::path& folder) {
  const TinyEncoderOptions& o = model.options;
  const bool xlmr = o.position_offset != 0;
  const json config = {{"architectures", {xlmr ? "XLMRobertaModel" : "BertModel"}},
                       {"hidden_act", "gelu"},
                       {"hidden_size", o.hidden},
                       {"intermediate_size", o.ffn},
                       {"layer_norm_eps", 1e-12},
                       {"max_position_embeddings", o.positions + o.position_offset},
                       {"num_attention_heads", o.heads},
                       {"num_hidden_layers", o.layers},
                       {"pad_token_id", xlmr ? o.position_offset - 1 : 0},
                       {"vocab_size", model.pieces.size()}};
  WriteText(folder / "config.json", config.dump());
  std::string vocabulary;
  for (const std::string& piece : model.pieces) vocabulary += piece + "\n";
  WriteText(folder / "vocab.txt", vocabulary);
  WriteText(folder / "modules.json",
            R"([{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},)"
            R"({"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])");
  const json pooling = {{"word_embedding_dimension", o.hidden},
                        {"pooling_mode_cls_token", o.pooling_type == 2},
                        {"pooling_mode_mean_tokens", o.pooling_type != 2}};
  WriteText(folder / "1_Pooling" / "config.json", pooling.dump());
  std::vector<HfTensor> tensors;
  for (const EncoderTensor& tensor : model.tensors) {
    const char* const type = tensor.dtype == DType::kF16    ? "F16"
                             : tensor.dtype == DType::kBf16 ? "BF16"
                                                            : "F32";
    tensors.push_back({HfName(tensor.name), type, tensor.shape, Encoded(tensor)});
  }
  tensors.push_back({"pooler.dense.weight", "F32", {1, 1}, Bytes(4)});
  WriteSafetensors(tensors, 0, tensors.size(), folder / "model.safetensors");
}

}  // namespace sworn::test
