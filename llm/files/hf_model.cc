// The folder: shards, config.json and tokenizer under GGUF's names.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "kernels/kernels.h"
#include "llm/files/dequantize.h"
#include "llm/files/hf_bert.h"
#include "llm/files/hf_config.h"
#include "llm/files/hf_json.h"
#include "llm/files/hf_tokenizer.h"
#include "llm/files/safetensors.h"

namespace sworn::llm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1024} * 1024;
constexpr std::string_view kExtension = ".safetensors";
constexpr std::string_view kScaleSuffix = ".weight_scale";

[[noreturn]] void Damaged(const std::string& why) { throw Error(ErrorCode::kIntegrity, why); }

// Which of the graphs a folder is for, as far as names differ.
enum class Backbone { kGenerator, kQwen, kGemma };

Backbone BackboneOf(const Metadata& metadata) {
  const MetadataValue& architecture = metadata.at("general.architecture");
  if (architecture == MetadataValue(std::string("gemma3"))) return Backbone::kGemma;
  return architecture == MetadataValue(std::string("qwen3")) ? Backbone::kQwen
                                                             : Backbone::kGenerator;
}

// "self_attn.q_proj" -> "attn_q"; empty for what no graph of ours has.
std::string LayerPart(std::string_view part, Backbone backbone) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kParts = {{
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"self_attn.attn_sub_norm", "attn_sub_norm"},
      {"self_attn.inner_attn_ln", "attn_sub_norm"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
      {"mlp.ffn_sub_norm", "ffn_sub_norm"},
      {"mlp.ffn_layernorm", "ffn_sub_norm"},
  }};
  if (backbone == Backbone::kGemma) {
    if (part == "post_attention_layernorm") return "post_attention_norm";
    if (part == "pre_feedforward_layernorm") return "ffn_norm";
    if (part == "post_feedforward_layernorm") return "post_ffw_norm";
  }
  constexpr std::string_view kProjectionNorm = "_proj.norm";
  bool projection_norm = false;
  if (backbone != Backbone::kGenerator) {
    if (part == "self_attn.q_norm") return "attn_q_norm";
    if (part == "self_attn.k_norm") return "attn_k_norm";
    projection_norm = part.ends_with(kProjectionNorm);
  }
  if (projection_norm) part.remove_suffix(std::string_view(".norm").size());
  for (const auto& [theirs, ours] : kParts) {
    if (theirs == part) return std::string(ours) + (projection_norm ? "_norm_in" : "");
  }
  return {};
}

// "model.layers.3.self_attn.q_proj.weight" -> "blk.3.attn_q.weight", also without "model.";
// nothing for what is computed anyway. A tensor that no graph of ours uses would change the result,
// so it is refused.
std::optional<std::string> GgufName(const std::string& full_name, Backbone backbone) {
  constexpr std::string_view kModel = "model.";
  constexpr std::string_view kLayers = "layers.";
  const std::string name =
      full_name.starts_with(kModel) ? full_name.substr(kModel.size()) : full_name;
  if (name == "embed_tokens.weight") return "token_embd.weight";
  if (name == "norm.weight") return "output_norm.weight";
  if (name == "lm_head.weight") return "output.weight";
  if (name.ends_with(".rotary_emb.inv_freq")) return std::nullopt;
  if (name.starts_with(kLayers)) {
    const std::size_t dot = name.find('.', kLayers.size());
    const std::size_t last = name.rfind('.');
    const std::string number = name.substr(kLayers.size(), dot - kLayers.size());
    if (dot < last && last != std::string::npos &&
        number.find_first_not_of("0123456789") == std::string::npos) {
      const std::string part =
          LayerPart(std::string_view(name).substr(dot + 1, last - dot - 1), backbone);
      std::string suffix = name.substr(last);
      if (suffix == kScaleSuffix) suffix = ".scale";
      const bool known = suffix == ".weight" || suffix == ".scale" || suffix == ".bias";
      if (!part.empty() && known) return "blk." + number + "." + part + suffix;
    }
  }
  throw Error(ErrorCode::kUnsupportedMedia,
              "tensor '" + full_name + "' is not part of a graph that is built");
}

// Of the vectors that are multiplied with what was normed. "attn_q_norm_in" and its like are not
// Gemma's own and stand as they are used.
bool IsGemmaNorm(std::string_view gguf_name) { return gguf_name.ends_with("_norm.weight"); }

