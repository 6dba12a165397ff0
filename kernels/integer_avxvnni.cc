// Integer products with vpdpbusd on 256 bits, for processors without AVX-512.
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx2,avxvnni")

namespace sworn::kernels {
namespace avxvnni {
namespace {

template <std::int32_t kWeightOffset>
struct Dot {
  static constexpr std::int32_t kOffset = kWeightOffset;
  static constexpr std::size_t kFoldColumns = kMaxColumns;
  static __m256i Add(__m256i sum, __m256i weights, __m256i x) {
    return _mm256_dpbusd_avx_epi32(sum, weights, x);
  }
  static __m256i Widen(__m256i sum) { return sum; }
};

#include "kernels/integer_256.inc"

}  // namespace
}  // namespace avxvnni

const IntegerOps kAvxVnniIntegerOps = {avxvnni::Panel<avxvnni::TernaryLayout, avxvnni::Dot<1>>,
                                       avxvnni::Panel<avxvnni::Int8Layout, avxvnni::Dot<128>>};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif
