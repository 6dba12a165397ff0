#include "llm/graph/weights.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "core/error.h"
#include "kernels/panels.h"
#include "llm/files/dequantize.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kPanelAlignment = 64;

std::string ShapeText(const TensorView& tensor) {
  std::string text = "[";
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(tensor.shape[i]);
  }
  return text + "]";
}

[[noreturn]] void RefuseTensor(const TensorView& tensor, const std::string& wanted) {
  throw Error(ErrorCode::kIntegrity, "tensor '" + tensor.name + "' is " + ShapeText(tensor) + " " +
                                         std::string(DTypeName(tensor.dtype)) + "; wanted " +
                                         wanted);
}

const TensorView& FindTensor(const ModelFile& file, const std::string& name) {
  const TensorView* tensor = file.Find(name);
  if (tensor == nullptr) {
    throw Error(ErrorCode::kIntegrity, "the model has no tensor '" + name + "'");
  }
  return *tensor;
}

const TensorView& FindMatrix(const ModelFile& file, const std::string& name, std::size_t rows,
                             std::size_t columns) {
  const TensorView& tensor = FindTensor(file, name);
  if (tensor.shape != std::vector<std::size_t>{rows, columns} ||
      !(CanWiden(tensor.dtype) || IsTernary(tensor.dtype))) {
    RefuseTensor(tensor, "[" + std::to_string(rows) + ", " + std::to_string(columns) +
                             "] of a type that can be read");
  }
  return tensor;
}

std::vector<float> LoadVector(const ModelFile& file, const std::string& name, std::size_t length,
                              const kernels::KernelTable& kernels) {
  const TensorView& tensor = FindTensor(file, name);
  if (tensor.shape != std::vector<std::size_t>{length} || !CanWiden(tensor.dtype)) {
    RefuseTensor(tensor, "[" + std::to_string(length) + "] of a float type");
  }
  std::vector<float> values(length);
  WidenRow(tensor, 0, kernels, values.data());
  return values;
}

void CheckWidth(const ModelConfig& config) {
  if (config.attention_width() > kernels::kMaxColumns) {
    throw Error(ErrorCode::kUnsupportedMedia, "an attention layer of width " +
                                                  std::to_string(config.attention_width()) +
                                                  " is not supported");
  }
}

// The first exception of the threads of a team, whose work may not throw.
class Failures {
 public:
  template <typename Work>
  void Catch(const Work& work) noexcept {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
    }
  }
  void Rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;  // guards first_ while the team works
  std::exception_ptr first_;
};

// Every matrix of the layers, with its place in the file and, where it has to be packed, in memory.
class Loader {
 public:
  Loader(const ModelFile& file, const ModelConfig& config, const kernels::KernelTable& kernels,
         ThreadTeam& team)
      : file_(file), config_(config), kernels_(kernels), team_(team) {}