// What stands before a question and before a passage, as sentence-transformers has it.
void TranslatePrompts(const fs::path& folder, Metadata& metadata) {
  const fs::path path = folder / "config_sentence_transformers.json";
  const json config = ReadJsonFile(path, kMaxConfigBytes);
  const json* const prompts = config.is_discarded() ? nullptr : JsonMember(config, "prompts");
  if (prompts == nullptr) return;
  static constexpr std::array<std::pair<const char*, const char*>, 4> kNames = {{
      {"web_search_query", "query"},
      {"query", "query"},
      {"document", "passage"},
      {"passage", "passage"},
  }};
  const std::string where = "'" + path.native() + "'";
  for (const auto& [theirs, ours] : kNames) {
    if (const auto prompt = JsonText(*prompts, theirs, where)) {
      metadata["sworn.embedding." + std::string(ours) + "_prefix"] = *prompt;
    }
  }
}

DType TypeOf(const std::string& dtype) {
  if (dtype == "F32") return DType::kF32;
  if (dtype == "F16") return DType::kF16;
  if (dtype == "BF16") return DType::kBf16;
  return DType::kOther;
}

float OneFloat(const SafetensorsEntry& entry) {
  const std::uint8_t* const bytes = entry.bytes.data();
  const DType dtype = TypeOf(entry.dtype);
  if (entry.shape != std::vector<std::size_t>{1} ||
      (dtype != DType::kF32 && dtype != DType::kBf16)) {
    Damaged("tensor '" + entry.name + "' is not one number of type F32 or BF16");
  }
  std::uint32_t bits = 0;
  if (dtype == DType::kF32) {
    std::memcpy(&bits, bytes, sizeof(bits));
  } else {
    bits = static_cast<std::uint32_t>(bytes[0]) << 16U | static_cast<std::uint32_t>(bytes[1])
                                                             << 24U;
  }
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  if (!std::isfinite(value) || value <= 0) {
    Damaged("tensor '" + entry.name + "' is not above 0");
  }
  return value;
}

std::vector<fs::path> IndexedShards(const fs::path& folder, const json& index,
                                    const std::string& where) {
  const json* const map = JsonMember(index, "weight_map");
  if (map == nullptr || !map->is_object()) Damaged(where + ": 'weight_map' is missing");
  std::vector<std::string> names;
  for (const auto& [tensor, file] : map->items()) {
    std::string in_map = where + ": tensor '";
    in_map.append(tensor).append("' ");
    if (!file.is_string()) Damaged(in_map + "has no file");
    const auto name = file.get<std::string>();
    // In the folder itself: an index must not lead elsewhere.
    if (name.find('/') != std::string::npos || !name.ends_with(kExtension)) {
      Damaged(in_map + "is in a file of another kind or folder");
    }
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.size() > kMaxSafetensorsShards) Damaged(where + ": too many files");
  std::vector<fs::path> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) paths.push_back(folder / name);
  return paths;
}

std::vector<fs::path> ShardPaths(const fs::path& folder) {
  if (fs::exists(folder / "model.safetensors")) return {folder / "model.safetensors"};
  const fs::path index_path = folder / "model.safetensors.index.json";
  const json index = ReadJsonFile(index_path, kMaxSafetensorsHeaderBytes);
  if (!index.is_discarded()) {
    return IndexedShards(folder, index, "'" + index_path.native() + "'");
  }
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == kExtension) found.push_back(entry.path());
  }
  if (found.size() != 1) {
    throw Error(ErrorCode::kNotFound, "'" + folder.native() +
                                          "' holds neither model.safetensors nor its index nor "
                                          "one other .safetensors file");
  }
  return found;
}

class HfModel final : public ModelFile {
 public:
  explicit HfModel(const fs::path& path) {
    const bool is_folder = fs::is_directory(path);
    const fs::path folder = is_folder ? path : path.parent_path();
    const std::vector<fs::path> paths = is_folder ? ShardPaths(path) : std::vector<fs::path>{path};
    for (const fs::path& shard : paths) shards_.emplace_back(shard);

    const fs::path config_path = folder / "config.json";
    const json config = ReadJsonFile(config_path, kMaxConfigBytes);
    if (config.is_discarded()) {
      throw Error(ErrorCode::kNotFound, "'" + config_path.native() + "' is missing");
    }
    const std::string where = "'" + config_path.native() + "'";
    metadata_["general.name"] = fs::absolute(folder).lexically_normal().filename().string();
    const bool bert = IsHfBert(config);
    HfLinear linear = HfLinear::kDense;
    if (bert) {
      TranslateBert(folder, config, where, metadata_);
    } else {
      linear = TranslateConfig(config, where, metadata_);
    }
    backbone_ = BackboneOf(metadata_);
    const bool tied = JsonFlag(config, "tie_word_embeddings", where).value_or(false);
    for (const SafetensorsShard& shard : shards_) {
      for (const SafetensorsEntry& entry : shard.entries()) {
        const auto name = bert ? BertTensorName(entry.name) : GgufName(entry.name, backbone_);
        if (name && !(tied && *name == "output.weight")) AddTensor(entry, *name, linear);
      }
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (!by_name_.emplace(tensors_[i].name, i).second) {
        Damaged("'" + folder.native() + "': two tensors are '" + tensors_[i].name + "'");
      }
    }
    CheckScales();
    const TensorView* const embedding = Find("token_embd.weight");
    TranslateTokenizer(folder, config, embedding == nullptr ? 0 : embedding->rows(), metadata_);
    TranslatePrompts(folder, metadata_);
  }

