// The scan of 8-bit codes with vpdpbusd on 256 bits. It adds four products of a byte each to an
// int32 sum without saturating.
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx2,avxvnni")

namespace sworn::kernels {
namespace avxvnni {
namespace {

constexpr std::size_t kStep = 32;         // columns of a vector
constexpr std::size_t kPrefetch = 2'048;  // bytes ahead of a stream from memory

[[gnu::always_inline]] inline __m256i Load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

template <std::size_t kRows>
void Rows(const std::uint8_t* codes, std::size_t stride, std::size_t columns,
          const ScanQuery& query, std::int32_t* out, std::size_t out_stride) {
  __m256i high_sums[kRows];
  __m256i low_sums[kRows];
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) high_sums[r] = low_sums[r] = _mm256_setzero_si256();
  std::size_t k = 0;
  for (; k + kStep <= columns; k += kStep) {
    const __m256i high = Load(query.high + k);
    const __m256i low = Load(query.low + k);
    SWORN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint8_t* const from = codes + r * stride + k;
      _mm_prefetch(reinterpret_cast<const char*>(from + kPrefetch), _MM_HINT_T0);
      const __m256i vector = Load(from);
      high_sums[r] = _mm256_dpbusd_avx_epi32(high_sums[r], vector, high);
      low_sums[r] = _mm256_dpbusd_avx_epi32(low_sums[r], vector, low);
    }
  }
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    const __m256i both = _mm256_add_epi32(_mm256_slli_epi32(high_sums[r], 8), low_sums[r]);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
    out[r * out_stride] = _mm_cvtsi128_si32(sum);
    for (std::size_t rest = k; rest < columns; ++rest) {
      out[r * out_stride] += codes[r * stride + rest] * (256 * query.high[rest] + query.low[rest]);
    }
  }
}

#include "kernels/scan_rows.inc"

}  // namespace
}  // namespace avxvnni

const ScanOps kAvxVnniScanOps = {avxvnni::Scan};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
