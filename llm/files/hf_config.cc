#include "llm/files/hf_config.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/error.h"

namespace sworn::llm {
namespace {

using nlohmann::json;

[[noreturn]] void Unsupported(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kUnsupportedMedia, where + ": " + why);
}

std::string FirstArchitecture(const json& config, const std::string& where) {
  const json* const names = JsonMember(config, "architectures");
  if (names == nullptr || !names->is_array() || names->empty() || !names->front().is_string()) {
    throw Error(ErrorCode::kIntegrity, where + ": 'architectures' names no architecture");
  }
  return names->front().get<std::string>();
}

// The graph: GGUF's name for it.
std::string Architecture(const json& config, const std::string& where) {
  const std::string name = FirstArchitecture(config, where);
  auto named = JsonText(config, "hidden_activation", where);  // of Gemma
  if (!named) named = JsonText(config, "hidden_act", where);
  const std::string activation = named.value_or("silu");
  // 1bitLLM's first models and Microsoft's differ in one letter of the name and in the activation.
  if (name == "BitNetForCausalLM" || name == "BitnetForCausalLM") {
    if (activation == "relu2") return "bitnet-b1.58";
    if (activation == "silu") return "bitnet";
  } else if (name == "LlamaForCausalLM") {
    if (activation == "silu") return "llama";
  } else if (name == "Qwen3Model") {
    if (activation == "silu") return "qwen3";
  } else if (name == "Gemma3TextModel") {
    if (activation == "gelu_pytorch_tanh") return "gemma3";
  } else {
    Unsupported(where, "the architecture '" + name +
                           "' is not built; BitNetForCausalLM, BitnetForCausalLM, "
                           "LlamaForCausalLM, Qwen3Model and Gemma3TextModel are");
  }
  Unsupported(where, "the activation '" + activation + "' is not built for " + name);
}

HfLinear Linear(const json& config, bool bitnet, const std::string& where) {
  const json* const quantization = JsonMember(config, "quantization_config");
  if (quantization == nullptr) return bitnet ? HfLinear::kMaster : HfLinear::kDense;
  const std::string method = JsonText(*quantization, "quant_method", where).value_or("");
  if (method != "bitnet") Unsupported(where, "the quantisation '" + method + "' is not read");
  if (JsonFlag(*quantization, "use_rms_norm", where).value_or(false)) {
    Unsupported(where, "linear layers with a norm of their own are not built");
  }
  if (JsonText(*quantization, "quantization_mode", where).value_or("offline") == "online") {
    return HfLinear::kMaster;
  }
  const std::string kind = JsonText(*quantization, "linear_class", where).value_or("bitlinear");
  if (kind == "autobitlinear") return HfLinear::kScaleMultiplies;
  if (kind == "bitlinear") return HfLinear::kScaleDivides;
  Unsupported(where, "the linear_class '" + kind + "' is not known");
}

void TranslateRope(const json& config, const std::string& prefix, const std::string& where,
                   Metadata& metadata) {
  // Newer files keep theta and scaling together, older ones apart.
  for (const char* const key : {"rope_scaling", "rope_parameters"}) {
    const json* rope = JsonMember(config, key);
    if (rope == nullptr) continue;
    // Where layers differ, one for each kind of them.
    if (const json* const local = JsonMember(*rope, "sliding_attention")) {
      if (const auto theta = JsonReal(*local, "rope_theta", where)) {
        metadata[prefix + "rope.freq_base_swa"] = *theta;
      }
    }
    if (const json* const full = JsonMember(*rope, "full_attention")) rope = full;
    auto type = JsonText(*rope, "rope_type", where);
    if (!type) type = JsonText(*rope, "type", where);
    if (type && *type != "default") metadata[prefix + "rope.scaling.type"] = *type;
    if (const auto theta = JsonReal(*rope, "rope_theta", where)) {
      metadata[prefix + "rope.freq_base"] = *theta;
    }
  }
  if (const auto theta = JsonReal(config, "rope_theta", where)) {
    metadata[prefix + "rope.freq_base"] = *theta;
  }
  if (JsonReal(config, "partial_rotary_factor", where).value_or(1) != 1) {
    Unsupported(where, "heads that are rotated in part are not built");
  }
  // The checkpoints of Hugging Face have the pairs apart, also where GGUF files interleave them.
  metadata["sworn.rope.pairs"] = std::string("halves");
}

// Layers that see only the last positions.
void TranslateWindow(const json& config, const std::string& prefix, const std::string& where,
                     Metadata& metadata) {
  const auto window = JsonNumber(config, "sliding_window", where);
  // Qwen's files name a window that is not used.
  if (!window || !JsonFlag(config, "use_sliding_window", where).value_or(true)) return;
  metadata[prefix + "attention.sliding_window"] = *window;
  const std::string pattern = prefix + "attention.sliding_window_pattern";
  if (const auto period = JsonNumber(config, "sliding_window_pattern", where)) {
    metadata[pattern] = *period;
  }
  if (const auto theta = JsonReal(config, "rope_local_base_freq", where)) {
    metadata[prefix + "rope.freq_base_swa"] = *theta;
  }
  const json* const kinds = JsonMember(config, "layer_types");
  if (kinds == nullptr) return;
  std::vector<std::int64_t> local;
  for (const json& kind : *kinds) local.push_back(kind == "sliding_attention" ? 1 : 0);
  metadata[pattern] = std::move(local);
}

// What the backbones of embedding models have and the others do not.
void TranslateEmbedder(const json& config, const std::string& prefix, const std::string& where,
                       Metadata& metadata) {
  constexpr std::uint64_t kLastToken = 3;
  metadata[prefix + "pooling_type"] = kLastToken;
  if (JsonFlag(config, "use_bidirectional_attention", where).value_or(false)) {
    Unsupported(where, "attention in both directions is not built");
  }
  if (JsonMember(config, "attn_logit_softcapping") != nullptr) {
    Unsupported(where, "capped attention scores are not built");
  }
  if (const auto scalar = JsonReal(config, "query_pre_attn_scalar", where)) {
    metadata[prefix + "attention.scale"] = 1 / std::sqrt(*scalar);
  }
  TranslateWindow(config, prefix, where, metadata);
}

}  // namespace