  [[nodiscard]] const std::map<std::string, MetadataValue>& metadata() const override {
    return metadata_;
  }
  [[nodiscard]] const std::vector<TensorView>& tensors() const override { return tensors_; }
  [[nodiscard]] const TensorView* Find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
  }
  [[nodiscard]] std::string Sha256() const override {
    Sha256Hasher hasher;
    for (const SafetensorsShard& shard : shards_) shard.file().Hash(hasher);
    return ToHex(hasher.Finish());
  }
  [[nodiscard]] std::uint64_t size_bytes() const override {
    std::uint64_t size = 0;
    for (const SafetensorsShard& shard : shards_) size += shard.file().bytes().size();
    return size;
  }
  void Release(const TensorView& tensor) const noexcept override {
    for (const SafetensorsShard& shard : shards_) {
      const auto bytes = shard.file().bytes();
      if (tensor.bytes.data() >= bytes.data() &&
          tensor.bytes.data() < bytes.data() + bytes.size()) {
        shard.file().Release(tensor.bytes);
      }
    }
  }

 private:
  void AddTensor(const SafetensorsEntry& entry, const std::string& name, HfLinear linear) {
    TensorView view;
    view.name = name;
    view.shape = entry.shape;
    view.bytes = entry.bytes;
    view.stored_type = entry.dtype;
    view.dtype = TypeOf(entry.dtype);
    if (name.ends_with(".scale")) {
      const float stored = OneFloat(entry);
      const float scale = linear == HfLinear::kScaleDivides ? 1 / stored : stored;
      auto& bytes = scales_.emplace_back();
      std::memcpy(bytes.data(), &scale, sizeof(scale));
      view.dtype = DType::kF32;
      view.bytes = bytes;
    } else if (entry.dtype == "U8" && entry.shape.size() == 2 &&
               (linear == HfLinear::kScaleDivides || linear == HfLinear::kScaleMultiplies)) {
      view.dtype = DType::kPackedUint8;
      view.shape.front() *= 4;
    } else if (backbone_ == Backbone::kGemma && IsGemmaNorm(name)) {
      AddOne(view);
    }
    tensors_.push_back(std::move(view));
  }

  // Gemma stores what its norms add to 1; GGUF, what they multiply with.
  void AddOne(TensorView& norm) {
    if (norm.shape.size() != 1 || norm.shape[0] > kernels::kMaxColumns || !CanWiden(norm.dtype)) {
      Damaged("tensor '" + norm.name + "' is not a vector of floats");
    }
    std::vector<float> values(norm.shape[0]);
    WidenRow(norm, 0, *kernels::RunnableKernels().front(), values.data());
    for (float& value : values) value += 1;
    auto& bytes = norms_.emplace_back(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    norm.dtype = DType::kF32;
    norm.stored_type = DTypeName(DType::kF32);
    norm.bytes = bytes;
  }

  void CheckScales() const {
    constexpr std::string_view kScale = ".scale";
    for (const TensorView& tensor : tensors_) {
      if (!tensor.name.ends_with(kScale)) continue;
      const std::string stem = tensor.name.substr(0, tensor.name.size() - kScale.size());
      const TensorView* const weight = Find(stem + ".weight");
      if (weight == nullptr || weight->dtype != DType::kPackedUint8) {
        Damaged("tensor '" + tensor.name + "' scales no packed weights");
      }
    }
  }

  std::deque<SafetensorsShard> shards_;  // in the order of their names
  std::deque<std::array<std::uint8_t, sizeof(float)>> scales_;
  std::deque<std::vector<std::uint8_t>> norms_;
  Backbone backbone_ = Backbone::kGenerator;
  Metadata metadata_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string_view, std::size_t> by_name_;  // views into tensors_
};

}  // namespace

std::unique_ptr<ModelFile> OpenSafetensors(const fs::path& path) {
  return std::make_unique<HfModel>(path);
}

}  // namespace sworn::llm
