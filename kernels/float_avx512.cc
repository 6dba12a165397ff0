// The float operations with AVX-512 (F, BW, DQ and VL, with the FMA and F16C that come with them).
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/kernels.h"
#include "kernels/ops.h"
#include "kernels/target.h"

#if !defined(__clang__)
// GCC 12 takes the "undefined" operands of its own intrinsics for ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")

namespace sworn::kernels {
namespace {

using Lanes = __m512;
using IntLanes = __m512i;
constexpr std::size_t kTileVectors = 4;

[[gnu::always_inline]] inline Lanes Broadcast(float x) { return _mm512_set1_ps(x); }
[[gnu::always_inline]] inline Lanes Load(const float* from) { return _mm512_loadu_ps(from); }
[[gnu::always_inline]] inline void Store(float* to, Lanes x) { _mm512_storeu_ps(to, x); }
[[gnu::always_inline]] inline Lanes Fma(Lanes a, Lanes b, Lanes c) {
  return _mm512_fmadd_ps(a, b, c);
}
[[gnu::always_inline]] inline Lanes Add(Lanes a, Lanes b) { return _mm512_add_ps(a, b); }
[[gnu::always_inline]] inline Lanes Sub(Lanes a, Lanes b) { return _mm512_sub_ps(a, b); }
[[gnu::always_inline]] inline Lanes Mul(Lanes a, Lanes b) { return _mm512_mul_ps(a, b); }
[[gnu::always_inline]] inline Lanes Div(Lanes a, Lanes b) { return _mm512_div_ps(a, b); }
[[gnu::always_inline]] inline Lanes Max(Lanes a, Lanes b) { return _mm512_max_ps(a, b); }
[[gnu::always_inline]] inline Lanes Min(Lanes a, Lanes b) { return _mm512_min_ps(a, b); }
[[gnu::always_inline]] inline Lanes SelectLess(Lanes a, Lanes b, Lanes yes, Lanes no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
[[gnu::always_inline]] inline Lanes AddExponent(Lanes a, Lanes t) {
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(a), _mm512_slli_epi32(_mm512_castps_si512(t), 23)));
}
[[gnu::always_inline]] inline float LaneSum(Lanes x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
[[gnu::always_inline]] inline float LaneMax(Lanes x) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
[[gnu::always_inline]] inline Lanes WidenF16(const std::uint16_t* from) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
[[gnu::always_inline]] inline Lanes WidenBf16(const std::uint16_t* from) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(
      _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))), 16));
}
[[gnu::always_inline]] inline void NarrowF16(Lanes x, std::uint16_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

[[gnu::always_inline]] inline IntLanes Zeros() { return _mm512_setzero_si512(); }
[[gnu::always_inline]] inline IntLanes AddInt(IntLanes a, IntLanes b) {
  return _mm512_add_epi32(a, b);
}
[[gnu::always_inline]] inline std::int32_t IntSum(IntLanes x) { return _mm512_reduce_add_epi32(x); }
[[gnu::always_inline]] inline IntLanes ToInt(Lanes x) {
  return _mm512_cvt_roundps_epi32(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
[[gnu::always_inline]] inline void StoreInt8(std::int8_t* to, IntLanes x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(x));
}
[[gnu::always_inline]] inline Lanes LoadInt32(const std::int32_t* from) {
  return _mm512_cvtepi32_ps(_mm512_loadu_si512(from));
}

#include "kernels/vector_math.inc"
// vector_math.inc comes first: the others use it.
#include "kernels/float_ops.inc"
// attend.inc comes last: it uses both and ends with the table.
#include "kernels/attend.inc"

}  // namespace

const FloatOps kAvx512FloatOps = kFloatOps;

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