HfLinear TranslateConfig(const json& config, const std::string& where, Metadata& metadata) {
  static constexpr std::array<std::pair<const char*, const char*>, 8> kNumbers = {{
      {"vocab_size", "vocab_size"},
      {"max_position_embeddings", "context_length"},
      {"hidden_size", "embedding_length"},
      {"num_hidden_layers", "block_count"},
      {"intermediate_size", "feed_forward_length"},
      {"num_attention_heads", "attention.head_count"},
      {"num_key_value_heads", "attention.head_count_kv"},
      {"head_dim", "attention.key_length"},
  }};
  const std::string architecture = Architecture(config, where);
  const std::string prefix = architecture + ".";
  metadata["general.architecture"] = architecture;
  for (const auto& [theirs, ours] : kNumbers) {
    if (const auto number = JsonNumber(config, theirs, where)) metadata[prefix + ours] = *number;
  }
  if (const auto epsilon = JsonReal(config, "rms_norm_eps", where)) {
    metadata[prefix + "attention.layer_norm_rms_epsilon"] = *epsilon;
  }
  TranslateRope(config, prefix, where, metadata);
  if (architecture == "qwen3" || architecture == "gemma3") {
    TranslateEmbedder(config, prefix, where, metadata);
  }
  const HfLinear linear = Linear(config, architecture.starts_with("bitnet"), where);
  if (linear == HfLinear::kMaster) metadata["sworn.linear.master"] = true;
  return linear;
}

}  // namespace sworn::llm
