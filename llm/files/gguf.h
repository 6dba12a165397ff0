// GGUF: the container of llama.cpp and the one that `model import` writes. docs/formats/model.md
// states what is read and written; github.com/ggml-org/ggml/blob/master/docs/gguf.md is the source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "llm/files/model_file.h"
#include "llm/files/tensor.h"

namespace sworn::llm {

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr std::uint32_t kGgufVersion = 3;
/// Where a file does not say otherwise.
inline constexpr std::uint64_t kGgufDefaultAlignment = 32;
inline constexpr std::uint64_t kMaxGgufAlignment = 65'536;
inline constexpr std::uint64_t kMaxTensorNameBytes = 255;
inline constexpr std::uint64_t kMaxTensorElements = std::uint64_t{1} << 40U;
/// Type id of kPanels (kernels/panels.h): "SW" and a number that nobody else uses. Its bytes are
/// the panels of PaddedRows(rows) x PaddedColumns(columns).
inline constexpr std::uint32_t kGgufPanelsType = 0x5357'0001;

/// Metadata value types of GGUF, with their numbers in the file.
enum class GgufType : std::uint32_t {
  kUint8 = 0,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};

/// One of GGML's tensor types: `elements` consecutive weights of a row take `bytes` bytes. Of I2_S
/// and panels, which are sized as a whole, `elements` is what a row must be a multiple of.
struct GgufTensorType {
  std::uint32_t id;
  std::string_view name;
  DType dtype;
  std::uint32_t elements;
  std::uint32_t bytes;
};

/// Null for a number or a type that GGUF files of ours do not know.
const GgufTensorType* FindGgufType(std::uint32_t id) noexcept;
const GgufTensorType* FindGgufType(DType dtype) noexcept;

/// Bytes of a tensor of at most kMaxTensorDimensions dimensions, outermost first. Throws
/// kIntegrity, naming the tensor, for a shape that is empty, overflows, or does not fit the type.
std::uint64_t GgufTensorBytes(const GgufTensorType& type, std::span<const std::size_t> shape,
                              std::string_view name);

/// 1 to kMaxTensorNameBytes bytes of printable ASCII: what is safe to show.
bool IsTensorName(std::string_view name) noexcept;

/// Throws what OpenModelFile throws.
std::unique_ptr<ModelFile> OpenGguf(const std::filesystem::path& path);

}  // namespace sworn::llm
