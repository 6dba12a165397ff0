#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "kernels/panels.h"
#include "llm/files/gguf.h"

namespace sworn::llm {
namespace {

constexpr std::uint32_t kI2sBlock = 128;
constexpr std::uint64_t kI2sTail = 32;

// Numbers and sizes as in ggml.h and ggml-common.h of llama.cpp; I2_S as in the fork of bitnet.cpp.
constexpr std::array kTypes = {
    GgufTensorType{0, "F32", DType::kF32, 1, 4},
    GgufTensorType{1, "F16", DType::kF16, 1, 2},
    GgufTensorType{2, "Q4_0", DType::kOther, 32, 18},
    GgufTensorType{3, "Q4_1", DType::kOther, 32, 20},
    GgufTensorType{6, "Q5_0", DType::kOther, 32, 22},
    GgufTensorType{7, "Q5_1", DType::kOther, 32, 24},
    GgufTensorType{8, "Q8_0", DType::kQ8_0, 32, 34},
    GgufTensorType{9, "Q8_1", DType::kOther, 32, 36},
    GgufTensorType{10, "Q2_K", DType::kOther, 256, 84},
    GgufTensorType{11, "Q3_K", DType::kOther, 256, 110},
    GgufTensorType{12, "Q4_K", DType::kOther, 256, 144},
    GgufTensorType{13, "Q5_K", DType::kOther, 256, 176},
    GgufTensorType{14, "Q6_K", DType::kQ6K, 256, 210},
    GgufTensorType{15, "Q8_K", DType::kOther, 256, 292},
    GgufTensorType{16, "IQ2_XXS", DType::kOther, 256, 66},
    GgufTensorType{17, "IQ2_XS", DType::kOther, 256, 74},
    GgufTensorType{18, "IQ3_XXS", DType::kOther, 256, 98},
    GgufTensorType{19, "IQ1_S", DType::kOther, 256, 50},
    GgufTensorType{20, "IQ4_NL", DType::kOther, 32, 18},
    GgufTensorType{21, "IQ3_S", DType::kOther, 256, 110},
    GgufTensorType{22, "IQ2_S", DType::kOther, 256, 82},
    GgufTensorType{23, "IQ4_XS", DType::kOther, 256, 136},
    GgufTensorType{24, "I8", DType::kInt8, 1, 1},
    GgufTensorType{25, "I16", DType::kOther, 1, 2},
    GgufTensorType{26, "I32", DType::kOther, 1, 4},
    GgufTensorType{27, "I64", DType::kOther, 1, 8},
    GgufTensorType{28, "F64", DType::kOther, 1, 8},
    GgufTensorType{29, "IQ1_M", DType::kOther, 256, 56},
    GgufTensorType{30, "BF16", DType::kBf16, 1, 2},
    GgufTensorType{34, "TQ1_0", DType::kTq1_0, 256, 54},
    GgufTensorType{35, "TQ2_0", DType::kTq2_0, 256, 66},
    GgufTensorType{36, "I2_S", DType::kI2S, kI2sBlock, 0},
    GgufTensorType{kGgufPanelsType, "PANELS", DType::kPanels, 1, 0},
};

[[noreturn]] void Refuse(std::string_view name, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, "tensor '" + std::string(name) + "' " + why);
}

}  // namespace

std::string_view DTypeName(DType dtype) noexcept {
  if (dtype == DType::kPackedUint8) return "U8";
  const GgufTensorType* const type = FindGgufType(dtype);
  return type == nullptr ? "unreadable type" : type->name;
}

bool IsTernary(DType dtype) noexcept {
  switch (dtype) {
    case DType::kTq1_0:
    case DType::kTq2_0:
    case DType::kI2S:
    case DType::kPackedUint8:
    case DType::kPanels:
      return true;
    default:
      return false;
  }
}

bool IsTensorName(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxTensorNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

const GgufTensorType* FindGgufType(std::uint32_t id) noexcept {
  for (const GgufTensorType& type : kTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

const GgufTensorType* FindGgufType(DType dtype) noexcept {
  if (dtype == DType::kOther) return nullptr;
  for (const GgufTensorType& type : kTypes) {
    if (type.dtype == dtype) return &type;
  }
  return nullptr;
}

std::uint64_t GgufTensorBytes(const GgufTensorType& type, std::span<const std::size_t> shape,
                              std::string_view name) {
  if (shape.empty() || shape.size() > kMaxTensorDimensions) {
    Refuse(name, "has " + std::to_string(shape.size()) + " dimensions; 1 to " +
                     std::to_string(kMaxTensorDimensions) + " are read");
  }
  std::uint64_t elements = 1;
  for (const std::size_t length : shape) {
    if (length == 0) Refuse(name, "has a dimension of 0");
    if (length > kMaxTensorElements / elements) {
      Refuse(name, "has a shape of more than " + std::to_string(kMaxTensorElements) + " weights");
    }
    elements *= length;
  }
  const std::size_t columns = shape.back();
  if (columns % type.elements != 0) {
    std::string why = "of type " + std::string(type.name) + " has " + std::to_string(columns) +
                      " columns, which is no multiple of " + std::to_string(type.elements);
    if (type.dtype == DType::kI2S) {
      why +=
          ": its blocks would cross from one row into the next; import the model from its float "
          "weights instead";
    }
    Refuse(name, why);
  }
  if (type.dtype == DType::kI2S) return elements / 4 + kI2sTail;
  if (type.dtype == DType::kPanels) {
    if (shape.size() != 2) Refuse(name, "of type PANELS is no matrix");
    return kernels::PaddedRows(shape.front()) / kernels::kPanelRows *
           kernels::TernaryPanelBytes(columns);
  }
  return elements / type.elements * type.bytes;
}

}  // namespace sworn::llm
