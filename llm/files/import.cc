#include "llm/files/import.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kernels/kernels.h"
#include "kernels/panels.h"
#include "llm/files/dequantize.h"
#include "llm/files/encoder_config.h"
#include "llm/files/gguf_writer.h"
#include "llm/files/model_config.h"
#include "llm/graph/linear_names.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kCopyStep = std::size_t{4} * 1024 * 1024;
constexpr double kMinMean = 1e-5;  // of |W|, as in training
constexpr const char* kMaster = "sworn.linear.master";

bool WantsTernary(const ModelFile& file) {
  return file.Text("general.architecture").value_or("").starts_with("bitnet") ||
         file.Flag(kMaster).value_or(false) || HasProjectionNorms(file);
}

bool IsFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBf16;
}

enum class Action { kCopy, kRepack, kTernarise, kRound, kDrop };

// What becomes of one tensor; `scale` is that of kRepack.
struct Step {
  const TensorView* tensor;
  Action action;
  float scale;
};

class Importer {
 public:
  Importer(const ModelFile& file, GgufWriter& writer, const ImportProgress& progress,
           const CancelFlag& cancel)
      : file_(file),
        writer_(writer),
        progress_(progress),
        cancel_(cancel),
        kernels_(*kernels::RunnableKernels().front()),
        wants_ternary_(WantsTernary(file)) {}

  ImportSummary Run(const ImportOptions& options) {
    int8_ = options.int8;
    if (int8_ && !IsEncoder(file_)) {
      throw Error(ErrorCode::kInvalidArgument, "only encoders are made int8");
    }
    SetMetadata(options);
    for (const TensorView& tensor : file_.tensors()) Plan(tensor);
    for (const Step& step : steps_) Perform(step);
    return summary_;
  }

 private:
  void SetMetadata(const ImportOptions& options) {
    for (const auto& [key, value] : file_.metadata()) {
      if (key != kMaster) writer_.Set(key, ToGgufValue(value));
    }
    if (!options.pre_tokenizer.empty()) writer_.Set("tokenizer.ggml.pre", options.pre_tokenizer);
  }

  [[nodiscard]] Step StepFor(const TensorView& tensor) const {
    constexpr std::string_view kScale = ".scale";
    if (tensor.name.ends_with(kScale)) {
      const std::string stem = tensor.name.substr(0, tensor.name.size() - kScale.size());
      const TensorView* const weight = file_.Find(stem + ".weight");
      // It is multiplied into the scale that is written.
      if (weight != nullptr && IsTernary(weight->dtype)) return {&tensor, Action::kDrop, 0};
      if (weight != nullptr && weight->dtype == DType::kInt8) return {&tensor, Action::kCopy, 0};
      throw Error(ErrorCode::kUnsupportedMedia,
                  "tensor '" + tensor.name + "' scales weights that are not ternary");
    }
    if (IsTernary(tensor.dtype)) {
      const std::optional<float> scale = TernaryScale(file_, tensor);
      // Blocks with scales of their own are no panels; they are used as numbers.
      return {&tensor, scale ? Action::kRepack : Action::kCopy, scale.value_or(0)};
    }
    if (int8_ && IsLinearWeight(tensor.name) && CanWiden(tensor.dtype)) {
      return {&tensor, Action::kRound, 0};
    }
    if (wants_ternary_ && IsLinearWeight(tensor.name)) {
      if (IsFloat(tensor.dtype)) return {&tensor, Action::kTernarise, 0};
      throw Error(ErrorCode::kUnsupportedMedia,
                  "tensor '" + tensor.name + "' is " + std::string(tensor.stored_type) +
                      ", neither ternary nor the float weights to make it so");
    }
    return {&tensor, Action::kCopy, 0};
  }

