#include "llm/files/model_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "kernels/kernels.h"
#include "llm/graph/linear_names.h"

namespace sworn::llm {
namespace {

constexpr std::uint64_t kMaxWidth = kernels::kMaxColumns;
constexpr std::uint64_t kMaxLayers = 1'024;
constexpr std::uint64_t kMaxHeads = 1'024;
constexpr std::uint64_t kMaxHeadDim = 256;
constexpr std::uint64_t kHeadDimMultiple = 4;  // of kernels::AttentionBlock
constexpr std::uint64_t kMaxContext = 16'777'216;

// Of Gemma 3, where the file does not say: five layers that see the sliding window, then one that
// sees everything.
constexpr std::uint64_t kGemmaWindowPeriod = 6;
constexpr double kGemmaLocalTheta = 10'000.0;

// llama.cpp's numbers of "pooling_type".
constexpr std::uint64_t kNoPooling = 0;
constexpr std::uint64_t kMeanPooling = 1;
constexpr std::uint64_t kLastPooling = 3;

struct Architecture {
  std::string_view name;
  Activation activation;
  RopePairs rope_pairs;  // as GGUF files of the architecture have them
  bool bitnet;           // ternary linear layers with norms in front of the output projections
  bool embeds = false;   // built for embedding models alone; norms of heads
  bool gemma = false;    // scaled embeddings, norms behind attention and ffn, local layers
};

constexpr std::array kArchitectures = {
    Architecture{"bitnet-b1.58", Activation::kRelu2, RopePairs::kHalves, true},
    Architecture{"bitnet-25", Activation::kRelu2, RopePairs::kHalves, true},
    Architecture{"bitnet", Activation::kSilu, RopePairs::kHalves, true},
    Architecture{"llama", Activation::kSilu, RopePairs::kInterleaved, false},
    Architecture{"qwen3", Activation::kSilu, RopePairs::kHalves, false, true},
    Architecture{"gemma3", Activation::kGelu, RopePairs::kHalves, false, true, true},
};

[[noreturn]] void Damaged(const std::string& why) { throw Error(ErrorCode::kIntegrity, why); }

[[noreturn]] void Unsupported(const std::string& why) {
  throw Error(ErrorCode::kUnsupportedMedia, why);
}

const Architecture& ArchitectureOf(const ModelFile& file) {
  const auto name = file.Text("general.architecture");
  if (!name) Damaged("metadata key 'general.architecture' is missing");
  std::string known;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == *name) return architecture;
    known += (known.empty() ? "" : ", ") + std::string(architecture.name);
  }
  Unsupported("the architecture '" + *name + "' is not built; these are: " + known);
}

