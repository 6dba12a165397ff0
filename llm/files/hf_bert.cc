#include "llm/files/hf_bert.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace sworn::llm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1024} * 1024;
constexpr std::array<std::string_view, 4> kBuilt = {"BertModel", "BertForMaskedLM",
                                                    "XLMRobertaModel", "XLMRobertaForMaskedLM"};

constexpr std::array<std::string_view, 3> kModules = {".Transformer", ".Pooling", ".Normalize"};

[[noreturn]] void Unsupported(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kUnsupportedMedia, where + ": " + why);
}

std::string Architecture(const json& config) {
  const json* const names = JsonMember(config, "architectures");
  if (names == nullptr || !names->is_array() || names->empty() || !names->front().is_string()) {
    return {};
  }
  return names->front().get<std::string>();
}

// An array of modules {"type": "sentence_transformers.models.Pooling", ...}: a further layer would
// change every vector.
void CheckModules(const fs::path& path) {
  if (!fs::exists(path)) return;
  // The reader wants an object; the file is a list.
  const std::string where = "'" + path.native() + "'";
  const json modules =
      ParseJsonObject("{\"modules\":" + ReadFile(path, kMaxFileBytes) + "}", where)["modules"];
  if (!modules.is_array()) Unsupported(where, "this is no list of modules");
  for (const json& module : modules) {
    const std::string type = JsonText(module, "type", where).value_or("");
    const bool known = std::any_of(kModules.begin(), kModules.end(),
                                   [&](std::string_view name) { return type.ends_with(name); });
    if (!known) Unsupported(where, "the module '" + type + "' is not built");
  }
}

// {"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true, ...}
void ReadPooling(const fs::path& path, Metadata& metadata) {
  const json pooling = ReadJsonFile(path, kMaxFileBytes);
  if (pooling.is_discarded()) return;
  const std::string where = "'" + path.native() + "'";
  std::vector<std::string> modes;
  for (const auto& [key, value] : pooling.items()) {
    if (key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>()) {
      modes.push_back(key);
    }
  }
  if (modes == std::vector<std::string>{"pooling_mode_cls_token"}) {
    metadata["bert.pooling_type"] = std::uint64_t{2};
  } else if (modes == std::vector<std::string>{"pooling_mode_mean_tokens"}) {
    metadata["bert.pooling_type"] = std::uint64_t{1};
  } else {
    Unsupported(where, "only the mean of the tokens or the first of them alone is built");
  }
}

void ReadSentenceTransformers(const fs::path& folder, Metadata& metadata) {
  CheckModules(folder / "modules.json");
  ReadPooling(folder / "1_Pooling" / "config.json", metadata);
  const fs::path limits = folder / "sentence_bert_config.json";
  const json limit = ReadJsonFile(limits, kMaxFileBytes);
  if (const auto tokens = JsonNumber(limit, "max_seq_length", "'" + limits.native() + "'")) {
    metadata["sworn.embedding.max_tokens"] = *tokens;
  }
  const fs::path path = folder / "config_sentence_transformers.json";
  const json prompts = ReadJsonFile(path, kMaxFileBytes);
  if (const json* const named = JsonMember(prompts, "prompts")) {
    const std::string where = "'" + path.native() + "'";
    const auto query = JsonText(*named, "query", where);
    auto passage = JsonText(*named, "document", where);
    if (!passage) passage = JsonText(*named, "passage", where);
    if (query) metadata["sworn.embedding.query_prefix"] = *query;
    if (passage) metadata["sworn.embedding.passage_prefix"] = *passage;
  }
}

// Within a layer.
std::string_view LayerPart(std::string_view part) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kParts = {{
      {"attention.self.query", "attn_q"},
      {"attention.self.key", "attn_k"},
      {"attention.self.value", "attn_v"},
      {"attention.output.dense", "attn_output"},
      {"attention.output.LayerNorm", "attn_output_norm"},
      {"intermediate.dense", "ffn_up"},
      {"output.dense", "ffn_down"},
      {"output.LayerNorm", "layer_output_norm"},
  }};
  for (const auto& [theirs, ours] : kParts) {
    if (theirs == part) return ours;
  }
  return {};
}

