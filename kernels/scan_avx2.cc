// The scan of 8-bit codes with vpmaddwd: codes are widened to 16 bits, since the 16-bit sums of
// vpmaddubsw would saturate at 2 * 255 * 127. A pair sum is at most 2 * 255 * 2^15.
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx2")

namespace sworn::kernels {
namespace avx2 {
namespace {

constexpr std::size_t kStep = 16;         // columns of a vector
constexpr std::size_t kPrefetch = 2'048;  // bytes ahead of a stream from memory

[[gnu::always_inline]] inline __m128i Load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

template <std::size_t kRows>
void Rows(const std::uint8_t* codes, std::size_t stride, std::size_t columns,
          const ScanQuery& query, std::int32_t* out, std::size_t out_stride) {
  __m256i sums[kRows];
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) sums[r] = _mm256_setzero_si256();
  std::size_t k = 0;
  for (; k + kStep <= columns; k += kStep) {
    const __m256i high = _mm256_cvtepi8_epi16(Load(query.high + k));
    const __m256i low = _mm256_cvtepi8_epi16(Load(query.low + k));
    const __m256i x = _mm256_add_epi16(_mm256_slli_epi16(high, 8), low);
    SWORN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint8_t* const from = codes + r * stride + k;
      _mm_prefetch(reinterpret_cast<const char*>(from + kPrefetch), _MM_HINT_T0);
      sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(_mm256_cvtepu8_epi16(Load(from)), x));
    }
  }
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    __m128i sum =
        _mm_add_epi32(_mm256_castsi256_si128(sums[r]), _mm256_extracti128_si256(sums[r], 1));
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
}  // namespace avx2

const ScanOps kAvx2ScanOps = {avx2::Scan};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