// Keys of one architecture, with their bounds.
class Keys {
 public:
  Keys(const ModelFile& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  [[nodiscard]] std::string Name(std::string_view key) const { return prefix_ + std::string(key); }

  [[nodiscard]] std::optional<std::size_t> Optional(std::string_view key, std::uint64_t max) const {
    const auto value = file_.Number(Name(key));
    if (!value) return std::nullopt;
    if (*value == 0 || *value > max) {
      Damaged("metadata key '" + Name(key) + "' is " + std::to_string(*value) + ", not 1 to " +
              std::to_string(max));
    }
    return *value;
  }

  [[nodiscard]] std::size_t Needed(std::string_view key, std::uint64_t max) const {
    const auto value = Optional(key, max);
    if (!value) Damaged("metadata key '" + Name(key) + "' is missing");
    return *value;
  }

  /// A number above 0 and below `limit`.
  [[nodiscard]] float Real(std::string_view key, std::optional<double> fallback,
                           double limit) const {
    const auto value = file_.Real(Name(key));
    if (!value && !fallback) Damaged("metadata key '" + Name(key) + "' is missing");
    const double real = value ? *value : *fallback;
    if (!(real > 0 && real < limit)) {
      Damaged("metadata key '" + Name(key) + "' is " + std::to_string(real) +
              ", which is out of bounds");
    }
    return static_cast<float>(real);
  }

 private:
  const ModelFile& file_;
  std::string prefix_;
};

void ReadHeads(const Keys& keys, ModelConfig& config) {
  config.heads = keys.Needed("attention.head_count", kMaxHeads);
  config.kv_heads = keys.Optional("attention.head_count_kv", kMaxHeads).value_or(config.heads);
  if (config.heads % config.kv_heads != 0) {
    Damaged(std::to_string(config.heads) + " heads do not share " +
            std::to_string(config.kv_heads) + " key/value heads evenly");
  }
  const auto key_length = keys.Optional("attention.key_length", kMaxHeadDim);
  if (!key_length && config.hidden % config.heads != 0) {
    Damaged("metadata key '" + keys.Name("embedding_length") + "' is no multiple of the " +
            std::to_string(config.heads) + " heads");
  }
  config.head_dim = key_length.value_or(config.hidden / config.heads);
  if (config.head_dim > kMaxHeadDim || config.head_dim % kHeadDimMultiple != 0) {
    Unsupported("heads of " + std::to_string(config.head_dim) +
                " dimensions are not built; multiples of 4 up to " + std::to_string(kMaxHeadDim) +
                " are");
  }
  for (const std::string_view key : {"attention.value_length", "rope.dimension_count"}) {
    const auto length = keys.Optional(key, kMaxHeadDim);
    if (length && *length != config.head_dim) {
      Unsupported("metadata key '" + keys.Name(key) + "' is " + std::to_string(*length) +
                  ", not the " + std::to_string(config.head_dim) + " dimensions of a head");
    }
  }
}

// What would change the graph in a way that is not built.
void RefuseExtras(const ModelFile& file, const Keys& keys) {
  const auto scaling = file.Text(keys.Name("rope.scaling.type"));
  if ((scaling && *scaling != "none") || file.Find("rope_freqs.weight") != nullptr) {
    Unsupported("scaled rotary positions are not built");
  }
  if (file.Number(keys.Name("expert_count")).value_or(0) > 0) {
    Unsupported("mixtures of experts are not built");
  }
  for (const TensorView& tensor : file.tensors()) {
    if (tensor.name.ends_with(".bias")) {
      Unsupported("tensor '" + tensor.name + "': layers with a bias are not built");
    }
    if (!IsTernary(tensor.dtype) && file.Find(ScaleName(tensor.name)) != nullptr) {
      Unsupported("tensor '" + tensor.name + "': a scale beside weights that are not ternary");
    }
  }
}

// Layers that see only the last positions rotate with another theta. The window itself is not
// built: the model takes no text that is longer.
void ReadWindow(const ModelFile& file, const Keys& keys, bool gemma, ModelConfig& config) {
  const auto window = keys.Optional("attention.sliding_window", kMaxContext);
  if (!window) return;
  config.context = std::min(config.context, *window);
  if (!gemma) return;
  config.local_rope_theta = keys.Real("rope.freq_base_swa", kGemmaLocalTheta, 1e12);
  const std::string name = keys.Name("attention.sliding_window_pattern");
  const auto pattern = file.metadata().find(name);
  if (pattern != file.metadata().end()) {
    if (const auto* each = std::get_if<std::vector<std::int64_t>>(&pattern->second)) {
      if (each->size() != config.layers) {
        Damaged("metadata key '" + name + "' has " + std::to_string(each->size()) +
                " entries for " + std::to_string(config.layers) + " layers");
      }
      for (const std::int64_t local : *each) config.local_layers.push_back(local != 0);
      return;
    }
  }
  const std::size_t period =
      keys.Optional("attention.sliding_window_pattern", kMaxLayers).value_or(kGemmaWindowPeriod);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    config.local_layers.push_back((layer + 1) % period != 0);
  }
}

// What a model of one of the backbones needs to be one that embeds.
void CheckEmbedder(const ModelFile& file, const Keys& keys, const ModelConfig& config) {
  const std::string& name = config.architecture;
  const auto pooling = file.Number(keys.Name("pooling_type"));
  if (!config.projection_norms && pooling.value_or(kNoPooling) == kNoPooling) {
    Unsupported("this " + name + " model generates text; of this architecture only embedding " +
                "models are built");
  }
  // The published converter writes "mean" for models that say nothing, and these were trained with
  // the last token.
  if (pooling && *pooling != kNoPooling && *pooling != kMeanPooling && *pooling != kLastPooling) {
    Unsupported("metadata key '" + keys.Name("pooling_type") + "' is " + std::to_string(*pooling) +
                "; only the last token is pooled");
  }
  // Its first version left out the 1 that is added to the norms, and wrote this vocabulary.
  if (name == "gemma3" && file.Text("tokenizer.ggml.model").value_or("") == "gpt2") {
    Unsupported(
        "this gemma3 model has the vocabulary and norms of an early converter; convert it "
        "again or import the original folder");
  }
}

