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

constexpr std::size_t kTileQueries = 6;
constexpr std::size_t kGroupColumns = 16;  // two vectors of the high plane, one of the low plane
constexpr std::size_t kPrefetch = 4096;    // bytes ahead of a stream from memory
constexpr int kSelect = 0xCA;              // _mm512_ternarylogic: a ? b : c, bit by bit

[[gnu::always_inline]] inline __m512i LoadAhead(const std::uint8_t* from) {
  _mm_prefetch(reinterpret_cast<const char*>(from + kPrefetch), _MM_HINT_T0);
  return _mm512_load_si512(from);
}

[[gnu::always_inline]] inline __m512i Broadcast4(const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}

// The codes of 16 columns, 4 in each vector.
template <bool kBoth>
[[gnu::always_inline]] inline void Unpack(const std::uint8_t* high, const std::uint8_t* low,
                                          __m512i (&codes)[4]) {
  const __m512i first = LoadAhead(high);
  const __m512i second = LoadAhead(high + 64);
  if constexpr (kBoth) {
    const __m512i bits = LoadAhead(low);
    const __m512i upper_bits = _mm512_srli_epi16(bits, 4);
    // Low nibbles move up by two to make room for the bits of the low plane; high nibbles move
    // down together with them.
    const __m512i room = _mm512_set1_epi8(3);
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i six = _mm512_set1_epi8(63);
    const auto low_nibbles = [&](__m512i nibbles, __m512i with) {
      const __m512i up = _mm512_slli_epi16(nibbles, 2);
      return _mm512_and_si512(_mm512_ternarylogic_epi32(room, with, up, kSelect), six);
    };
    const auto high_nibbles = [&](__m512i nibbles, __m512i with) {
      const __m512i joined = _mm512_ternarylogic_epi32(nibble, with, nibbles, kSelect);
      return _mm512_and_si512(_mm512_srli_epi16(joined, 2), six);
    };
    codes[0] = low_nibbles(first, bits);
    codes[1] = high_nibbles(first, bits);
    codes[2] = low_nibbles(second, upper_bits);
    codes[3] = high_nibbles(second, upper_bits);
  } else {
    static_cast<void>(low);
    const __m512i nibble = _mm512_set1_epi8(15);
    codes[0] = _mm512_and_si512(first, nibble);
    codes[1] = _mm512_and_si512(_mm512_srli_epi16(first, 4), nibble);
    codes[2] = _mm512_and_si512(second, nibble);
    codes[3] = _mm512_and_si512(_mm512_srli_epi16(second, 4), nibble);
  }
}

template <std::size_t kQueries, bool kBoth>
void Tile(const CoarsePanel& panel, std::size_t blocks, const CoarseQuery* queries,
          float* estimates, float* reach) {
  constexpr std::int32_t kOffset = kBoth ? 63 : 15;
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
    __m512i high_sum[kQueries];
    __m512i low_sum[kQueries];
    SWORN_UNROLL
    for (std::size_t t = 0; t < kQueries; ++t) {
      high_sum[t] = _mm512_setzero_si512();
      low_sum[t] = _mm512_setzero_si512();
    }
    for (std::size_t group = 0; group < kCoarseBlock / kGroupColumns; ++group) {
      __m512i codes[4];
      Unpack<kBoth>(high, low, codes);
      high += 128;
      if constexpr (kBoth) low += 64;
      SWORN_UNROLL
      for (std::size_t s = 0; s < 4; ++s) {
        const std::size_t column = block * kCoarseBlock + group * kGroupColumns + 4 * s;
        SWORN_UNROLL
        for (std::size_t t = 0; t < kQueries; ++t) {
          high_sum[t] =
              _mm512_dpbusd_epi32(high_sum[t], codes[s], Broadcast4(queries[t].high + column));
          low_sum[t] =
              _mm512_dpbusd_epi32(low_sum[t], codes[s], Broadcast4(queries[t].low + column));
        }
      }
    }
    const __m512 scale = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(
        _mm_load_si128(reinterpret_cast<const __m128i*>(panel.scales + block * kCoarseRows))));
    SWORN_UNROLL
    for (std::size_t t = 0; t < kQueries; ++t) {
      const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high_sum[t], 8), low_sum[t]);
      const __m512i centred = _mm512_sub_epi32(_mm512_slli_epi32(sum, 1),
                                               _mm512_set1_epi32(kOffset * queries[t].sums[block]));
      estimate[t] = _mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(centred), estimate[t]);
      norm[t] = _mm512_fmadd_ps(scale, _mm512_set1_ps(queries[t].norms[block]), norm[t]);
    }
  }
  SWORN_UNROLL
  for (std::size_t t = 0; t < kQueries; ++t) {
    _mm512_storeu_ps(estimates + t * kCoarseRows, estimate[t]);
    _mm512_storeu_ps(reach + t * kCoarseRows, norm[t]);
  }
}

using TileFunction = void (*)(const CoarsePanel&, std::size_t, const CoarseQuery*, float*, float*);
constexpr TileFunction kTiles[2][kTileQueries] = {
    {Tile<1, false>, Tile<2, false>, Tile<3, false>, Tile<4, false>, Tile<5, false>,
     Tile<6, false>},
    {Tile<1, true>, Tile<2, true>, Tile<3, true>, Tile<4, true>, Tile<5, true>, Tile<6, true>}};

void Panel(const CoarsePanel& panel, std::size_t blocks, const CoarseQuery* queries,
           std::size_t count, float* estimates, float* reach) noexcept {
  std::size_t tiles = (count + kTileQueries - 1) / kTileQueries;
  while (count > 0) {
    const std::size_t taken = (count + tiles - 1) / tiles;
    kTiles[panel.low != nullptr ? 1 : 0][taken - 1](panel, blocks, queries, estimates, reach);
    queries += taken;
    estimates += taken * kCoarseRows;
    reach += taken * kCoarseRows;
    count -= taken;
    --tiles;
  }
}

}  // namespace

const CoarseOps kAvx512VnniCoarseOps = {Panel};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