  void Plan(const TensorView& tensor) {
    const Step step = StepFor(tensor);
    if (step.action == Action::kDrop) return;
    total_ += tensor.bytes.size();
    steps_.push_back(step);
    if (step.action == Action::kCopy) {
      if (tensor.dtype == DType::kOther) {
        throw Error(ErrorCode::kUnsupportedMedia, "tensor '" + tensor.name + "' is of the type " +
                                                      std::string(tensor.stored_type) +
                                                      ", which is not read");
      }
      writer_.AddTensor(tensor.name, tensor.dtype, tensor.shape);
      return;
    }
    if (tensor.columns() > kernels::kMaxColumns) {
      throw Error(ErrorCode::kIntegrity, "tensor '" + tensor.name + "' has too many columns");
    }
    if (step.action == Action::kRound) {
      writer_.AddTensor(tensor.name, DType::kInt8, tensor.shape);
      writer_.AddTensor(ScaleName(tensor.name), DType::kF32, {tensor.rows()});
      return;
    }
    writer_.AddTensor(tensor.name, DType::kPanels, tensor.shape);
    writer_.AddTensor(ScaleName(tensor.name), DType::kF32, {1});
  }

  void Perform(const Step& step) {
    const TensorView& tensor = *step.tensor;
    switch (step.action) {
      case Action::kCopy:
        Copy(tensor);
        ++summary_.copied;
        break;
      case Action::kRepack:
        WritePanels(tensor, step.scale, [&](std::size_t first, std::size_t count, auto* out) {
          TernaryRows(tensor, first, count, out);
        });
        ++summary_.repacked;
        break;
      case Action::kTernarise:
        Ternarise(tensor);
        break;
      case Action::kRound:
        Round(tensor);
        break;
      case Action::kDrop:
        break;
    }
    done_ += tensor.bytes.size();
    file_.Release(tensor);
    progress_(done_, total_);
  }

  void Copy(const TensorView& tensor) {
    TensorView part = tensor;
    for (std::size_t at = 0; at < tensor.bytes.size(); at += kCopyStep) {
      cancel_.ThrowIfCancelled();
      part.bytes = tensor.bytes.subspan(at, std::min(kCopyStep, tensor.bytes.size() - at));
      writer_.Append(part.bytes);
      file_.Release(part);
      progress_(done_ + at, total_);
    }
  }

  template <typename Rows>
  void WritePanels(const TensorView& tensor, float scale, Rows rows) {
    const std::size_t columns = tensor.columns();
    std::vector<std::int8_t> weights(kernels::kPanelRows * columns);
    std::vector<std::uint8_t> panel(kernels::TernaryPanelBytes(columns));
    for (std::size_t first = 0; first < tensor.rows(); first += kernels::kPanelRows) {
      cancel_.ThrowIfCancelled();
      const std::size_t count = std::min(kernels::kPanelRows, tensor.rows() - first);
      rows(first, count, weights.data());
      kernels::PackTernaryPanel(std::span(weights).first(count * columns), count, columns,
                                panel.data());
      writer_.Append(panel);
    }
    std::array<std::uint8_t, sizeof(scale)> bytes{};
    std::memcpy(bytes.data(), &scale, sizeof(scale));
    writer_.Append(bytes);
  }

  struct Magnitude {
    double mean = 0;
    float only = 0;  // where the weights are -only, 0 and only; else 0
  };

  Magnitude Measure(const TensorView& tensor) const {
    std::vector<float> row(tensor.columns());
    double sum = 0;
    float only = 0;
    bool single = true;
    for (std::size_t i = 0; i < tensor.rows(); ++i) {
      cancel_.ThrowIfCancelled();
      WidenRow(tensor, i, kernels_, row.data());
      for (const float weight : row) {
        const float magnitude = std::fabs(weight);
        if (!std::isfinite(weight)) RefuseWeight(tensor, i);
        sum += static_cast<double>(magnitude);
        if (magnitude == 0) continue;
        if (only == 0) only = magnitude;
        single = single && magnitude == only;
      }
    }
    const auto count = static_cast<double>(tensor.rows()) * static_cast<double>(row.size());
    return {sum / count, single ? only : 0};
  }

