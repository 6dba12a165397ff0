#include "tests/support/tiny_safetensors.h"

#include <array>
#include <cmath>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/support/tensor_encoder.h"
#include "tests/support/tiny_model.h"

namespace sworn::test {
namespace {

using nlohmann::json;

void WriteText(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// "blk.3.attn_q.weight" -> "model.layers.3.self_attn.q_proj.weight".
std::string HfName(const std::string& name, const std::string& architecture) {
  const bool one_bit_llm = architecture == "bitnet";
  const bool gemma = architecture == "gemma3";
  // The folders of embedding models hold the backbone alone.
  const std::string model = gemma || architecture == "qwen3" ? "" : "model.";
  constexpr std::string_view kNormIn = "_norm_in";
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kParts = {{
      {"attn_q_norm", "self_attn.q_norm"},
      {"attn_k_norm", "self_attn.k_norm"},
      {"post_attention_norm", "post_attention_layernorm"},
      {"post_ffw_norm", "post_feedforward_layernorm"},
      {"attn_norm", "input_layernorm"},
      {"ffn_norm", "post_attention_layernorm"},
      {"attn_q", "self_attn.q_proj"},
      {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"},
      {"attn_output", "self_attn.o_proj"},
      {"attn_sub_norm", "self_attn.attn_sub_norm"},
      {"ffn_gate", "mlp.gate_proj"},
      {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"},
      {"ffn_sub_norm", "mlp.ffn_sub_norm"},
  }};
  if (name == "token_embd.weight") return model + "embed_tokens.weight";
  if (name == "output_norm.weight") return model + "norm.weight";
  if (name == "output.weight") return "lm_head.weight";
  const std::size_t dot = name.find('.', 4);
  std::string part = name.substr(dot + 1, name.rfind('.') - dot - 1);
  std::string hf = model + "layers." + name.substr(4, dot - 4) + ".";
  if (gemma && part == "ffn_norm") return hf + "pre_feedforward_layernorm.weight";
  const bool norm_in = part.ends_with(kNormIn);
  if (norm_in) part.resize(part.size() - kNormIn.size());
  if (one_bit_llm && part == "attn_sub_norm") return hf + "self_attn.inner_attn_ln.weight";
  if (one_bit_llm && part == "ffn_sub_norm") return hf + "mlp.ffn_layernorm.weight";
  for (const auto& [ours, theirs] : kParts) {
    if (ours == part) return hf.append(theirs).append(norm_in ? ".norm.weight" : ".weight");
  }
  throw std::invalid_argument("no name for " + name);
}

// Rows of a head from the pairs (2i, 2i + 1) to (i, i + half).
template <typename T>
std::vector<T> InHalves(const std::vector<T>& values, std::size_t columns, std::size_t head_dim) {
  std::vector<T> out(values.size());
  for (std::size_t row = 0; row < values.size() / columns; ++row) {
    const std::size_t in_head = row % head_dim;
    const std::size_t to = row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
    for (std::size_t i = 0; i < columns; ++i) out[to * columns + i] = values[row * columns + i];
  }
  return out;
}

// bfloat16 numbers whose magnitudes have the mean `scale` exactly and that round to `t`: in eighths
// of the scale, 2 for a zero and 11 more or less for the others.
std::vector<float> Master(const std::vector<std::int8_t>& t, float scale) {
  std::vector<int> eighths;
  for (std::size_t i = 0; i < t.size(); ++i) {
    eighths.push_back(t[i] == 0 ? static_cast<int>(i % 4) : 11);
  }
  int missing = static_cast<int>(8 * t.size()) - std::accumulate(eighths.begin(), eighths.end(), 0);
  for (int round = 0; round < 5 && missing != 0; ++round) {
    for (std::size_t i = 0; i < t.size() && missing != 0; ++i) {
      if (t[i] == 0) continue;
      const int step = missing > 0 ? 1 : -1;
      eighths[i] += step;
      missing -= step;
    }
  }
  if (missing != 0) throw std::logic_error("no master weights with this mean");
  std::vector<float> values;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const bool negative = t[i] < 0 || (t[i] == 0 && i % 8 < 4);
    values.push_back(static_cast<float>(negative ? -eighths[i] : eighths[i]) * scale / 8);
  }
  return values;
}

void AddTernary(const TinyTensor& tensor, const std::vector<std::int8_t>& t, HfWeights weights,
                const std::string& name, std::vector<HfTensor>& out) {
  if (weights == HfWeights::kMaster) {
    out.push_back({name, "BF16", tensor.shape, EncodeBf16(Master(t, tensor.scale))});
    return;
  }
  out.push_back(
      {name, "U8", {tensor.shape[0] / 4, tensor.shape[1]}, EncodePackedUint8(t, tensor.shape[0])});
  const std::vector<float> scale = {weights == HfWeights::kAutoBitLinear ? tensor.scale
                                                                         : 1 / tensor.scale};
  out.push_back({name + "_scale", "BF16", {1}, EncodeBf16(scale)});
}

std::vector<HfTensor> HfTensors(const TinyModel& model, HfWeights weights) {
  const bool llama = model.options.architecture == "llama";
  const std::size_t head_dim = model.options.hidden / model.options.heads;
  std::vector<HfTensor> out;
  for (const TinyTensor& tensor : model.tensors) {
    if (tensor.name.ends_with(".scale")) continue;
    const std::string name = HfName(tensor.name, model.options.architecture);
    const bool rotated = llama && (tensor.name.find("attn_q.") != std::string::npos ||
                                   tensor.name.find("attn_k.") != std::string::npos);
    if (!tensor.ternary.empty() && weights != HfWeights::kDense) {
      AddTernary(tensor,
                 rotated ? InHalves(tensor.ternary, tensor.shape[1], head_dim) : tensor.ternary,
                 weights, name, out);
      continue;
    }
    auto values = rotated ? InHalves(tensor.values, tensor.shape[1], head_dim) : tensor.values;
    // Gemma's norms add what is stored to 1.
    if (model.options.architecture == "gemma3" && tensor.name.ends_with("_norm.weight")) {
      for (float& value : values) value -= 1;
    }
    out.push_back({name, "BF16", tensor.shape, EncodeBf16(values)});
  }
  return out;
}

// What the config of an embedding model has besides.
void AddEmbedder(const TinyModelOptions& options, json& config) {
  const bool gemma = options.architecture == "gemma3";
  config["architectures"] = {gemma ? "Gemma3TextModel" : "Qwen3Model"};
  config["model_type"] = gemma ? "gemma3_text" : "qwen3";
  config.erase("hidden_act");
  config[gemma ? "hidden_activation" : "hidden_act"] = gemma ? "gelu_pytorch_tanh" : "silu";
  config["head_dim"] = HeadDim(options);
  if (options.attention_scale != 0) {
    config["query_pre_attn_scalar"] = std::pow(static_cast<double>(options.attention_scale), -2.0);
  }
  if (options.sliding_window == 0) return;
  config["sliding_window"] = options.sliding_window;
  config["rope_local_base_freq"] = 1'000.0;
  for (std::size_t layer = 0; layer < options.layers; ++layer) {
    config["layer_types"].push_back(layer % 2 == 0 ? "sliding_attention" : "full_attention");
  }
}

json Config(const TinyModel& model, HfWeights weights) {
  const TinyModelOptions& options = model.options;
  const bool llama = options.architecture == "llama";
  const bool one_bit_llm = options.architecture == "bitnet";
  const char* const architecture = llama         ? "LlamaForCausalLM"
                                   : one_bit_llm ? "BitnetForCausalLM"
                                                 : "BitNetForCausalLM";
  json config = {{"architectures", {architecture}},
                 {"model_type", llama || one_bit_llm ? "llama" : "bitnet"},
                 {"hidden_act", llama || one_bit_llm ? "silu" : "relu2"},
                 {"hidden_size", options.hidden},
                 {"intermediate_size", options.ffn},
                 {"num_hidden_layers", options.layers},
                 {"num_attention_heads", options.heads},
                 {"num_key_value_heads", options.kv_heads},
                 {"max_position_embeddings", options.context},
                 {"rms_norm_eps", 1e-5},
                 {"rope_theta", 500'000.0},
                 {"tie_word_embeddings", options.tied},
                 {"vocab_size", model.vocabulary.tokens.size()},
                 {"bos_token_id", model.vocabulary.begin_of_text},
                 {"eos_token_id", model.vocabulary.end_of_text},
                 {"torch_dtype", "bfloat16"}};
  if (Embeds(options)) AddEmbedder(options, config);
  if (weights == HfWeights::kAutoBitLinear || weights == HfWeights::kBitLinear) {
    config["quantization_config"] = {{"quant_method", "bitnet"}};
    if (weights == HfWeights::kAutoBitLinear) {
      config["quantization_config"]["linear_class"] = "autobitlinear";
      config["quantization_config"]["quantization_mode"] = "offline";
    }
  }
  return config;
}

json TokenizerJson(const TinyVocabulary& vocabulary) {
  json tokens = json::object();
  json added = json::array();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.types[id] == 1 || vocabulary.types[id] == 2 || vocabulary.types[id] == 6) {
      tokens[vocabulary.tokens[id]] = id;
    } else {
      added.push_back({{"id", id}, {"content", vocabulary.tokens[id]}, {"special", true}});
    }
  }
  if (!vocabulary.scores.empty()) {  // in the manner of Gemma
    return {{"version", "1.0"},
            {"added_tokens", added},
            {"normalizer",
             {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}},
            {"model",
             {{"type", "BPE"},
              {"byte_fallback", true},
              {"unk_token", "<unk>"},
              {"vocab", tokens},
              {"merges", vocabulary.merges}}}};
  }
  const std::string pattern =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
      R"(\s*[\r\n]+|\s+(?!\S)|\s+)";
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"pre_tokenizer",
           {{"type", "Sequence"},
            {"pretokenizers",
             {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}},
              {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"ignore_merges", true},
            {"vocab", tokens},
            {"merges", vocabulary.merges}}}};
}

}  // namespace