  std::unique_ptr<const Weights> Load() {
    CheckWidth(config_);
    auto weights = std::make_unique<Weights>();
    weights->embedding =
        &FindMatrix(file_, "token_embd.weight", config_.vocabulary, config_.hidden);
    weights->output_matrix =
        file_.Find("output.weight") == nullptr
            ? weights->embedding
            : &FindMatrix(file_, "output.weight", config_.vocabulary, config_.hidden);
    for (const TensorView* matrix : {weights->embedding, weights->output_matrix}) {
      if (!CanWiden(matrix->dtype)) RefuseTensor(*matrix, "a type that widens to floats");
    }
    weights->output_norm = LoadVector(file_, "output_norm.weight", config_.hidden, kernels_);
    weights->layers.reserve(config_.layers);
    for (std::size_t layer = 0; layer < config_.layers; ++layer) {
      weights->layers.push_back(DescribeLayer(layer));
    }
    weights->packed = PackedMemory(packed_bytes_);
    std::uint8_t* place = weights->packed.data();
    for (LayerWeights& layer : weights->layers) {
      for (Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.output, &layer.gate,
                             &layer.up, &layer.down}) {
        if (IsMapped(*linear)) {
          CheckCodes(*linear);
        } else if (linear->scale != 0) {
          Pack(*linear, place);
          linear->panels = place;
          place += linear->panel_count() * kernels::TernaryPanelBytes(linear->columns);
        }
      }
    }
    return weights;
  }

 private:
  LayerWeights DescribeLayer(std::size_t index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const auto norm = [&](const std::string& name, std::size_t length) {
      return LoadVector(file_, prefix + name + ".weight", length, kernels_);
    };
    const auto linear = [&](const char* name, std::size_t rows, std::size_t columns,
                            bool rotated = false) {
      Linear described = Describe(prefix + name + ".weight", rows, columns, rotated);
      if (config_.projection_norms) {
        described.norm = norm(std::string(name) + "_norm_in", columns);
      }
      return described;
    };
    LayerWeights layer;
    layer.attention_norm = norm("attn_norm", config_.hidden);
    layer.ffn_norm = norm("ffn_norm", config_.hidden);
    if (config_.sub_norms) {
      layer.attention_sub_norm = norm("attn_sub_norm", config_.attention_width());
      layer.ffn_sub_norm = norm("ffn_sub_norm", config_.ffn);
    }
    if (config_.head_norms) {
      layer.query_norm = norm("attn_q_norm", config_.head_dim);
      layer.key_norm = norm("attn_k_norm", config_.head_dim);
    }
    if (config_.post_norms) {
      layer.attention_post_norm = norm("post_attention_norm", config_.hidden);
      layer.ffn_post_norm = norm("post_ffw_norm", config_.hidden);
    }
    layer.query = linear("attn_q", config_.attention_width(), config_.hidden, true);
    layer.key = linear("attn_k", config_.kv_width(), config_.hidden, true);
    layer.value = linear("attn_v", config_.kv_width(), config_.hidden);
    layer.output = linear("attn_output", config_.hidden, config_.attention_width());
    layer.gate = linear("ffn_gate", config_.ffn, config_.hidden);
    layer.up = linear("ffn_up", config_.ffn, config_.hidden);
    layer.down = linear("ffn_down", config_.hidden, config_.ffn);
    return layer;
  }

  Linear Describe(const std::string& name, std::size_t rows, std::size_t columns, bool rotated) {
    Linear linear;
    linear.rows = rows;
    linear.columns = columns;
    linear.tensor = &FindMatrix(file_, name, rows, columns);
    if (rotated && config_.rope_pairs == RopePairs::kInterleaved) {
      linear.interleaved_head_dim = config_.head_dim;
    }
    const std::optional<float> scale =
        IsTernary(linear.tensor->dtype) ? TernaryScale(file_, *linear.tensor) : std::nullopt;
    if (!scale) {
      if (!CanWiden(linear.tensor->dtype)) RefuseTensor(*linear.tensor, "one scale for the tensor");
      return linear;
    }
    linear.scale = *scale;
    const bool aligned =
        reinterpret_cast<std::uintptr_t>(linear.tensor->bytes.data()) % kPanelAlignment == 0;
    if (linear.tensor->dtype == DType::kPanels && aligned && linear.interleaved_head_dim == 0) {
      linear.panels = linear.tensor->bytes.data();
    } else {
      packed_bytes_ += linear.panel_count() * kernels::TernaryPanelBytes(columns);
    }
    return linear;
  }

  static bool IsMapped(const Linear& linear) { return linear.panels != nullptr; }

  // Code 3 means nothing; two set bits side by side are looked for eight bytes at a time.
  void CheckCodes(const Linear& linear) {
    const std::size_t bytes = kernels::TernaryPanelBytes(linear.columns);
    std::atomic<bool> valid{true};
    team_.For(linear.panel_count(), [&](std::size_t panel, std::size_t) {
      std::uint64_t both = 0;
      for (std::size_t i = 0; i < bytes; i += sizeof both) {
        std::uint64_t codes;
        std::memcpy(&codes, linear.panels + panel * bytes + i, sizeof codes);
        both |= codes & (codes >> 1) & 0x5555'5555'5555'5555U;
      }
      if (both != 0) valid.store(false, std::memory_order_relaxed);
    });
    if (!valid) {
      throw Error(ErrorCode::kIntegrity,
                  "tensor '" + linear.tensor->name + "' holds a code that is no ternary weight");
    }
  }

  void Pack(const Linear& linear, std::uint8_t* place) {
    Failures failures;
    std::vector<std::vector<std::int8_t>> rows_of_thread(team_.size());
    team_.For(linear.panel_count(), [&](std::size_t panel, std::size_t thread) {
      failures.Catch([&] {
        std::vector<std::int8_t>& rows = rows_of_thread[thread];
        rows.resize(kernels::kPanelRows * linear.columns);
        PackPanel(linear, panel, rows, place + panel * kernels::TernaryPanelBytes(linear.columns));
      });
    });
    failures.Rethrow();
    file_.Release(*linear.tensor);
  }

  static void PackPanel(const Linear& linear, std::size_t panel, std::vector<std::int8_t>& rows,
                        std::uint8_t* place) {
    const std::size_t first = panel * kernels::kPanelRows;
    const std::size_t count = std::min(kernels::kPanelRows, linear.rows - first);
    if (linear.interleaved_head_dim == 0) {
      TernaryRows(*linear.tensor, first, count, rows.data());
    } else {
      for (std::size_t row = 0; row < count; ++row) {
        TernaryRows(*linear.tensor, linear.SourceRow(first + row), 1,
                    rows.data() + row * linear.columns);
      }
    }
    kernels::PackTernaryPanel(std::span(rows).first(count * linear.columns), count, linear.columns,
                              place);
  }

  const ModelFile& file_;
  const ModelConfig& config_;
  const kernels::KernelTable& kernels_;
  ThreadTeam& team_;
  std::size_t packed_bytes_ = 0;
};

}  // namespace

std::size_t Linear::SourceRow(std::size_t row) const noexcept {
  if (interleaved_head_dim == 0) return row;
  const std::size_t half = interleaved_head_dim / 2;
  const std::size_t within = row % interleaved_head_dim;
  return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
}

std::unique_ptr<const Weights> LoadWeights(const ModelFile& file, const ModelConfig& config,
                                           const kernels::KernelTable& kernels, ThreadTeam& team) {
  return Loader(file, config, kernels, team).Load();
}

}  // namespace sworn::llm
