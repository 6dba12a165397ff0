// The scan of 8-bit codes with vpdpbusd on 512 bits. It adds four products of a byte each to an
// int32 sum without saturating. Codes come from memory; the query stays in the first-level cache,
// so its second byte costs nothing.
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

#if !defined(__clang__)
// GCC 12 takes the "undefined" operands of its own intrinsics for ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512vnni")

namespace sworn::kernels {
namespace avx512vnni {
namespace {

constexpr std::size_t kStep = 64;         // columns of a vector
constexpr std::size_t kPrefetch = 2'048;  // bytes ahead of a stream from memory

template <std::size_t kRows>
void Rows(const std::uint8_t* codes, std::size_t stride, std::size_t columns,
          const ScanQuery& query, std::int32_t* out, std::size_t out_stride) {
  __m512i high_sums[kRows];
  __m512i low_sums[kRows];
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) high_sums[r] = low_sums[r] = _mm512_setzero_si512();
  std::size_t k = 0;
  for (; k + kStep <= columns; k += kStep) {
    const __m512i high = _mm512_loadu_si512(query.high + k);
    const __m512i low = _mm512_loadu_si512(query.low + k);
    SWORN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::uint8_t* const from = codes + r * stride + k;
      _mm_prefetch(reinterpret_cast<const char*>(from + kPrefetch), _MM_HINT_T0);
      const __m512i vector = _mm512_loadu_si512(from);
      high_sums[r] = _mm512_dpbusd_epi32(high_sums[r], vector, high);
      low_sums[r] = _mm512_dpbusd_epi32(low_sums[r], vector, low);
    }
  }
  if (k < columns) {
    const __mmask64 rest = (__mmask64{1} << (columns - k)) - 1;
    const __m512i high = _mm512_maskz_loadu_epi8(rest, query.high + k);
    const __m512i low = _mm512_maskz_loadu_epi8(rest, query.low + k);
    SWORN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i vector = _mm512_maskz_loadu_epi8(rest, codes + r * stride + k);
      high_sums[r] = _mm512_dpbusd_epi32(high_sums[r], vector, high);
      low_sums[r] = _mm512_dpbusd_epi32(low_sums[r], vector, low);
    }
  }
  SWORN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    out[r * out_stride] =
        _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(high_sums[r], 8), low_sums[r]));
  }
}

#include "kernels/scan_rows.inc"

}  // namespace
}  // namespace avx512vnni

const ScanOps kAvx512VnniScanOps = {avx512vnni::Scan};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
