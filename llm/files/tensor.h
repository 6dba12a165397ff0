// What a model file holds: typed blocks of numbers, described but not interpreted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::llm {

/// Element types that can be read. The numbers of GGUF differ; llm/gguf.cc maps them.
enum class DType {
  kF32,
  kF16,
  kBf16,
  // NOLINTBEGIN(readability-identifier-naming): as GGML writes them
  kQ8_0,   // 32 weights: binary16 scale, 32 int8
  kQ6K,    // 256 weights in 210 bytes
  kTq1_0,  // 256 ternary weights in 54 bytes
  kTq2_0,  // 256 ternary weights in 66 bytes
  // NOLINTEND(readability-identifier-naming)
  kI2S,          // ternary, 128 weights in 32 bytes, one float32 scale behind the tensor
  kPackedUint8,  // ternary, safetensors of Hugging Face: 4 rows in a byte; the scale is a tensor
  kInt8,         // encoders: weight = scale of its row * int8; the scales are a tensor
  kPanels,       // ternary, kernels/panels.h; the scale is a tensor
  kOther,        // known to the container, not readable here
};

/// "F16", "I2_S".
std::string_view DTypeName(DType dtype) noexcept;

/// True for the types whose values are -s, 0 and s with one s for the tensor.
bool IsTernary(DType dtype) noexcept;

/// A view into a mapped file. shape is row-major, outermost first: [rows, columns] for a matrix,
/// [n] for a vector. `bytes` was checked to be exactly what dtype and shape need.
struct TensorView {
  std::string name;
  DType dtype = DType::kOther;
  std::vector<std::size_t> shape;
  std::span<const std::uint8_t> bytes;
  /// The container's own name of the type, for messages: "Q4_K" of a tensor that is kOther.
  std::string_view stored_type{};

  [[nodiscard]] std::size_t rows() const { return shape.size() > 1 ? shape.front() : 1; }
  [[nodiscard]] std::size_t columns() const { return shape.empty() ? 0 : shape.back(); }
};

}  // namespace sworn::llm
