#include "tests/llm/reference_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace sworn::llm::test {
namespace {

template <typename T>
T Load(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float HalfToFloat(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const int mantissa = half & 0x3FF;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return static_cast<float>((half & 0x8000) != 0 ? -magnitude : magnitude);
}

// 128 weights in 32 bytes: weight j in byte j mod 32 at bit 6 - 2 * (j div 32), code = value + 1;
// the scale stands behind them all.
std::vector<float> ReadI2s(const TensorView& tensor) {
  const std::size_t count = tensor.rows() * tensor.columns();
  const float scale = Load<float>(tensor.bytes.data() + count / 4);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t j = i % 128;
    const int byte = tensor.bytes[i / 128 * 32 + j % 32];
    values[i] = scale * static_cast<float>(((byte >> (6 - 2 * static_cast<int>(j / 32))) & 3) - 1);
  }
  return values;
}

// The sum of a[i] * b[i] in the order that kernels/kernels.h calls a lane sum.
float LaneSum(std::span<const float> a, std::span<const float> b) {
  std::array<float, 16> lanes{};
  for (std::size_t i = 0; i < a.size(); ++i) lanes[i % 16] = std::fma(a[i], b[i], lanes[i % 16]);
  for (const std::size_t width : {8U, 4U, 2U, 1U}) {
    for (std::size_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

// The sum of a[i] * b[i] in double.
float PlainSum(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return static_cast<float>(sum);
}

std::vector<float> ReadTensor(const TensorView& tensor) {
  if (tensor.dtype == DType::kI2S) return ReadI2s(tensor);
  std::vector<float> values(tensor.rows() * tensor.columns());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (tensor.dtype == DType::kF32) {
      values[i] = Load<float>(tensor.bytes.data() + 4 * i);
    } else if (tensor.dtype == DType::kF16) {
      values[i] = HalfToFloat(Load<std::uint16_t>(tensor.bytes.data() + 2 * i));
    } else {
      throw std::invalid_argument(tensor.name);
    }
  }
  return values;
}

}  // namespace

float RoundToHalf(float value) {
  if (value == 0) return value;
  const int exponent = std::max(std::ilogb(value), -14);
  return static_cast<float>(
      std::ldexp(std::nearbyint(std::ldexp(value, 10 - exponent)), exponent - 10));
}

double RelativeRms(std::span<const float> actual, std::span<const float> expected) {
  if (actual.size() != expected.size()) throw std::invalid_argument("sizes differ");
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(static_cast<double>(actual[i]) - expected[i], 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / size);
}

TensorSource ReadTensors(const ModelFile& file) {
  return [&file](const std::string& name) {
    const TensorView* tensor = file.Find(name);
    return tensor == nullptr ? std::vector<float>() : ReadTensor(*tensor);
  };
}

ReferenceModel::ReferenceModel(const ModelConfig& config, TensorSource source, bool rounding)
    : config_(config),
      source_(std::move(source)),
      rounding_(rounding),
      relu2_(config.architecture == "bitnet-b1.58" || config.architecture == "bitnet-25"),
      gemma_(config.architecture == "gemma3"),
      interleaved_(config.architecture == "llama") {}

const std::vector<float>& ReferenceModel::Tensor(const std::string& name) {
  const auto found = tensors_.find(name);
  return found != tensors_.end() ? found->second
                                 : tensors_.emplace(name, source_(name)).first->second;
}

// y = W x. For ternary models x becomes int8, q = round(x s) with s = 127 / max |x|, and
// y = (sum of q * sign(w)) * (scale / s) with an exact sum.
ReferenceModel::Rows ReferenceModel::Linear(const Rows& unnormed, const std::string& name,
                                            std::size_t outputs) {
  const std::string norm = name.substr(0, name.rfind('.')) + "_norm_in.weight";
  const Rows input = Tensor(norm).empty() ? unnormed : Norm(unnormed, norm);
  const std::vector<float>& weights = Tensor(name);
  const bool integers = config_.ternary && rounding_;
  float scale = 0;
  for (const float weight : weights) scale = std::max(scale, std::fabs(weight));
  Rows output;
  for (std::vector<float> x : input) {
    float s = 1;
    if (integers) {
      float largest = 1e-5F;
      for (const float value : x) largest = std::max(largest, std::fabs(value));
      s = 127 / largest;
      for (float& value : x) value = std::clamp(std::nearbyint(value * s), -128.0F, 127.0F);
    }
    std::vector<float>& y = output.emplace_back(outputs);
    for (std::size_t row = 0; row < outputs; ++row) {
      const auto w = std::span(weights).subspan(row * x.size(), x.size());
      if (!integers) {
        y[row] = PlainSum(w, x);
        continue;
      }
      int sum = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const int sign = (w[i] > 0 ? 1 : 0) - (w[i] < 0 ? 1 : 0);
        sum += sign * static_cast<int>(x[i]);
      }
      y[row] = static_cast<float>(sum) * (scale / s);
    }
  }
  return output;
}

ReferenceModel::Rows ReferenceModel::Norm(const Rows& input, const std::string& name) {
  const std::vector<float>& weights = Tensor(name);
  Rows output = input;
  for (std::vector<float>& x : output) {
    const float mean = LaneSum(x, x) / static_cast<float>(x.size());
    const float r = 1 / std::sqrt(mean + config_.norm_epsilon);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = x[i] * r * weights.at(i);
  }
  return output;
}

// Each head of each row by itself, if there is such a norm.
void ReferenceModel::NormHeads(Rows& rows, const std::string& name) {
  if (Tensor(name).empty()) return;
  for (std::vector<float>& row : rows) {
    for (std::size_t begin = 0; begin < row.size(); begin += config_.head_dim) {
      const auto head = row.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto end = head + static_cast<std::ptrdiff_t>(config_.head_dim);
      const Rows normed = Norm({std::vector<float>(head, end)}, name);
      std::copy(normed.front().begin(), normed.front().end(), head);
    }
  }
}

// Pair i of a head turns by position * theta^(-2i / head_dim); row t stands at position t.
void ReferenceModel::Rotate(Rows& rows, std::size_t heads, double theta) const {
  const std::size_t half = config_.head_dim / 2;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    for (std::size_t head = 0; head < heads; ++head) {
      float* x = rows[t].data() + head * config_.head_dim;
      for (std::size_t i = 0; i < half; ++i) {
        const auto frequency = static_cast<float>(
            std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(config_.head_dim)));
        const double angle = static_cast<double>(t) * frequency;
        const auto cosine = static_cast<float>(std::cos(angle));
        const auto sine = static_cast<float>(std::sin(angle));
        float& a = interleaved_ ? x[2 * i] : x[i];
        float& b = interleaved_ ? x[2 * i + 1] : x[i + half];
        const float turned = std::fma(a, cosine, -(b * sine));
        b = std::fma(b, cosine, a * sine);
        a = turned;
      }
    }
  }
}

ReferenceModel::Rows ReferenceModel::Attend(const Rows& queries, const Rows& keys,
                                            const Rows& values) const {
  const std::size_t dim = config_.head_dim;
  const std::size_t group = config_.heads / config_.kv_heads;
  const auto stored = [&](float value) { return rounding_ ? RoundToHalf(value) : value; };
  Rows output;
  for (std::size_t t = 0; t < queries.size(); ++t) {
    std::vector<float>& out = output.emplace_back(config_.heads * dim);
    for (std::size_t head = 0; head < config_.heads; ++head) {
      const std::size_t kv = head / group * dim;
      std::vector<double> scores(t + 1);
      for (std::size_t j = 0; j <= t; ++j) {
        float product = 0;
        for (std::size_t d = 0; d < dim; ++d) {
          product = std::fma(queries[t][head * dim + d], stored(keys[j][kv + d]), product);
        }
        scores[j] = product * config_.attention_scale;
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - largest);
      for (std::size_t d = 0; d < dim; ++d) {
        double mean = 0;
        for (std::size_t j = 0; j <= t; ++j) mean += scores[j] * stored(values[j][kv + d]);
        out[head * dim + d] = static_cast<float>(mean / sum);
      }
    }
  }
  return output;
}

void ReferenceModel::Layer(std::size_t layer, Rows& x) {
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  const bool sub_norms = !Tensor(prefix + "attn_sub_norm.weight").empty();
  const auto add = [&](Rows more, const std::string& norm) {
    if (!Tensor(prefix + norm).empty()) more = Norm(more, prefix + norm);
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t i = 0; i < x[t].size(); ++i) x[t][i] += more[t][i];
    }
  };

  Rows h = Norm(x, prefix + "attn_norm.weight");
  Rows queries = Linear(h, prefix + "attn_q.weight", config_.heads * config_.head_dim);
  Rows keys = Linear(h, prefix + "attn_k.weight", config_.kv_heads * config_.head_dim);
  const Rows values = Linear(h, prefix + "attn_v.weight", config_.kv_heads * config_.head_dim);
  NormHeads(queries, prefix + "attn_q_norm.weight");
  NormHeads(keys, prefix + "attn_k_norm.weight");
  const bool local = !config_.local_layers.empty() && config_.local_layers[layer];
  const float theta = local ? config_.local_rope_theta : config_.rope_theta;
  Rotate(queries, config_.heads, theta);
  Rotate(keys, config_.kv_heads, theta);
  h = Attend(queries, keys, values);
  if (sub_norms) h = Norm(h, prefix + "attn_sub_norm.weight");
  add(Linear(h, prefix + "attn_output.weight", config_.hidden), "post_attention_norm.weight");

  h = Norm(x, prefix + "ffn_norm.weight");
  Rows gate = Linear(h, prefix + "ffn_gate.weight", config_.ffn);
  const Rows up = Linear(h, prefix + "ffn_up.weight", config_.ffn);
  for (std::size_t t = 0; t < gate.size(); ++t) {
    for (std::size_t i = 0; i < config_.ffn; ++i) {
      const float g = gate[t][i];
      const float positive = std::max(g, 0.0F);
      // The square root of 2 / pi.
      const double bend = std::tanh(0.7978845608028654 * (g + 0.044715 * std::pow(g, 3.0)));
      const float activated = relu2_   ? positive * positive
                              : gemma_ ? static_cast<float>(0.5 * g * (1 + bend))
                                       : g / (1 + std::exp(-g));
      gate[t][i] = activated * up[t][i];
    }
  }
  if (sub_norms) gate = Norm(gate, prefix + "ffn_sub_norm.weight");
  add(Linear(gate, prefix + "ffn_down.weight", config_.hidden), "post_ffw_norm.weight");
}