std::string_view TableName(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTables = {{
      {"embeddings.word_embeddings", "token_embd"},
      {"embeddings.position_embeddings", "position_embd"},
      {"embeddings.token_type_embeddings", "token_types"},
      {"embeddings.LayerNorm", "token_embd_norm"},
  }};
  for (const auto& [theirs, ours] : kTables) {
    if (theirs == name) return ours;
  }
  return {};
}

}  // namespace

bool IsHfBert(const json& config) {
  const std::string name = Architecture(config);
  return std::find(kBuilt.begin(), kBuilt.end(), name) != kBuilt.end();
}

void TranslateBert(const fs::path& folder, const json& config, const std::string& where,
                   Metadata& metadata) {
  static constexpr std::array<std::pair<const char*, const char*>, 5> kNumbers = {{
      {"hidden_size", "embedding_length"},
      {"num_hidden_layers", "block_count"},
      {"intermediate_size", "feed_forward_length"},
      {"num_attention_heads", "attention.head_count"},
      {"vocab_size", "vocab_size"},
  }};
  metadata["general.architecture"] = std::string("bert");
  for (const auto& [theirs, ours] : kNumbers) {
    if (const auto number = JsonNumber(config, theirs, where)) {
      metadata["bert." + std::string(ours)] = *number;
    }
  }
  const std::string activation = JsonText(config, "hidden_act", where).value_or("gelu");
  if (activation != "gelu") Unsupported(where, "the activation '" + activation + "' is not built");
  const std::string positions =
      JsonText(config, "position_embedding_type", where).value_or("absolute");
  if (positions != "absolute") Unsupported(where, positions + " positions are not built");
  if (const auto epsilon = JsonReal(config, "layer_norm_eps", where)) {
    metadata["bert.attention.layer_norm_epsilon"] = *epsilon;
  }
  metadata["bert.attention.causal"] = JsonFlag(config, "is_decoder", where).value_or(false);
  std::uint64_t offset = 0;
  if (Architecture(config).starts_with("XLMRoberta")) {
    // Positions are counted from behind that of the padding token.
    offset = JsonNumber(config, "pad_token_id", where).value_or(1) + 1;
    metadata["sworn.position.offset"] = offset;
  }
  const std::uint64_t rows = JsonNumber(config, "max_position_embeddings", where).value_or(0);
  metadata["bert.context_length"] = rows > offset ? rows - offset : 0;
  ReadSentenceTransformers(folder, metadata);
}

std::optional<std::string> BertTensorName(std::string name) {
  constexpr std::string_view kLayers = "encoder.layer.";
  const std::string whole = name;
  for (const std::string_view prefix : {"bert.", "roberta."}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  if (name.starts_with("pooler.") || name.starts_with("cls.") || name.starts_with("lm_head.") ||
      name == "embeddings.position_ids") {
    return std::nullopt;
  }
  // As the first models called the two parts of a norm.
  for (const auto& [theirs, ours] : {std::pair{".gamma", ".weight"}, std::pair{".beta", ".bias"}}) {
    const std::string_view ending = theirs;
    if (name.ends_with(ending)) name.replace(name.size() - ending.size(), ending.size(), ours);
  }
  const std::size_t last = name.rfind('.');
  if (last != std::string::npos &&
      (name.substr(last) == ".weight" || name.substr(last) == ".bias")) {
    const std::string_view stem = std::string_view(name).substr(0, last);
    if (const std::string_view table = TableName(stem); !table.empty()) {
      return std::string(table) + name.substr(last);
    }
    const std::size_t dot = stem.find('.', kLayers.size());
    if (stem.starts_with(kLayers) && dot != std::string_view::npos) {
      const std::string_view number = stem.substr(kLayers.size(), dot - kLayers.size());
      const std::string_view part = LayerPart(stem.substr(dot + 1));
      if (!part.empty() && number.find_first_not_of("0123456789") == std::string_view::npos) {
        return "blk." + std::string(number) + "." + std::string(part) + name.substr(last);
      }
    }
  }
  throw Error(ErrorCode::kUnsupportedMedia,
              "tensor '" + whole + "' is not part of an encoder that is built");
}

}  // namespace sworn::llm
