#include "llm/files/encoder_config.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/kernels.h"

namespace sworn::llm {
namespace {

constexpr std::string_view kArchitecture = "bert";
constexpr std::uint64_t kMaxWidth = kernels::kMaxColumns;
constexpr std::uint64_t kMaxLayers = 1'024;
constexpr std::uint64_t kMaxHeads = 1'024;
constexpr std::uint64_t kMaxHeadDim = 256;
constexpr std::uint64_t kHeadDimMultiple = 4;  // of kernels::AttentionBlock
constexpr std::uint64_t kMaxPositions = 65'536;
constexpr std::uint64_t kMaxOffset = 16;

// llama.cpp's numbers of "pooling_type".
constexpr std::uint64_t kNoPooling = 0;
constexpr std::uint64_t kMeanPooling = 1;
constexpr std::uint64_t kClsPooling = 2;

[[noreturn]] void Damaged(const std::string& why) { throw Error(ErrorCode::kIntegrity, why); }

[[noreturn]] void Unsupported(const std::string& why) {
  throw Error(ErrorCode::kUnsupportedMedia, why);
}

std::string Key(std::string_view name) {
  return std::string(kArchitecture) + "." + std::string(name);
}

std::size_t Needed(const ModelFile& file, std::string_view name, std::uint64_t max) {
  const auto value = file.Number(Key(name));
  if (!value) Damaged("metadata key '" + Key(name) + "' is missing");
  if (*value == 0 || *value > max) {
    Damaged("metadata key '" + Key(name) + "' is " + std::to_string(*value) + ", not 1 to " +
            std::to_string(max));
  }
  return *value;
}

std::optional<Pooling> ReadPooling(const ModelFile& file) {
  const auto type = file.Number(Key("pooling_type"));
  if (!type || *type == kNoPooling) return std::nullopt;
  if (*type == kMeanPooling) return Pooling::kMean;
  if (*type == kClsPooling) return Pooling::kCls;
  Unsupported("metadata key '" + Key("pooling_type") + "' is " + std::to_string(*type) +
              "; of this architecture mean (1) and the first token (2) are built");
}

const TensorView& Table(const ModelFile& file, const std::string& name, std::size_t columns) {
  const TensorView* const table = file.Find(name);
  if (table == nullptr) Damaged("tensor '" + name + "' is missing");
  if (table->shape.size() != 2 || table->columns() != columns) {
    Damaged("tensor '" + name + "' does not have the " + std::to_string(columns) + " columns of '" +
            Key("embedding_length") + "'");
  }
  return *table;
}

void ReadPositions(const ModelFile& file, EncoderConfig& config) {
  config.position_offset = file.Number("sworn.position.offset").value_or(0);
  if (config.position_offset > kMaxOffset) {
    Damaged("metadata key 'sworn.position.offset' is " + std::to_string(config.position_offset));
  }
  const std::size_t rows = Table(file, "position_embd.weight", config.hidden).rows();
  const std::size_t context = Needed(file, "context_length", kMaxPositions);
  if (rows < context + config.position_offset) {
    Damaged("tensor 'position_embd.weight' has " + std::to_string(rows) + " rows for '" +
            Key("context_length") + "' " + std::to_string(context));
  }
  config.positions = context;
  const auto limit = file.Number("sworn.embedding.max_tokens");
  if (limit && *limit >= 2) config.positions = std::min<std::size_t>(config.positions, *limit);
  if (config.positions < 2) Damaged("'" + Key("context_length") + "' leaves no room for a text");
}

}  // namespace

std::string_view PoolingName(Pooling pooling) noexcept {
  return pooling == Pooling::kMean ? "mean" : "cls";
}

std::optional<Pooling> PoolingByName(std::string_view name) noexcept {
  for (const Pooling pooling : {Pooling::kMean, Pooling::kCls}) {
    if (PoolingName(pooling) == name) return pooling;
  }
  return std::nullopt;
}

bool IsEncoder(const ModelFile& file) {
  return file.Text("general.architecture").value_or("") == kArchitecture;
}

EncoderConfig ReadEncoderConfig(const ModelFile& file) {
  EncoderConfig config;
  config.architecture = file.Text("general.architecture").value_or("");
  if (config.architecture != kArchitecture) {
    Unsupported("the architecture '" + config.architecture + "' is no encoder that is built");
  }
  if (file.Flag(Key("attention.causal")).value_or(false)) {
    Unsupported("encoders whose tokens see only what came before are not built");
  }
  config.name = file.Text("general.name").value_or("");
  config.hidden = Needed(file, "embedding_length", kMaxWidth);
  config.layers = Needed(file, "block_count", kMaxLayers);
  config.ffn = Needed(file, "feed_forward_length", kMaxWidth);
  config.heads = Needed(file, "attention.head_count", kMaxHeads);
  if (config.hidden % config.heads != 0) {
    Damaged("metadata key '" + Key("embedding_length") + "' is no multiple of the " +
            std::to_string(config.heads) + " heads");
  }
  config.head_dim = config.hidden / config.heads;
  if (config.head_dim > kMaxHeadDim || config.head_dim % kHeadDimMultiple != 0) {
    Unsupported("heads of " + std::to_string(config.head_dim) +
                " dimensions are not built; multiples of 4 up to " + std::to_string(kMaxHeadDim) +
                " are");
  }
  const double epsilon = file.Real(Key("attention.layer_norm_epsilon")).value_or(1e-12);
  if (!(epsilon > 0 && epsilon < 1)) {
    Damaged("metadata key '" + Key("attention.layer_norm_epsilon") + "' is out of bounds");
  }
  config.norm_epsilon = static_cast<float>(epsilon);
  config.vocabulary = Table(file, "token_embd.weight", config.hidden).rows();
  if (config.vocabulary > kMaxArrayElements) Damaged("'token_embd.weight' has too many rows");
  ReadPositions(file, config);
  config.pooling = ReadPooling(file);
  const TensorView* const first = file.Find("blk.0.attn_q.weight");
  config.int8 = first != nullptr && first->dtype == DType::kInt8;
  return config;
}

}  // namespace sworn::llm
