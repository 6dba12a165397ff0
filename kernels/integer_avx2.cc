// Integer products with vpmaddubsw, whose sums of two products have 16 bits only.
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx2")

namespace sworn::kernels {
namespace avx2 {
namespace {

// Codes are at most 2 and activations at least -128, so an instruction adds at most 2 * 2 * 128 to
// each 16-bit sum: 128 columns are 32 of them, 16384 of 32768.
struct TernaryDot {
  static constexpr std::int32_t kOffset = 1;
  static constexpr std::size_t kFoldColumns = 128;
  static __m256i Add(__m256i sum, __m256i weights, __m256i x) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(weights, x));
  }
  static __m256i Widen(__m256i sum) { return _mm256_madd_epi16(sum, _mm256_set1_epi16(1)); }
};

// Two products of a whole byte would overflow: 2 * 255 * 127. Halves stay within 2 * 127 * 128.
struct Int8Dot {
  static constexpr std::int32_t kOffset = 128;
  static constexpr std::size_t kFoldColumns = kMaxColumns;
  static __m256i Add(__m256i sum, __m256i weights, __m256i x) {
    const __m256i half = _mm256_and_si256(_mm256_srli_epi16(weights, 1), _mm256_set1_epi8(127));
    const __m256i rest = _mm256_and_si256(weights, _mm256_set1_epi8(1));
    const __m256i twice = _mm256_madd_epi16(_mm256_maddubs_epi16(half, x), _mm256_set1_epi16(2));
    const __m256i once = _mm256_madd_epi16(_mm256_maddubs_epi16(rest, x), _mm256_set1_epi16(1));
    return _mm256_add_epi32(sum, _mm256_add_epi32(twice, once));
  }
  static __m256i Widen(__m256i sum) { return sum; }
};

#include "kernels/integer_256.inc"

}  // namespace
}  // namespace avx2

const IntegerOps kAvx2IntegerOps = {avx2::Panel<avx2::TernaryLayout, avx2::TernaryDot>,
                                    avx2::Panel<avx2::Int8Layout, avx2::Int8Dot>};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif
