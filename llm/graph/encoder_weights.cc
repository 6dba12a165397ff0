#include "llm/graph/encoder_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>

#include "core/error.h"
#include "kernels/panels.h"
#include "llm/files/dequantize.h"
#include "llm/graph/linear_names.h"

namespace sworn::llm {
namespace {

[[noreturn]] void Damaged(const std::string& why) { throw Error(ErrorCode::kIntegrity, why); }

class Loader {
 public:
  Loader(const ModelFile& file, const EncoderConfig& config, const kernels::KernelTable& kernels,
         ThreadTeam& team)
      : file_(file), config_(config), kernels_(kernels), team_(team) {}

  EncoderWeights Load() {
    EncoderWeights weights;
    weights.words = &Matrix("token_embd.weight", config_.vocabulary, config_.hidden);
    weights.positions = &Need("position_embd.weight");  // its shape is ReadEncoderConfig's matter
    if (!CanWiden(weights.words->dtype)) Refuse(*weights.words);
    if (!CanWiden(weights.positions->dtype)) Refuse(*weights.positions);
    weights.token_type = TokenType();
    weights.embedding_norm = Norm("token_embd_norm");
    weights.layers.reserve(config_.layers);
    for (std::size_t i = 0; i < config_.layers; ++i) weights.layers.push_back(Layer(i));
    return weights;
  }

 private:
  [[noreturn]] static void Refuse(const TensorView& tensor) {
    Damaged("tensor '" + tensor.name + "' has a wrong shape, or the type " +
            std::string(DTypeName(tensor.dtype)) + " that it cannot have");
  }

  const TensorView& Need(const std::string& name) const {
    const TensorView* const tensor = file_.Find(name);
    if (tensor == nullptr) Damaged("the model has no tensor '" + name + "'");
    return *tensor;
  }

  const TensorView& Matrix(const std::string& name, std::size_t rows, std::size_t columns) const {
    const TensorView& tensor = Need(name);
    if (tensor.shape != std::vector<std::size_t>{rows, columns}) Refuse(tensor);
    return tensor;
  }

  std::vector<float> Widened(const TensorView& tensor, std::size_t length) const {
    std::vector<float> values(length);
    WidenRow(tensor, 0, kernels_, values.data());
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
      Damaged("tensor '" + tensor.name + "' holds a number that is not finite");
    }
    return values;
  }

  std::vector<float> Vector(const std::string& name, std::size_t length) const {
    const TensorView& tensor = Need(name);
    if (tensor.shape != std::vector<std::size_t>{length} || !CanWiden(tensor.dtype)) Refuse(tensor);
    return Widened(tensor, length);
  }

  // All texts are of the first segment.
  std::vector<float> TokenType() const {
    const TensorView* const types = file_.Find("token_types.weight");
    if (types == nullptr) return std::vector<float>(config_.hidden, 0.0F);
    if (types->shape.size() > 2 || types->columns() != config_.hidden || !CanWiden(types->dtype)) {
      Refuse(*types);
    }
    return Widened(*types, config_.hidden);
  }

  LayerNormWeights Norm(const std::string& name) const {
    return {Vector(name + ".weight", config_.hidden), Vector(name + ".bias", config_.hidden)};
  }

  BiasedLinear Linear(const std::string& name, std::size_t rows, std::size_t columns) {
    BiasedLinear linear;
    linear.rows = rows;
    linear.columns = columns;
    linear.tensor = &Matrix(name + ".weight", rows, columns);
    linear.bias = Vector(name + ".bias", rows);
    if (config_.int8 != (linear.tensor->dtype == DType::kInt8)) {
      Damaged("int8 and other linear layers are mixed: tensor '" + linear.tensor->name + "'");
    }
    if (config_.int8) {
      linear.scales = Vector(ScaleName(linear.tensor->name), rows);
      Pack(linear);
    } else if (!CanWiden(linear.tensor->dtype)) {
      Refuse(*linear.tensor);
    }
    return linear;
  }

  void Pack(BiasedLinear& linear) {
    const std::size_t bytes = kernels::Int8PanelBytes(linear.columns);
    linear.panels = MakeAlignedArray<std::uint8_t>(linear.panel_count() * bytes);
    std::uint8_t* const panels = linear.panels.get();
    const auto* const weights = reinterpret_cast<const std::int8_t*>(linear.tensor->bytes.data());
    team_.For(linear.panel_count(), [&](std::size_t panel, std::size_t /*thread*/) {
      const std::size_t first = panel * kernels::kPanelRows;
      const std::size_t rows = std::min(kernels::kPanelRows, linear.rows - first);
      kernels::PackInt8Panel({weights + first * linear.columns, rows * linear.columns}, rows,
                             linear.columns, panels + panel * bytes);
    });
    file_.Release(*linear.tensor);
  }

  EncoderLayer Layer(std::size_t index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    EncoderLayer layer;
    layer.query = Linear(prefix + "attn_q", config_.hidden, config_.hidden);
    layer.key = Linear(prefix + "attn_k", config_.hidden, config_.hidden);
    layer.value = Linear(prefix + "attn_v", config_.hidden, config_.hidden);
    layer.output = Linear(prefix + "attn_output", config_.hidden, config_.hidden);
    layer.attention_norm = Norm(prefix + "attn_output_norm");
    layer.up = Linear(prefix + "ffn_up", config_.ffn, config_.hidden);
    layer.down = Linear(prefix + "ffn_down", config_.hidden, config_.ffn);
    layer.output_norm = Norm(prefix + "layer_output_norm");
    return layer;
  }

  const ModelFile& file_;
  const EncoderConfig& config_;
  const kernels::KernelTable& kernels_;
  ThreadTeam& team_;
};

}  // namespace

EncoderWeights LoadEncoderWeights(const ModelFile& file, const EncoderConfig& config,
                                  const kernels::KernelTable& kernels, ThreadTeam& team) {
  return Loader(file, config, kernels, team).Load();
}

}  // namespace sworn::llm
