// The scan of 8-bit codes with SDOT, whose operands are both signed: code - 128 is multiplied, and
// 128 times the sum of the query is added at the end.
#include <cstddef>
#include <cstdint>

#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("arch=armv8.2-a+dotprod")

namespace sworn::kernels {
namespace dotprod {
namespace {

constexpr std::size_t kStep = 16;  // columns of a vector

template <std::size_t kRows>
void Rows(const std::uint8_t* codes, std::size_t stride, std::size_t columns,
          const ScanQuery& query, std::int32_t* out, std::size_t out_stride) {
  int32x4_t high_sums[kRows];
  int32x4_t low_sums[kRows];
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) high_sums[r] = low_sums[r] = vdupq_n_s32(0);
  // The query's own sums, in vectors too.
  int32x4_t query_high = vdupq_n_s32(0);
  int32x4_t query_low = vdupq_n_s32(0);
  const int8x16_t ones = vdupq_n_s8(1);
  std::size_t k = 0;
  for (; k + kStep <= columns; k += kStep) {
    const int8x16_t high = vld1q_s8(query.high + k);
    const int8x16_t low = vld1q_s8(query.low + k);
    query_high = vdotq_s32(query_high, high, ones);
    query_low = vdotq_s32(query_low, low, ones);
    SWORN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const uint8x16_t stored = vld1q_u8(codes + r * stride + k);
      const int8x16_t vector = vreinterpretq_s8_u8(veorq_u8(stored, vdupq_n_u8(0x80)));
      high_sums[r] = vdotq_s32(high_sums[r], vector, high);
      low_sums[r] = vdotq_s32(low_sums[r], vector, low);
    }
  }
  const int32x4_t offset = vshlq_n_s32(vaddq_s32(vshlq_n_s32(query_high, 8), query_low), 7);
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    const int32x4_t both = vaddq_s32(vshlq_n_s32(high_sums[r], 8), low_sums[r]);
    out[r * out_stride] = vaddvq_s32(vaddq_s32(both, offset));
    for (std::size_t rest = k; rest < columns; ++rest) {
      out[r * out_stride] += codes[r * stride + rest] * (256 * query.high[rest] + query.low[rest]);
    }
  }
}

#include "kernels/scan_rows.inc"

}  // namespace
}  // namespace dotprod

const ScanOps kDotprodScanOps = {dotprod::Scan};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __aarch64__
