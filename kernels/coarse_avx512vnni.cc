// The coarse estimates with vpdpbusd on 512 bits: 16 rows x 4 columns per instruction.
#include <cstddef>
#include <cstdint>
#include <cstring>

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
namespace {

#include "kernels/coarse_512.inc"

constexpr std::size_t kTileQueries = 6;

[[gnu::always_inline]] inline __m512i Broadcast4(const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}

// Queries first to first + kQueries - 1.
template <std::size_t kQueries, bool kBoth>
void Tile(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
          std::size_t first, float* estimates, float* reach) {
  const std::uint8_t* high = panel.high;
  const std::uint8_t* low = panel.low;
  __m512 estimate[kQueries];
  __m512 norm[kQueries];
  SWORN_UNROLL
  for (std::size_t t = 0; t < kQueries; ++t) {
    estimate[t] = _mm512_setzero_ps();
    norm[t] = _mm512_setzero_ps();
  }
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t at = block * queries.count + first;
    const std::int8_t* x = queries.x + 2 * at * kCoarseBlock;
    __m512i high_sum[kQueries];
    __m512i low_sum[kQueries];
    SWORN_UNROLL
    for (std::size_t t = 0; t < kQueries; ++t) {
      high_sum[t] = _mm512_setzero_si512();
      low_sum[t] = _mm512_setzero_si512();
    }
    for (std::size_t group = 0; group < kGroups; ++group) {
      __m512i codes[4];
      Unpack<kBoth>(high, low, codes);
      high += kHighBytes;
      if constexpr (kBoth) low += kLowBytes;
      SWORN_UNROLL
      for (std::size_t s = 0; s < 4; ++s) {
        SWORN_UNROLL
        for (std::size_t t = 0; t < kQueries; ++t) {
          const std::int8_t* four = x + 2 * t * kCoarseBlock + 4 * s;
          high_sum[t] = _mm512_dpbusd_epi32(high_sum[t], codes[s], Broadcast4(four));
          low_sum[t] = _mm512_dpbusd_epi32(low_sum[t], codes[s], Broadcast4(four + kCoarseBlock));
        }
      }
      x += kGroupColumns;
    }
    const __m512 scale = LoadScales(panel, block);
    SWORN_UNROLL
    for (std::size_t t = 0; t < kQueries; ++t) {
      AddBlock<kBoth>(queries, at + t, high_sum[t], low_sum[t], scale, estimate[t], norm[t]);
    }
  }
  SWORN_UNROLL
  for (std::size_t t = 0; t < kQueries; ++t) {
    _mm512_storeu_ps(estimates + t * kCoarseRows, estimate[t]);
    _mm512_storeu_ps(reach + t * kCoarseRows, norm[t]);
  }
}

using TileFunction = void (*)(const CoarsePanel&, std::size_t, const CoarseQueries&, std::size_t,
                              float*, float*);
constexpr TileFunction kTiles[2][kTileQueries] = {
    {Tile<1, false>, Tile<2, false>, Tile<3, false>, Tile<4, false>, Tile<5, false>,
     Tile<6, false>},
    {Tile<1, true>, Tile<2, true>, Tile<3, true>, Tile<4, true>, Tile<5, true>, Tile<6, true>}};

void Panel(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
           float* estimates, float* reach) noexcept {
  std::size_t tiles = (queries.count + kTileQueries - 1) / kTileQueries;
  for (std::size_t first = 0; first < queries.count; --tiles) {
    const std::size_t taken = (queries.count - first + tiles - 1) / tiles;
    kTiles[panel.low != nullptr ? 1 : 0][taken - 1](panel, blocks, queries, first,
                                                    estimates + first * kCoarseRows,
                                                    reach + first * kCoarseRows);
    first += taken;
  }
}

}  // namespace

const CoarseOps kAvx512VnniCoarseOps = {Panel};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
