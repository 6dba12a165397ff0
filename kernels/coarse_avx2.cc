// The coarse estimates with AVX2. A code is at most 63, so the pair sums of vpmaddubsw (at most
// 2 * 63 * 128) stay far inside int16.
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx2,fma")

namespace sworn::kernels {
namespace {

constexpr std::size_t kParts = 2;                 // vectors of 8 rows in a panel
constexpr std::size_t kSteps = kCoarseBlock / 4;  // groups of 4 columns in a block

// [step][part]: the codes of a block, a byte each.
using Codes = __m256i[kSteps][kParts];

[[gnu::always_inline]] inline __m256i LoadPart(const std::uint8_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

[[gnu::always_inline]] inline __m256i Field(__m256i packed, int shift, char mask) {
  return _mm256_and_si256(_mm256_srli_epi16(packed, shift), _mm256_set1_epi8(mask));
}

void UnpackHigh(const std::uint8_t* high, Codes& codes) {
  for (std::size_t step = 0; step < kSteps; step += 2) {
    for (std::size_t part = 0; part < kParts; ++part) {
      const __m256i packed = LoadPart(high + step / 2 * 64 + part * 32);
      codes[step][part] = Field(packed, 0, 15);
      codes[step + 1][part] = Field(packed, 4, 15);
    }
  }
}

// codes = 4 * codes + low plane.
void AddLow(const std::uint8_t* low, Codes& codes) {
  for (std::size_t step = 0; step < kSteps; ++step) {
    const int shift = static_cast<int>(step % 4 * 2);
    for (std::size_t part = 0; part < kParts; ++part) {
      const __m256i packed = LoadPart(low + step / 4 * 64 + part * 32);
      codes[step][part] =
          _mm256_or_si256(_mm256_slli_epi16(codes[step][part], 2), Field(packed, shift, 3));
    }
  }
}

[[gnu::always_inline]] inline __m256i Products(__m256i codes, const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof four);
  const __m256i pairs = _mm256_maddubs_epi16(codes, _mm256_set1_epi32(four));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// Adds a block of a query, at `at` of its arrays, to the query's 16 estimates and norms.
void AddBlock(const Codes& codes, const CoarseQueries& queries, std::size_t at, std::int32_t offset,
              const std::uint8_t* scales, float* estimates, float* reach) {
  const std::int8_t* high = queries.x + 2 * at * kCoarseBlock;
  const std::int8_t* low = high + kCoarseBlock;
  for (std::size_t part = 0; part < kParts; ++part) {
    __m256i high_sum = _mm256_setzero_si256();
    __m256i low_sum = _mm256_setzero_si256();
    for (std::size_t step = 0; step < kSteps; ++step) {
      high_sum = _mm256_add_epi32(high_sum, Products(codes[step][part], high + 4 * step));
      low_sum = _mm256_add_epi32(low_sum, Products(codes[step][part], low + 4 * step));
    }
    const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high_sum, 8), low_sum);
    const __m256i centred =
        _mm256_sub_epi32(_mm256_slli_epi32(sum, 1), _mm256_set1_epi32(offset * queries.sums[at]));
    const __m256 scale = _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(scales + part * 8))));
    float* estimate = estimates + part * 8;
    float* norm = reach + part * 8;
    _mm256_storeu_ps(
        estimate, _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(centred), _mm256_loadu_ps(estimate)));
    _mm256_storeu_ps(
        norm, _mm256_fmadd_ps(scale, _mm256_set1_ps(queries.norms[at]), _mm256_loadu_ps(norm)));
  }
}

void Panel(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
           float* estimates, float* reach) noexcept {
  const std::size_t count = queries.count;
  const bool both = panel.low != nullptr;
  std::memset(estimates, 0, count * kCoarseRows * sizeof(float));
  std::memset(reach, 0, count * kCoarseRows * sizeof(float));
  for (std::size_t block = 0; block < blocks; ++block) {
    Codes codes;
    UnpackHigh(panel.high + block * kCoarseBlock / 2 * kCoarseRows, codes);
    if (both) AddLow(panel.low + block * kCoarseBlock / 4 * kCoarseRows, codes);
    for (std::size_t t = 0; t < count; ++t) {
      AddBlock(codes, queries, block * count + t, both ? 63 : 15,
               panel.scales + block * kCoarseRows, estimates + t * kCoarseRows,
               reach + t * kCoarseRows);
    }
  }
}

}  // namespace

const CoarseOps kAvx2CoarseOps = {Panel};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