std::vector<float> ReferenceModel::Hidden(std::span<const std::int32_t> tokens) {
  const std::vector<float>& embedding = Tensor("token_embd.weight");
  Rows x;
  for (const std::int32_t token : tokens) {
    const auto begin = embedding.begin() + static_cast<std::ptrdiff_t>(token) *
                                               static_cast<std::ptrdiff_t>(config_.hidden);
    x.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(config_.hidden));
    if (!gemma_) continue;
    for (float& value : x.back()) value *= std::sqrt(static_cast<float>(config_.hidden));
  }
  for (std::size_t layer = 0; layer < config_.layers; ++layer) Layer(layer, x);
  std::vector<float> hidden;
  for (const std::vector<float>& row : Norm(x, "output_norm.weight")) {
    hidden.insert(hidden.end(), row.begin(), row.end());
  }
  return hidden;
}

std::vector<float> ReferenceModel::Logits(std::span<const std::int32_t> tokens) {
  const std::vector<float> hidden = Hidden(tokens);
  const std::vector<float>& matrix =
      Tensor(Tensor("output.weight").empty() ? "token_embd.weight" : "output.weight");
  std::vector<float> logits(tokens.size() * config_.vocabulary);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    for (std::size_t v = 0; v < config_.vocabulary; ++v) {
      const auto row = std::span(matrix).subspan(v * config_.hidden, config_.hidden);
      logits[t * config_.vocabulary + v] =
          PlainSum(row, std::span(hidden).subspan(t * config_.hidden, config_.hidden));
    }
  }
  return logits;
}

}  // namespace sworn::llm::test
