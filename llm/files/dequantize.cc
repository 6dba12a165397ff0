#include "llm/files/dequantize.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "kernels/panels.h"
#include "llm/graph/linear_names.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kQ8Block = 32;
constexpr std::size_t kQ8Bytes = 34;
constexpr std::size_t kSuperBlock = 256;  // of Q6_K, TQ1_0 and TQ2_0
constexpr std::size_t kQ6Bytes = 210;
constexpr std::size_t kTq1Bytes = 54;
constexpr std::size_t kTq2Bytes = 66;
constexpr std::size_t kI2sBlock = 128;
constexpr std::size_t kI2sBytes = 32;

float HalfToFloat(const std::uint8_t* bytes) noexcept {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof(half));
  const std::uint32_t sign = (half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {  // zero and subnormal numbers: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign == 0 ? magnitude : -magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFFU : exponent + 112;  // 127 - 15
  return std::bit_cast<float>(sign | wide << 23U | mantissa << 13U);
}

void WidenQ8(const std::uint8_t* block, float* out) noexcept {
  const float scale = HalfToFloat(block);
  for (std::size_t i = 0; i < kQ8Block; ++i) {
    out[i] = scale * static_cast<float>(std::bit_cast<std::int8_t>(block[2 + i]));
  }
}

// Weights 0..127 of a block: 64 bytes of low halves, 32 bytes of high bits and eight scales; 128 to
// 255 the same again. Four weights stand at the positions l, l + 32, l + 64 and l + 96.
void WidenQ6(const std::uint8_t* block, float* out) noexcept {
  const float scale = HalfToFloat(block + 208);
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint8_t* const low = block + half * 64;
    const std::uint8_t* const high = block + 128 + half * 32;
    const std::uint8_t* const scales = block + 192 + half * 8;
    for (std::size_t i = 0; i < 128; ++i) {
      const std::size_t lane = i % 32;
      const std::size_t quarter = i / 32;
      const unsigned nibble = quarter < 2 ? low[i % 64] & 0xFU : low[i % 64] >> 4U;
      const unsigned bits = (high[lane] >> (2 * quarter)) & 3U;
      const int value = static_cast<int>(nibble | bits << 4U) - 32;
      const auto sub_scale = std::bit_cast<std::int8_t>(scales[i / 16]);
      out[half * 128 + i] = scale * static_cast<float>(sub_scale) * static_cast<float>(value);
    }
  }
}

// Five ternary digits in a byte as a fixed-point fraction: multiplying by 3^n drops the first n.
std::int8_t Trit(std::uint8_t byte, std::size_t digit) noexcept {
  constexpr std::array<std::uint8_t, 5> kPowers = {1, 3, 9, 27, 81};
  const auto shifted = static_cast<std::uint8_t>(byte * kPowers[digit]);
  return static_cast<std::int8_t>((shifted * 3) / 256 - 1);
}

void Tq1Values(const std::uint8_t* block, std::int8_t* out) noexcept {
  for (std::size_t i = 0; i < 160; ++i) out[i] = Trit(block[i % 32], i / 32);
  for (std::size_t i = 0; i < 80; ++i) out[160 + i] = Trit(block[32 + i % 16], i / 16);
  for (std::size_t i = 0; i < 16; ++i) out[240 + i] = Trit(block[48 + i % 4], i / 4);
}

// Codes less one: -1 to 2, where 2 is no ternary value.
void Tq2Values(const std::uint8_t* block, std::int8_t* out) noexcept {
  for (std::size_t half = 0; half < 2; ++half, block += 32) {
    for (unsigned shift = 0; shift < 8; shift += 2, out += 32) {
      for (std::size_t i = 0; i < 32; ++i) {
        out[i] = static_cast<std::int8_t>(static_cast<int>((block[i] >> shift) & 3U) - 1);
      }
    }
  }
}

struct TernaryBlock {
  std::size_t bytes;
  const std::uint8_t* (*scale)(const std::uint8_t* block);
  void (*values)(const std::uint8_t* block, std::int8_t* out) noexcept;
};

TernaryBlock BlockOf(DType dtype) noexcept {
  if (dtype == DType::kTq1_0) {
    return {kTq1Bytes, [](const std::uint8_t* block) { return block + 52; }, Tq1Values};
  }
  return {kTq2Bytes, [](const std::uint8_t* block) { return block + 64; }, Tq2Values};
}

void WidenTernary(const TernaryBlock& kind, const std::uint8_t* block, float* out) noexcept {
  std::array<std::int8_t, kSuperBlock> values;
  kind.values(block, values.data());
  const float scale = HalfToFloat(kind.scale(block));
  for (std::size_t i = 0; i < kSuperBlock; ++i) out[i] = scale * static_cast<float>(values[i]);
}

// Rows of a matrix; of more dimensions, all but the last together.
std::size_t RowCount(const TensorView& tensor) noexcept {
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i) rows *= tensor.shape[i];
  return rows;
}

std::string TypeText(const TensorView& tensor) {
  return std::string(tensor.stored_type.empty() ? DTypeName(tensor.dtype) : tensor.stored_type);
}

// Calls widen(numbers) with the row's 16-bit numbers at an address that suits them.
template <typename Widen>
void WithAligned(std::span<const std::uint8_t> row, Widen widen) {
  if (reinterpret_cast<std::uintptr_t>(row.data()) % alignof(std::uint16_t) == 0) {
    widen(reinterpret_cast<const std::uint16_t*>(row.data()));
    return;
  }
  std::vector<std::uint16_t> copy(row.size() / 2);
  std::memcpy(copy.data(), row.data(), row.size());
  widen(copy.data());
}

[[noreturn]] void Refuse(const TensorView& tensor, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, "tensor '" + tensor.name + "' " + why);
}

float CheckedScale(const TensorView& tensor, float scale) {
  if (!std::isfinite(scale) || scale <= 0) {
    Refuse(tensor, "has the scale " + std::to_string(scale) + ", which is not above 0");
  }
  return scale;
}

// The value of "<name without .weight>.scale"; nothing if the file has none.
std::optional<float> ScaleTensor(const ModelFile& file, const TensorView& tensor) {
  const TensorView* const scale = file.Find(ScaleName(tensor.name));
  if (scale == nullptr) return std::nullopt;
  if (scale->dtype != DType::kF32 || scale->bytes.size() != sizeof(float)) {
    Refuse(*scale, "is not one F32 number");
  }
  float value = 0;
  std::memcpy(&value, scale->bytes.data(), sizeof(value));
  return CheckedScale(*scale, value);
}

// The scale of all blocks that are not all zeros; nothing if they differ, 1 if there are none.
std::optional<float> CommonBlockScale(const TensorView& tensor) {
  const TernaryBlock kind = BlockOf(tensor.dtype);
  std::optional<float> common;
  for (std::size_t at = 0; at < tensor.bytes.size(); at += kind.bytes) {
    const float scale = HalfToFloat(kind.scale(tensor.bytes.data() + at));
    if (scale == 0) continue;
    if (common && *common != scale) return std::nullopt;
    common = CheckedScale(tensor, scale);
  }
  return common.value_or(1.0F);
}

// Whole blocks with one shift for each run of 32, so that compilers take many weights at a time: a
// model that was not imported passes through here at every start.
void I2sRow(const TensorView& tensor, std::size_t row, std::int8_t* out) {
  const std::size_t columns = tensor.columns();
  const std::uint8_t* bytes = tensor.bytes.data() + row * columns / 4;
  for (std::size_t block = 0; block < columns / kI2sBlock; ++block, bytes += kI2sBytes) {
    for (unsigned shift = 8; shift > 0; out += kI2sBytes) {
      shift -= 2;
      for (std::size_t i = 0; i < kI2sBytes; ++i) {
        out[i] = static_cast<std::int8_t>(static_cast<int>((bytes[i] >> shift) & 3U) - 1);
      }
    }
  }
}

void PackedRow(const TensorView& tensor, std::size_t row, std::int8_t* out) {
  const std::size_t columns = tensor.columns();
  const std::size_t packed_rows = tensor.rows() / 4;
  assert(packed_rows > 0);  // the caller asks for a row that there is
  const std::uint8_t* const bytes = tensor.bytes.data() + row % packed_rows * columns;
  const std::size_t shift = 2 * (row / packed_rows);
  for (std::size_t i = 0; i < columns; ++i) {
    out[i] = static_cast<std::int8_t>(static_cast<int>((bytes[i] >> shift) & 3U) - 1);
  }
}

void BlockRow(const TensorView& tensor, std::size_t row, std::int8_t* out) {
  const TernaryBlock kind = BlockOf(tensor.dtype);
  const std::size_t blocks = tensor.columns() / kSuperBlock;
  const std::uint8_t* block = tensor.bytes.data() + row * blocks * kind.bytes;
  for (std::size_t i = 0; i < blocks; ++i, block += kind.bytes, out += kSuperBlock) {
    if (HalfToFloat(kind.scale(block)) == 0) {
      std::fill_n(out, kSuperBlock, std::int8_t{0});
    } else {
      kind.values(block, out);
    }
  }
}

void PanelRows(const TensorView& tensor, std::size_t first, std::size_t count, std::int8_t* out) {
  const std::size_t columns = tensor.columns();
  std::vector<std::int8_t> panel(kernels::kPanelRows * columns);
  for (std::size_t row = first; row < first + count;) {
    const std::size_t index = row / kernels::kPanelRows;
    const std::uint8_t* const bytes =
        tensor.bytes.data() + index * kernels::TernaryPanelBytes(columns);
    if (!kernels::UnpackTernaryPanel(bytes, columns, panel)) {
      Refuse(tensor, "has an invalid weight in rows " + std::to_string(row) + " to " +
                         std::to_string((index + 1) * kernels::kPanelRows - 1));
    }
    const std::size_t end = std::min(first + count, (index + 1) * kernels::kPanelRows);
    const auto from =
        panel.begin() + static_cast<std::ptrdiff_t>(row % kernels::kPanelRows * columns);
    out = std::copy_n(from, (end - row) * columns, out);
    row = end;
  }
}

}  // namespace

bool CanWiden(DType dtype) noexcept {
  switch (dtype) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBf16:
    case DType::kQ8_0:
    case DType::kQ6K:
    case DType::kTq1_0:
    case DType::kTq2_0:
      return true;
    default:
      return false;
  }
}

void WidenRow(const TensorView& tensor, std::size_t row, const kernels::KernelTable& kernels,
              float* out) {
  const std::size_t columns = tensor.columns();
  const std::size_t row_bytes = tensor.bytes.size() / RowCount(tensor);
  const auto bytes = tensor.bytes.subspan(row * row_bytes, row_bytes);
  switch (tensor.dtype) {
    case DType::kF32:
      std::memcpy(out, bytes.data(), bytes.size());
      return;
    case DType::kF16:
      WithAligned(bytes, [&](const std::uint16_t* in) { kernels.widen_f16(in, columns, out); });
      return;
    case DType::kBf16:
      WithAligned(bytes, [&](const std::uint16_t* in) { kernels.widen_bf16(in, columns, out); });
      return;
    case DType::kQ8_0:
      for (std::size_t i = 0; i < columns / kQ8Block; ++i) {
        WidenQ8(bytes.data() + i * kQ8Bytes, out + i * kQ8Block);
      }
      return;
    case DType::kQ6K:
      for (std::size_t i = 0; i < columns / kSuperBlock; ++i) {
        WidenQ6(bytes.data() + i * kQ6Bytes, out + i * kSuperBlock);
      }
      return;
    case DType::kTq1_0:
    case DType::kTq2_0: {
      const TernaryBlock kind = BlockOf(tensor.dtype);
      for (std::size_t i = 0; i < columns / kSuperBlock; ++i) {
        WidenTernary(kind, bytes.data() + i * kind.bytes, out + i * kSuperBlock);
      }
      return;
    }
    default:
      throw Error(ErrorCode::kUnsupportedMedia, "tensor '" + tensor.name + "' is of the type " +
                                                    TypeText(tensor) +
                                                    ", which is not read as numbers");
  }
}

std::optional<float> TernaryScale(const ModelFile& file, const TensorView& tensor) {
  const std::optional<float> extra = ScaleTensor(file, tensor);
  std::optional<float> own = 1.0F;
  switch (tensor.dtype) {
    case DType::kI2S: {
      float tail = 0;
      std::memcpy(&tail, tensor.bytes.data() + tensor.bytes.size() - kI2sBytes, sizeof(tail));
      own = CheckedScale(tensor, tail);
      break;
    }
    case DType::kTq1_0:
    case DType::kTq2_0:
      own = CommonBlockScale(tensor);
      break;
    default:
      if (!extra) Refuse(tensor, "has no scale beside it");
      break;
  }
  if (!own || !extra) return own;
  return CheckedScale(tensor, *own * *extra);
}

void TernaryRows(const TensorView& tensor, std::size_t first, std::size_t count, std::int8_t* out) {
  if (tensor.dtype == DType::kPanels) {
    PanelRows(tensor, first, count, out);
    return;
  }
  const std::size_t columns = tensor.columns();
  for (std::size_t row = first; row < first + count; ++row, out += columns) {
    switch (tensor.dtype) {
      case DType::kI2S:
        I2sRow(tensor, row, out);
        break;
      case DType::kPackedUint8:
        PackedRow(tensor, row, out);
        break;
      case DType::kTq1_0:
      case DType::kTq2_0:
        BlockRow(tensor, row, out);
        break;
      default:
        throw Error(ErrorCode::kUnsupportedMedia, "tensor '" + tensor.name + "' is of the type " +
                                                      TypeText(tensor) + ", which is not ternary");
    }
    std::int8_t largest = 0;
    for (std::size_t i = 0; i < columns; ++i) largest = std::max(largest, out[i]);
    if (largest > 1) {
      Refuse(tensor, "has an invalid weight in row " + std::to_string(row));
    }
  }
}

}  // namespace sworn::llm