void ReadRopePairs(const ModelFile& file, ModelConfig& config) {
  const auto pairs = file.Text("sworn.rope.pairs");
  if (!pairs) return;
  if (*pairs == "halves") {
    config.rope_pairs = RopePairs::kHalves;
  } else if (*pairs == "interleaved") {
    config.rope_pairs = RopePairs::kInterleaved;
  } else {
    Damaged("metadata key 'sworn.rope.pairs' is neither 'halves' nor 'interleaved'");
  }
}

void CheckEmbedding(const ModelFile& file, const Keys& keys, ModelConfig& config) {
  const TensorView* const embedding = file.Find("token_embd.weight");
  if (embedding == nullptr) Damaged("tensor 'token_embd.weight' is missing");
  if (embedding->shape.size() != 2 || embedding->columns() != config.hidden) {
    Damaged("tensor 'token_embd.weight' does not have the " + std::to_string(config.hidden) +
            " columns of '" + keys.Name("embedding_length") + "'");
  }
  const auto vocabulary = keys.Optional("vocab_size", kMaxArrayElements);
  config.vocabulary = embedding->rows();
  if (config.vocabulary > kMaxArrayElements) {
    Damaged("tensor 'token_embd.weight' has " + std::to_string(config.vocabulary) + " rows");
  }
  if (vocabulary && *vocabulary != config.vocabulary) {
    Damaged("metadata key '" + keys.Name("vocab_size") + "' is " + std::to_string(*vocabulary) +
            ", but 'token_embd.weight' has " + std::to_string(config.vocabulary) + " rows");
  }
}

// Whether the linear layers are ternary: all of them or none.
bool LinearIsTernary(const ModelFile& file, std::size_t layers) {
  const TensorView* first = nullptr;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    for (const std::string_view kind : kLinearNames) {
      const std::string name = "blk." + std::to_string(layer) + "." + std::string(kind) + ".weight";
      const TensorView* const tensor = file.Find(name);
      if (tensor == nullptr) Damaged("tensor '" + name + "' is missing");
      if (first == nullptr) first = tensor;
      if (IsTernary(tensor->dtype) != IsTernary(first->dtype)) {
        Unsupported("ternary and other linear layers are mixed: tensors '" + first->name +
                    "' and '" + name + "'");
      }
    }
  }
  return first != nullptr && IsTernary(first->dtype);
}

}  // namespace

ModelConfig ReadModelConfig(const ModelFile& file) {
  const Architecture& architecture = ArchitectureOf(file);
  const Keys keys(file, architecture.name);
  ModelConfig config;
  config.architecture = architecture.name;
  config.name = file.Text("general.name").value_or("");
  config.hidden = keys.Needed("embedding_length", kMaxWidth);
  config.layers = keys.Needed("block_count", kMaxLayers);
  config.ffn = keys.Needed("feed_forward_length", kMaxWidth);
  config.context = keys.Needed("context_length", kMaxContext);
  config.norm_epsilon = keys.Real("attention.layer_norm_rms_epsilon", std::nullopt, 1.0);
  config.rope_theta = keys.Real("rope.freq_base", 10'000.0, 1e12);
  config.activation = architecture.activation;
  config.rope_pairs = architecture.rope_pairs;
  ReadHeads(keys, config);
  ReadRopePairs(file, config);
  RefuseExtras(file, keys);
  CheckEmbedding(file, keys, config);
  config.ternary = LinearIsTernary(file, config.layers);
  config.projection_norms = HasProjectionNorms(file);
  const bool master = file.Flag("sworn.linear.master").value_or(false);
  if ((architecture.bitnet || config.projection_norms || master) && !config.ternary) {
    Unsupported("the linear layers of this " + config.architecture +
                " model are not ternary yet; 'sworn model import' makes them so");
  }
  config.sub_norms = architecture.bitnet || file.Find("blk.0.attn_sub_norm.weight") != nullptr;
  config.head_norms = architecture.embeds;
  config.post_norms = architecture.gemma;
  config.embeds = architecture.embeds;
  if (architecture.gemma) {
    config.embedding_scale = std::sqrt(static_cast<float>(config.hidden));
  }
  config.attention_scale =
      keys.Real("attention.scale", 1.0 / std::sqrt(static_cast<float>(config.head_dim)), 1e3);
  ReadWindow(file, keys, architecture.gemma, config);
  if (config.embeds) CheckEmbedder(file, keys, config);
  return config;
}

bool HasProjectionNorms(const ModelFile& file) {
  return file.Find("blk.0.attn_q_norm_in.weight") != nullptr;
}

}  // namespace sworn::llm
