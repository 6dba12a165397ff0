// The float operations with AVX2, FMA and F16C: sixteen lanes are two registers.
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/kernels.h"
#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx2,fma,f16c")

namespace sworn::kernels {
namespace {

struct Lanes {
  __m256 low;
  __m256 high;
};
struct IntLanes {
  __m256i low;
  __m256i high;
};
constexpr std::size_t kTileVectors = 1;

[[gnu::always_inline]] inline Lanes Broadcast(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
[[gnu::always_inline]] inline Lanes Load(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
}
[[gnu::always_inline]] inline void Store(float* to, Lanes x) {
  _mm256_storeu_ps(to, x.low);
  _mm256_storeu_ps(to + 8, x.high);
}
[[gnu::always_inline]] inline Lanes Fma(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
[[gnu::always_inline]] inline Lanes Add(Lanes a, Lanes b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
[[gnu::always_inline]] inline Lanes Sub(Lanes a, Lanes b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
[[gnu::always_inline]] inline Lanes Mul(Lanes a, Lanes b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
[[gnu::always_inline]] inline Lanes Div(Lanes a, Lanes b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
[[gnu::always_inline]] inline Lanes Max(Lanes a, Lanes b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
[[gnu::always_inline]] inline Lanes Min(Lanes a, Lanes b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
[[gnu::always_inline]] inline Lanes SelectLess(Lanes a, Lanes b, Lanes yes, Lanes no) {
  return {_mm256_blendv_ps(no.low, yes.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
          _mm256_blendv_ps(no.high, yes.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
}
[[gnu::always_inline]] inline __m256 AddExponent(__m256 a, __m256 t) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(a), _mm256_slli_epi32(_mm256_castps_si256(t), 23)));
}
[[gnu::always_inline]] inline Lanes AddExponent(Lanes a, Lanes t) {
  return {AddExponent(a.low, t.low), AddExponent(a.high, t.high)};
}
[[gnu::always_inline]] inline float LaneSum(Lanes x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
[[gnu::always_inline]] inline float LaneMax(Lanes x) {
  const __m256 eight = _mm256_max_ps(x.low, x.high);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
[[gnu::always_inline]] inline __m128i LoadEight(const std::uint16_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
[[gnu::always_inline]] inline Lanes WidenF16(const std::uint16_t* from) {
  return {_mm256_cvtph_ps(LoadEight(from)), _mm256_cvtph_ps(LoadEight(from + 8))};
}
[[gnu::always_inline]] inline __m256 WidenBf16(__m128i eight) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(eight), 16));
}
[[gnu::always_inline]] inline Lanes WidenBf16(const std::uint16_t* from) {
  return {WidenBf16(LoadEight(from)), WidenBf16(LoadEight(from + 8))};
}
[[gnu::always_inline]] inline void NarrowF16(Lanes x, std::uint16_t* to) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  auto* const out = reinterpret_cast<__m128i*>(to);
  _mm_storeu_si128(out, _mm256_cvtps_ph(x.low, kNearest));
  _mm_storeu_si128(out + 1, _mm256_cvtps_ph(x.high, kNearest));
}

[[gnu::always_inline]] inline IntLanes Zeros() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
[[gnu::always_inline]] inline IntLanes AddInt(IntLanes a, IntLanes b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
[[gnu::always_inline]] inline std::int32_t IntSum(IntLanes x) {
  const __m256i eight = _mm256_add_epi32(x.low, x.high);
  const __m128i four =
      _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}
[[gnu::always_inline]] inline IntLanes ToInt(Lanes x) {
  return {_mm256_cvtps_epi32(x.low), _mm256_cvtps_epi32(x.high)};
}
[[gnu::always_inline]] inline void StoreInt8(std::int8_t* to, IntLanes x) {
  // The packs work within 128-bit halves, so 4-byte groups come out as 0 2 4 6 1 3 5 7 of these.
  const __m256i words = _mm256_packs_epi32(x.low, x.high);
  const __m256i bytes = _mm256_packs_epi16(words, words);
  const __m256i ordered =
      _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(ordered));
}
[[gnu::always_inline]] inline Lanes LoadInt32(const std::int32_t* from) {
  const auto* const in = reinterpret_cast<const __m256i*>(from);
  return {_mm256_cvtepi32_ps(_mm256_loadu_si256(in)),
          _mm256_cvtepi32_ps(_mm256_loadu_si256(in + 1))};
}

#include "kernels/vector_math.inc"
// vector_math.inc comes first: the others use it.
#include "kernels/float_ops.inc"
// attend.inc comes last: it uses both and ends with the table.
#include "kernels/attend.inc"

}  // namespace

const FloatOps kAvx2FloatOps = kFloatOps;

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
