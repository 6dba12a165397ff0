// Integer products with vpdpbusd on 512 bits: 16 rows x 4 columns per instruction.
//
// A tile of 64 rows x up to 6 tokens keeps its 24 sums in registers. A few tokens read the panel
// from memory once and unpack it in registers. For more, a chunk of columns is unpacked to bytes in
// the first-level cache, so that the shifts are paid once and not once for each tile.
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512vnni")

namespace sworn::kernels {
namespace avx512vnni {
namespace {

constexpr std::size_t kTileTokens = 6;
constexpr std::size_t kParts = 4;  // vectors of 16 rows in a panel
constexpr std::size_t kGroupBytes = kParts * 64;
constexpr std::size_t kPrefetch = 4096;  // bytes ahead of a stream from memory
// Two tiles: for more it costs less to unpack once than in the registers of each tile.
constexpr std::size_t kPackedTokens = 12;
constexpr std::size_t kChunkGroups = 16;    // of 16 columns, unpacked at a time: 16 KB
constexpr std::int32_t kTernaryOffset = 1;  // weights are stored as value + offset
constexpr std::int32_t kInt8Offset = 128;

static inline __m512i Broadcast4(const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}

template <std::size_t kLines>
void Prefetch(const std::uint8_t* from) {
  SWORN_UNROLL
  for (std::size_t line = 0; line < kLines; ++line) {
    _mm_prefetch(reinterpret_cast<const char*>(from + line * 64), _MM_HINT_T0);
  }
}

static inline __m512i Codes(__m512i packed, std::size_t step) {
  return _mm512_and_si512(_mm512_srli_epi16(packed, static_cast<unsigned>(2 * step)),
                          _mm512_set1_epi8(3));
}

// The sums of a tile, [part][token].
template <std::size_t kTokens>
using Sums = __m512i[kParts][kTokens];

template <std::size_t kTokens>
static inline void LoadSums(const std::int32_t* out, Sums<kTokens>& sums) {
  SWORN_UNROLL
  for (std::size_t part = 0; part < kParts; ++part) {
    SWORN_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      sums[part][t] = _mm512_loadu_si512(out + t * kPanelRows + part * 16);
    }
  }
}

template <std::size_t kTokens>
static inline void StoreSums(const Sums<kTokens>& sums, std::int32_t* out) {
  SWORN_UNROLL
  for (std::size_t part = 0; part < kParts; ++part) {
    SWORN_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      _mm512_storeu_si512(out + t * kPanelRows + part * 16, sums[part][t]);
    }
  }
}

// sums += weights of 4 columns * x.
template <std::size_t kTokens>
static inline void Accumulate(const __m512i (&weights)[kParts], const std::int8_t* x,
                              std::size_t x_stride, Sums<kTokens>& sums) {
  SWORN_UNROLL
  for (std::size_t t = 0; t < kTokens; ++t) {
    const __m512i four = Broadcast4(x + t * x_stride);
    SWORN_UNROLL
    for (std::size_t part = 0; part < kParts; ++part) {
      sums[part][t] = _mm512_dpbusd_epi32(sums[part][t], weights[part], four);
    }
  }
}

// out += panel * x for packed ternary weights. Prefetches from `ahead` on as much as it reads.
template <std::size_t kTokens>
void TernaryTile(const std::uint8_t* panel, std::size_t groups, const std::int8_t* x,
                 std::size_t x_stride, std::int32_t* out, const std::uint8_t* ahead) {
  Sums<kTokens> sums;
  LoadSums<kTokens>(out, sums);
  for (std::size_t g = 0; g < groups; ++g) {
    Prefetch<kParts>(ahead);
    __m512i packed[kParts];
    SWORN_UNROLL
    for (std::size_t part = 0; part < kParts; ++part) {
      packed[part] = _mm512_loadu_si512(panel + part * 64);
    }
    SWORN_UNROLL
    for (std::size_t step = 0; step < 4; ++step) {
      __m512i weights[kParts];
      SWORN_UNROLL
      for (std::size_t part = 0; part < kParts; ++part) weights[part] = Codes(packed[part], step);
      Accumulate<kTokens>(weights, x + 4 * step, x_stride, sums);
    }
    panel += kGroupBytes;
    ahead += kGroupBytes;
    x += 16;
  }
  StoreSums<kTokens>(sums, out);
}

// out += panel * x for weights in bytes; groups of 4 columns. Prefetches kAhead lines from `ahead`
// on with each of them.
template <std::size_t kTokens, std::size_t kAhead>
void ByteTile(const std::uint8_t* panel, std::size_t groups, const std::int8_t* x,
              std::size_t x_stride, std::int32_t* out, const std::uint8_t* ahead) {
  Sums<kTokens> sums;
  LoadSums<kTokens>(out, sums);
  for (std::size_t g = 0; g < groups; ++g) {
    Prefetch<kAhead>(ahead);
    __m512i weights[kParts];
    SWORN_UNROLL
    for (std::size_t part = 0; part < kParts; ++part) {
      weights[part] = _mm512_loadu_si512(panel + part * 64);
    }
    Accumulate<kTokens>(weights, x, x_stride, sums);
    panel += kGroupBytes;
    ahead += kAhead * 64;
    x += 4;
  }
  StoreSums<kTokens>(sums, out);
}

using Tile = void (*)(const std::uint8_t*, std::size_t, const std::int8_t*, std::size_t,
                      std::int32_t*, const std::uint8_t*);
constexpr Tile kTernaryTiles[] = {TernaryTile<1>, TernaryTile<2>, TernaryTile<3>,
                                  TernaryTile<4>, TernaryTile<5>, TernaryTile<6>};
// Of int8 panels, and of unpacked codes, whose next bytes are a quarter of the current ones.
constexpr Tile kInt8Tiles[] = {ByteTile<1, 4>, ByteTile<2, 4>, ByteTile<3, 4>,
                               ByteTile<4, 4>, ByteTile<5, 4>, ByteTile<6, 4>};
constexpr Tile kCodeTiles[] = {ByteTile<1, 1>, ByteTile<2, 1>, ByteTile<3, 1>,
                               ByteTile<4, 1>, ByteTile<5, 1>, ByteTile<6, 1>};

// Spreads groups of 16 columns to four groups of 4 columns each, with the codes as bytes.
void UnpackCodes(const std::uint8_t* panel, std::size_t groups, std::uint8_t* codes) {
  for (std::size_t g = 0; g < groups; ++g) {
    SWORN_UNROLL
    for (std::size_t part = 0; part < kParts; ++part) {
      const __m512i packed = _mm512_loadu_si512(panel + part * 64);
      SWORN_UNROLL
      for (std::size_t step = 0; step < 4; ++step) {
        _mm512_store_si512(codes + step * kGroupBytes + part * 64, Codes(packed, step));
      }
    }
    panel += kGroupBytes;
    codes += 4 * kGroupBytes;
  }
}

// All tokens in tiles of even size: 8 as 4 + 4, since a tile of 2 waits for its own sums.
void ForEachTile(const Tile (&tiles)[kTileTokens], const std::uint8_t* panel, std::size_t groups,
                 const std::int8_t* x, std::size_t x_stride, std::size_t tokens, std::int32_t* out,
                 const std::uint8_t* ahead) {
  std::size_t tiles_left = (tokens + kTileTokens - 1) / kTileTokens;
  while (tokens > 0) {
    const std::size_t count = (tokens + tiles_left - 1) / tiles_left;
    tiles[count - 1](panel, groups, x, x_stride, out, ahead);
    x += count * x_stride;
    out += count * kPanelRows;
    tokens -= count;
    --tiles_left;
  }
}

// The sums start below zero by what the offset of the stored weights will add.
void StartSums(const std::int32_t* x_sums, std::int32_t offset, std::size_t tokens,
               std::int32_t* out) {
  for (std::size_t t = 0; t < tokens; ++t) {
    const __m512i start =
        _mm512_mullo_epi32(_mm512_set1_epi32(-offset), _mm512_set1_epi32(x_sums[t]));
    SWORN_UNROLL
    for (std::size_t part = 0; part < kParts; ++part) {
      _mm512_storeu_si512(out + t * kPanelRows + part * 16, start);
    }
  }
}

void TernaryPanel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
                  std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
                  std::int32_t* out) noexcept {
  StartSums(x_sums, kTernaryOffset, tokens, out);
  std::size_t groups = columns / 16;
  if (tokens <= kTileTokens) {
    ForEachTile(kTernaryTiles, panel, groups, x, x_stride, tokens, out, panel + kPrefetch);
    return;
  }
  alignas(64) std::uint8_t codes[kChunkGroups * 4 * kGroupBytes];
  while (groups > 0) {
    const std::size_t count = std::min(groups, kChunkGroups);
    const std::uint8_t* const next = panel + count * kGroupBytes;
    if (tokens <= kPackedTokens) {
      ForEachTile(kTernaryTiles, panel, count, x, x_stride, tokens, out, next);
    } else {
      UnpackCodes(panel, count, codes);
      ForEachTile(kCodeTiles, codes, 4 * count, x, x_stride, tokens, out, next);
    }
    panel = next;
    x += count * 16;
    groups -= count;
  }
}

void Int8Panel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
               std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
               std::int32_t* out) noexcept {
  StartSums(x_sums, kInt8Offset, tokens, out);
  ForEachTile(kInt8Tiles, panel, columns / 4, x, x_stride, tokens, out, panel + kPrefetch);
}

}  // namespace

}  // namespace avx512vnni

const IntegerOps kAvx512VnniIntegerOps = {avx512vnni::TernaryPanel, avx512vnni::Int8Panel};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif
