// The integer products with the dot product instructions of ARM: SDOT (4 columns of 4 rows times
// one token) and SMMLA (8 columns of 2 rows times 2 tokens). Needs GCC, or Clang from 16.
#include <cstddef>
#include <cstdint>

#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/ops.h"
#include "kernels/target.h"

namespace sworn::kernels {
namespace {

/// Rows of a panel that are worked on at once, in registers of 4 rows x 4 columns.
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kRegisters = kTileRows / 4;
constexpr std::size_t kGroupBytes = 4 * kPanelRows;

/// How a panel stores its weights: Get() is columns 4s .. 4s+3 of four rows as signed bytes, which
/// are the weights plus kOffset.
struct Ternary {
  static constexpr std::size_t kColumns = 16;  // of one group of 256 bytes
  static constexpr std::int32_t kOffset = 1;
  [[gnu::always_inline]] static int8x16_t Get(const std::uint8_t* four_rows, std::size_t s) {
    const int8x16_t shift = vdupq_n_s8(static_cast<std::int8_t>(-2 * static_cast<int>(s)));
    const uint8x16_t codes = vshlq_u8(vld1q_u8(four_rows), shift);
    return vreinterpretq_s8_u8(vandq_u8(codes, vdupq_n_u8(3)));
  }
};
struct Int8 {
  static constexpr std::size_t kColumns = 4;
  static constexpr std::int32_t kOffset = 0;
  [[gnu::always_inline]] static int8x16_t Get(const std::uint8_t* four_rows, std::size_t /*s*/) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(four_rows), vdupq_n_u8(0x80)));
  }
};

/// The four-row register `i` of a tile, for the columns from `k`, a multiple of 4.
template <typename Weights>
[[gnu::always_inline]] inline int8x16_t GetWeights(const std::uint8_t* tile, std::size_t k,
                                                   std::size_t i) {
  return Weights::Get(tile + k / Weights::kColumns * kGroupBytes + 16 * i,
                      k % Weights::kColumns / 4);
}

SWORN_TARGET_BEGIN("arch=armv8.2-a+dotprod")

/// kTokens tokens times the 16 rows that begin at `tile`.
template <typename Weights, std::size_t kTokens>
void DotTile(const std::uint8_t* tile, std::size_t columns, const std::int8_t* x,
             std::size_t x_stride, const std::int32_t* x_sums, std::int32_t* out) {
  int32x4_t sums[kTokens][kRegisters];
  SWORN_UNROLL
  for (std::size_t t = 0; t < kTokens; ++t) {
    SWORN_UNROLL
    for (std::size_t i = 0; i < kRegisters; ++i) {
      sums[t][i] = vdupq_n_s32(0);
    }
  }
  for (std::size_t k = 0; k < columns; k += 16) {
    int8x16_t inputs[kTokens];
    SWORN_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      inputs[t] = vld1q_s8(x + t * x_stride + k);
    }
    SWORN_UNROLL
    for (std::size_t i = 0; i < kRegisters; ++i) {
      const int8x16_t weights[] = {
          GetWeights<Weights>(tile, k, i), GetWeights<Weights>(tile, k + 4, i),
          GetWeights<Weights>(tile, k + 8, i), GetWeights<Weights>(tile, k + 12, i)};
      SWORN_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        int32x4_t sum = vdotq_laneq_s32(sums[t][i], weights[0], inputs[t], 0);
        sum = vdotq_laneq_s32(sum, weights[1], inputs[t], 1);
        sum = vdotq_laneq_s32(sum, weights[2], inputs[t], 2);
        sums[t][i] = vdotq_laneq_s32(sum, weights[3], inputs[t], 3);
      }
    }
  }
  SWORN_UNROLL
  for (std::size_t t = 0; t < kTokens; ++t) {
    const int32x4_t offset = vdupq_n_s32(Weights::kOffset * x_sums[t]);
    SWORN_UNROLL
    for (std::size_t i = 0; i < kRegisters; ++i) {
      vst1q_s32(out + t * kPanelRows + 4 * i, vsubq_s32(sums[t][i], offset));
    }
  }
}

template <typename Weights>
void DotPanel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
              std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
              std::int32_t* out) noexcept {
  for (std::size_t row = 0; row < kPanelRows; row += kTileRows) {
    const std::uint8_t* const tile = panel + 4 * row;
    std::size_t t = 0;
    for (; t + 4 <= tokens; t += 4) {
      DotTile<Weights, 4>(tile, columns, x + t * x_stride, x_stride, x_sums + t,
                          out + t * kPanelRows + row);
    }
    for (; t < tokens; ++t) {
      DotTile<Weights, 1>(tile, columns, x + t * x_stride, x_stride, x_sums + t,
                          out + t * kPanelRows + row);
    }
  }
}

SWORN_TARGET_END
SWORN_TARGET_BEGIN("arch=armv8.2-a+i8mm")

/// 2 * kPairs tokens times the 16 rows that begin at `tile`.
template <typename Weights, std::size_t kPairs>
void MatrixTile(const std::uint8_t* tile, std::size_t columns, const std::int8_t* x,
                std::size_t x_stride, const std::int32_t* x_sums, std::int32_t* out) {
  // sums[p][2 * i + h] holds rows 4i + 2h and the next, each times tokens 2p and 2p + 1.
  int32x4_t sums[kPairs][2 * kRegisters];
  SWORN_UNROLL
  for (std::size_t p = 0; p < kPairs; ++p) {
    SWORN_UNROLL
    for (std::size_t i = 0; i < 2 * kRegisters; ++i) {
      sums[p][i] = vdupq_n_s32(0);
    }
  }
  for (std::size_t k = 0; k < columns; k += 8) {
    int8x16_t inputs[kPairs];
    SWORN_UNROLL
    for (std::size_t p = 0; p < kPairs; ++p) {
      const std::int8_t* const pair = x + 2 * p * x_stride + k;
      inputs[p] = vcombine_s8(vld1_s8(pair), vld1_s8(pair + x_stride));
    }
    SWORN_UNROLL
    for (std::size_t i = 0; i < kRegisters; ++i) {
      const int32x4_t low = vreinterpretq_s32_s8(GetWeights<Weights>(tile, k, i));
      const int32x4_t high = vreinterpretq_s32_s8(GetWeights<Weights>(tile, k + 4, i));
      const int8x16_t first = vreinterpretq_s8_s32(vzip1q_s32(low, high));
      const int8x16_t second = vreinterpretq_s8_s32(vzip2q_s32(low, high));
      SWORN_UNROLL
      for (std::size_t p = 0; p < kPairs; ++p) {
        sums[p][2 * i] = vmmlaq_s32(sums[p][2 * i], first, inputs[p]);
        sums[p][2 * i + 1] = vmmlaq_s32(sums[p][2 * i + 1], second, inputs[p]);
      }
    }
  }
  SWORN_UNROLL
  for (std::size_t p = 0; p < kPairs; ++p) {
    const int32x4_t even_offset = vdupq_n_s32(Weights::kOffset * x_sums[2 * p]);
    const int32x4_t odd_offset = vdupq_n_s32(Weights::kOffset * x_sums[2 * p + 1]);
    std::int32_t* const even = out + 2 * p * kPanelRows;
    SWORN_UNROLL
    for (std::size_t i = 0; i < kRegisters; ++i) {
      const int32x4_t low = sums[p][2 * i];
      const int32x4_t high = sums[p][2 * i + 1];
      vst1q_s32(even + 4 * i, vsubq_s32(vuzp1q_s32(low, high), even_offset));
      vst1q_s32(even + kPanelRows + 4 * i, vsubq_s32(vuzp2q_s32(low, high), odd_offset));
    }
  }
}

template <typename Weights>
void MatrixPanel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
                 std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
                 std::int32_t* out) noexcept {
  const std::size_t paired = tokens / 2 * 2;
  for (std::size_t row = 0; row < kPanelRows; row += kTileRows) {
    const std::uint8_t* const tile = panel + 4 * row;
    std::size_t t = 0;
    for (; t + 4 <= paired; t += 4) {
      MatrixTile<Weights, 2>(tile, columns, x + t * x_stride, x_stride, x_sums + t,
                             out + t * kPanelRows + row);
    }
    if (t < paired) {
      MatrixTile<Weights, 1>(tile, columns, x + t * x_stride, x_stride, x_sums + t,
                             out + t * kPanelRows + row);
    }
  }
  if (paired < tokens) {  // the last one alone; every processor with SMMLA has SDOT
    DotPanel<Weights>(panel, columns, x + paired * x_stride, x_stride, x_sums + paired, 1,
                      out + paired * kPanelRows);
  }
}

SWORN_TARGET_END

}  // namespace

const IntegerOps kDotprodIntegerOps = {DotPanel<Ternary>, DotPanel<Int8>};
const IntegerOps kI8mmIntegerOps = {MatrixPanel<Ternary>, MatrixPanel<Int8>};

}  // namespace sworn::kernels
#endif  // __aarch64__