void WriteSafetensors(const std::vector<HfTensor>& tensors, std::size_t first, std::size_t end,
                      const std::filesystem::path& path) {
  json header = {{"__metadata__", {{"format", "pt"}}}};
  std::size_t offset = 0;
  for (std::size_t i = first; i < end; ++i) {
    const HfTensor& tensor = tensors[i];
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const auto length = static_cast<std::uint64_t>(text.size());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof(length));
  file << text;
  for (std::size_t i = first; i < end; ++i) {
    file.write(reinterpret_cast<const char*>(tensors[i].bytes.data()),
               static_cast<std::streamsize>(tensors[i].bytes.size()));
  }
}

void WriteTinySafetensors(const TinyModel& model, HfWeights weights,
                          const std::filesystem::path& folder, std::size_t shards) {
  std::filesystem::create_directories(folder);
  WriteText(folder / "config.json", Config(model, weights).dump(2));
  WriteText(folder / "tokenizer.json", TokenizerJson(model.vocabulary).dump());
  const json tokenizer_config = {{"bos_token", "<|begin_of_text|>"},
                                 {"eos_token", "<|end_of_text|>"},
                                 {"chat_template", "{% for message in messages %}{% endfor %}"}};
  WriteText(folder / "tokenizer_config.json", tokenizer_config.dump());
  const std::vector<HfTensor> tensors = HfTensors(model, weights);
  if (shards == 1) {
    WriteSafetensors(tensors, 0, tensors.size(), folder / "model.safetensors");
    return;
  }
  json index = {{"metadata", json::object()}, {"weight_map", json::object()}};
  for (std::size_t shard = 0; shard < shards; ++shard) {
    const std::string name =
        "model-" + std::to_string(shard + 1) + "-of-" + std::to_string(shards) + ".safetensors";
    const std::size_t first = tensors.size() * shard / shards;
    const std::size_t end = tensors.size() * (shard + 1) / shards;
    WriteSafetensors(tensors, first, end, folder / name);
    for (std::size_t i = first; i < end; ++i) index["weight_map"][tensors[i].name] = name;
  }
  WriteText(folder / "model.safetensors.index.json", index.dump());
}

}  // namespace sworn::test
