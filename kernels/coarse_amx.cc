// The coarse estimates with AMX: a tile instruction multiplies the codes of a block, 16 rows x 64
// columns, by the high and the low bytes of up to 8 queries.
//
// A, the queries: rows of 64 bytes, signed, high and low in turn. B, the codes: 16 groups of 4
// columns, each a row of 16 x 4 unsigned bytes. C, the sums: rows of 16 int32. The codes of a block
// are unpacked while the tiles work on the one before it, and its sums become floats after that.
#include <atomic>
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

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512vl,amx-tile,amx-int8")

namespace sworn::kernels {
namespace {

#include "kernels/amx_tiles.inc"
#include "kernels/coarse_512.inc"

constexpr std::size_t kTileQueries = kTileRows / 2;
// Fewer are as fast in vectors, since the memory is the limit.
constexpr std::size_t kMinQueries = 4;

template <bool kBoth>
void UnpackBlock(const CoarsePanel& panel, std::size_t block, std::uint8_t* to) {
  const std::uint8_t* high = panel.high + block * kGroups * kHighBytes;
  const std::uint8_t* low = kBoth ? panel.low + block * kGroups * kLowBytes : nullptr;
  SWORN_UNROLL
  for (std::size_t group = 0; group < kGroups; ++group) {
    __m512i codes[4];
    Unpack<kBoth>(high, low, codes);
    SWORN_UNROLL
    for (std::size_t s = 0; s < 4; ++s) _mm512_store_si512(to + s * 64, codes[s]);
    high += kHighBytes;
    if constexpr (kBoth) low += kLowBytes;
    to += 4 * 64;
  }
}

// Queries first to first + kQueries - 1.
template <std::size_t kQueries, bool kBoth>
void Tile(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
          std::size_t first, float* estimates, float* reach) {
  alignas(64) std::uint8_t codes[2][kTileBytes];
  alignas(64) std::int32_t sums[2][2 * kQueries * kCoarseRows];
  __m512 estimate[kQueries];
  __m512 norm[kQueries];
  SWORN_UNROLL
  for (std::size_t t = 0; t < kQueries; ++t) {
    estimate[t] = _mm512_setzero_ps();
    norm[t] = _mm512_setzero_ps();
  }
  UnpackBlock<kBoth>(panel, 0, codes[0]);
  for (std::size_t block = 0; block <= blocks; ++block) {
    if (block + 1 < blocks) UnpackBlock<kBoth>(panel, block + 1, codes[(block + 1) % 2]);
    if (block < blocks) {
      const std::size_t at = block * queries.count + first;
      MemoryFence();
      _tile_zero(0);
      _tile_loadd(1, queries.x + 2 * at * kCoarseBlock, kCoarseBlock);
      _tile_loadd(2, codes[block % 2], 64);
      _tile_dpbsud(0, 1, 2);
      _tile_stored(0, sums[block % 2], 64);
      MemoryFence();
    }
    if (block == 0) continue;
    const std::size_t before = block - 1;
    const std::int32_t* const sum = sums[before % 2];
    const __m512 scale = LoadScales(panel, before);
    SWORN_UNROLL
    for (std::size_t t = 0; t < kQueries; ++t) {
      AddBlock<kBoth>(
          queries, before * queries.count + first + t, _mm512_load_si512(sum + 2 * t * kCoarseRows),
          _mm512_load_si512(sum + (2 * t + 1) * kCoarseRows), scale, estimate[t], norm[t]);
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
    {Tile<1, false>, Tile<2, false>, Tile<3, false>, Tile<4, false>, Tile<5, false>, Tile<6, false>,
     Tile<7, false>, Tile<8, false>},
    {Tile<1, true>, Tile<2, true>, Tile<3, true>, Tile<4, true>, Tile<5, true>, Tile<6, true>,
     Tile<7, true>, Tile<8, true>}};

void Panel(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
           float* estimates, float* reach) noexcept {
  if (queries.count < kMinQueries) {
    kAvx512VnniCoarseOps.coarse_panel(panel, blocks, queries, estimates, reach);
    return;
  }
  for (std::size_t first = 0; first < queries.count; first += kTileQueries) {
    const std::size_t left = queries.count - first;
    const std::size_t taken = left < kTileQueries ? left : kTileQueries;
    TileConfig config;
    config.SetRows(0, 2 * taken);
    config.SetRows(1, 2 * taken);
    config.SetRows(2, kTileRows);
    config.Load();
    kTiles[panel.low != nullptr ? 1 : 0][taken - 1](panel, blocks, queries, first,
                                                    estimates + first * kCoarseRows,
                                                    reach + first * kCoarseRows);
  }
  _tile_release();
}

}  // namespace

const CoarseOps kAmxCoarseOps = {Panel};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif  // __x86_64__