  void Ternarise(const TensorView& tensor) {
    const Magnitude magnitude = Measure(tensor);
    const float scale = magnitude.only != 0
                            ? magnitude.only
                            : static_cast<float>(std::max(magnitude.mean, kMinMean));
    const float inverse = 1 / scale;
    std::vector<float> row(tensor.columns());
    WritePanels(tensor, scale, [&](std::size_t first, std::size_t count, std::int8_t* out) {
      for (std::size_t i = first; i < first + count; ++i) {
        WidenRow(tensor, i, kernels_, row.data());
        for (const float weight : row) {
          // std::nearbyint: to even, in the rounding mode that every program starts in.
          *out++ =
              static_cast<std::int8_t>(std::clamp(std::nearbyint(weight * inverse), -1.0F, 1.0F));
        }
      }
    });
    ++summary_.ternarised;
  }

  void Round(const TensorView& tensor) {
    std::vector<float> row(tensor.columns());
    std::vector<std::uint8_t> codes(tensor.columns());
    std::vector<std::uint8_t> scales(tensor.rows() * sizeof(float));
    for (std::size_t i = 0; i < tensor.rows(); ++i) {
      cancel_.ThrowIfCancelled();
      WidenRow(tensor, i, kernels_, row.data());
      float largest = 0;
      for (const float weight : row) {
        if (!std::isfinite(weight)) RefuseWeight(tensor, i);
        largest = std::max(largest, std::fabs(weight));
      }
      const float factor = largest > 0 ? 127 / largest : 0;
      for (std::size_t j = 0; j < row.size(); ++j) {
        const float code = std::clamp(std::nearbyint(row[j] * factor), -127.0F, 127.0F);
        codes[j] = static_cast<std::uint8_t>(static_cast<std::int8_t>(code));
      }
      const float scale = largest / 127;
      std::memcpy(scales.data() + i * sizeof(scale), &scale, sizeof(scale));
      writer_.Append(codes);
    }
    writer_.Append(scales);
    ++summary_.rounded;
  }

  [[noreturn]] static void RefuseWeight(const TensorView& tensor, std::size_t row) {
    throw Error(ErrorCode::kIntegrity, "tensor '" + tensor.name + "' has a weight in row " +
                                           std::to_string(row) + " that is not finite");
  }

  const ModelFile& file_;
  GgufWriter& writer_;
  const ImportProgress& progress_;
  const CancelFlag& cancel_;
  const kernels::KernelTable& kernels_;
  const bool wants_ternary_;
  bool int8_ = false;
  std::vector<Step> steps_;
  ImportSummary summary_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

// A file that the engine would refuse is not left behind.
void CheckWritten(const std::filesystem::path& target) {
  try {
    const std::unique_ptr<ModelFile> file = OpenModelFile(target);
    if (IsEncoder(*file)) {
      ReadEncoderConfig(*file);
    } else {
      ReadModelConfig(*file);
    }
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(target, ignored);
    throw;
  }
}

}  // namespace

bool NeedsImport(const ModelFile& file) {
  const bool wants_ternary = WantsTernary(file);
  return std::any_of(file.tensors().begin(), file.tensors().end(), [&](const TensorView& tensor) {
    return tensor.dtype == DType::kPackedUint8 ||
           (wants_ternary && IsFloat(tensor.dtype) && IsLinearWeight(tensor.name));
  });
}

ImportSummary ImportModel(const std::filesystem::path& source, const std::filesystem::path& target,
                          const ImportOptions& options, FileOps& ops,
                          const ImportProgress& progress, const CancelFlag& cancel) {
  const std::unique_ptr<ModelFile> file = OpenModelFile(source);
  ImportSummary summary;
  {
    GgufWriter writer(target, ops);
    summary = Importer(*file, writer, progress, cancel).Run(options);
    writer.Finish();
  }
  CheckWritten(target);
  return summary;
}

}  // namespace sworn::llm
