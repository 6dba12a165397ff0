// Integer products with AMX: a tile instruction multiplies 16 tokens x 64 columns by 64 columns x
// 16 rows.
//
// A, the activations: row-major rows of 64 bytes, signed. B, the weights: 16 groups of 4 columns,
// each a row of 16 x 4 unsigned bytes. C, the sums: rows of 16 int32 in `out`. An int8 panel is
// made of such B tiles. A ternary one is unpacked a step of 64 columns at a time, one step ahead of
// the tile instructions, which take so long that the unpacking costs next to nothing. It is done
// again for every 32 tokens: sums that stay in tiles to the end are worth more, since memory beyond
// the first-level cache takes stores slowly.
#if defined(__x86_64__)
#include <algorithm>
#include <atomic>

#include <immintrin.h>

#include "kernels/ops.h"
#include "kernels/target.h"

SWORN_TARGET_BEGIN("avx512f,avx512bw,amx-tile,amx-int8")

namespace sworn::kernels {
namespace amx {
namespace {

#include "kernels/amx_tiles.inc"

constexpr std::size_t kStepColumns = 64;  // of one tile instruction
constexpr std::size_t kParts = 4;         // of 16 rows in a panel
constexpr std::size_t kGroupBytes = 64 * kParts;
constexpr std::size_t kPrefetch = 4096;  // bytes ahead of a stream from memory
constexpr std::size_t kOutBytes = kPanelRows * sizeof(std::int32_t);  // of a token

// Tiles 0, 1 and 4 (sums and activations) hold `first` tokens, 2, 3 and 5 hold `second`; 6 and 7
// are for weights.
void Configure(std::size_t first, std::size_t second) {
  constexpr std::uint8_t kFirst = 0b0001'0011;
  constexpr std::uint8_t kSecond = 0b0010'1100;
  TileConfig config;
  for (unsigned tile = 0; tile < 8; ++tile) {
    const bool is_first = (kFirst >> tile & 1) != 0;
    const bool is_second = (kSecond >> tile & 1) != 0;
    const std::size_t rows = is_first ? first : is_second ? second : kTileRows;
    config.SetRows(tile, rows);
  }
  config.Load();
}

// Gives the B tiles of a panel, one step of 64 columns after the other; first the panel itself.
class Int8Weights {
 public:
  static constexpr const auto& kFewTokens = kAvx512VnniIntegerOps.int8_panel;
  static constexpr std::int32_t kOffset = 128;  // weights are stored as value + kOffset
  static constexpr std::size_t kRowBytes = kGroupBytes;
  static constexpr std::size_t kStepBytes = 16 * kGroupBytes;

  explicit Int8Weights(const std::uint8_t* panel) : panel_(panel) {}

  void Prepare(std::size_t step, std::size_t part) {
    const std::uint8_t* const from = panel_ + step * kStepBytes + part * 64 + kPrefetch;
    for (std::size_t group = 0; group < 16; ++group) {
      _mm_prefetch(reinterpret_cast<const char*>(from + group * kGroupBytes), _MM_HINT_T0);
    }
  }
  const std::uint8_t* Tile(std::size_t step, std::size_t part) const {
    return panel_ + step * kStepBytes + part * 64;
  }

 private:
  const std::uint8_t* panel_;
};

// A ternary panel, unpacked to codes: two steps have room, the current one and the next.
class TernaryWeights {
 public:
  static constexpr const auto& kFewTokens = kAvx512VnniIntegerOps.ternary_panel;
  static constexpr std::int32_t kOffset = 1;
  static constexpr std::size_t kRowBytes = 64;
  static constexpr std::size_t kStepBytes = 4 * kGroupBytes;

  explicit TernaryWeights(const std::uint8_t* panel) : panel_(panel) {}

  void Prepare(std::size_t step, std::size_t part) {
    const std::uint8_t* from = panel_ + step * kStepBytes + part * 64;
    std::uint8_t* to = codes_[step % 2] + part * kTileBytes;
    const __m512i mask = _mm512_set1_epi8(3);
    SWORN_UNROLL
    for (std::size_t group = 0; group < 4; ++group) {
      _mm_prefetch(reinterpret_cast<const char*>(from + kPrefetch), _MM_HINT_T0);
      const __m512i packed = _mm512_loadu_si512(from);
      SWORN_UNROLL
      for (std::size_t step4 = 0; step4 < 4; ++step4) {
        _mm512_store_si512(
            to + step4 * 64,
            _mm512_and_si512(_mm512_srli_epi16(packed, static_cast<unsigned>(2 * step4)), mask));
      }
      from += kGroupBytes;
      to += 4 * 64;
    }
  }
  const std::uint8_t* Tile(std::size_t step, std::size_t part) const {
    return codes_[step % 2] + part * kTileBytes;
  }

 private:
  const std::uint8_t* panel_;
  alignas(64) std::uint8_t codes_[2][kParts * kTileBytes];
};

// One part of the step that comes next, before the same part of this one: so the processor always
// has both kinds of work within its reach.
template <class Weights>
inline void PrepareNext(Weights& weights, std::size_t step, std::size_t steps, std::size_t part) {
  if (step + 1 < steps) weights.Prepare(step + 1, part);
  MemoryFence();
}

// out = sums + weights * x for up to 16 tokens and the whole panel.
template <class Weights>
void NarrowBlock(Weights& weights, std::size_t steps, const std::int8_t* x, std::size_t x_stride,
                 std::int32_t* out) {
  _tile_loadd(0, out, kOutBytes);
  _tile_loadd(1, out + 16, kOutBytes);
  _tile_loadd(2, out + 32, kOutBytes);
  _tile_loadd(3, out + 48, kOutBytes);
  for (std::size_t part = 0; part < kParts; ++part) weights.Prepare(0, part);
  for (std::size_t step = 0; step < steps; ++step) {
    PrepareNext(weights, step, steps, 0);
    _tile_loadd(4, x + step * kStepColumns, x_stride);
    _tile_loadd(6, weights.Tile(step, 0), Weights::kRowBytes);
    _tile_dpbsud(0, 4, 6);
    PrepareNext(weights, step, steps, 1);
    _tile_loadd(7, weights.Tile(step, 1), Weights::kRowBytes);
    _tile_dpbsud(1, 4, 7);
    PrepareNext(weights, step, steps, 2);
    _tile_loadd(6, weights.Tile(step, 2), Weights::kRowBytes);
    _tile_dpbsud(2, 4, 6);
    PrepareNext(weights, step, steps, 3);
    _tile_loadd(7, weights.Tile(step, 3), Weights::kRowBytes);
    _tile_dpbsud(3, 4, 7);
    MemoryFence();
  }
  _tile_stored(0, out, kOutBytes);
  _tile_stored(1, out + 16, kOutBytes);
  _tile_stored(2, out + 32, kOutBytes);
  _tile_stored(3, out + 48, kOutBytes);
}

// The same for 17 to 32 tokens and the first 32 rows of `weights`.
template <class Weights>
void WideBlock(Weights& weights, std::size_t steps, const std::int8_t* x, std::size_t x_stride,
               std::int32_t* out) {
  const std::int8_t* const x2 = x + kTileRows * x_stride;
  std::int32_t* const out2 = out + kTileRows * kPanelRows;
  _tile_loadd(0, out, kOutBytes);
  _tile_loadd(1, out + 16, kOutBytes);
  _tile_loadd(2, out2, kOutBytes);
  _tile_loadd(3, out2 + 16, kOutBytes);
  for (std::size_t part = 0; part < 2; ++part) weights.Prepare(0, part);
  for (std::size_t step = 0; step < steps; ++step) {
    PrepareNext(weights, step, steps, 0);
    _tile_loadd(4, x + step * kStepColumns, x_stride);
    _tile_loadd(6, weights.Tile(step, 0), Weights::kRowBytes);
    _tile_dpbsud(0, 4, 6);
    PrepareNext(weights, step, steps, 1);
    _tile_loadd(7, weights.Tile(step, 1), Weights::kRowBytes);
    _tile_dpbsud(1, 4, 7);
    _tile_loadd(5, x2 + step * kStepColumns, x_stride);
    _tile_dpbsud(2, 5, 6);
    _tile_dpbsud(3, 5, 7);
    MemoryFence();
  }
  _tile_stored(0, out, kOutBytes);
  _tile_stored(1, out + 16, kOutBytes);
  _tile_stored(2, out2, kOutBytes);
  _tile_stored(3, out2 + 16, kOutBytes);
}

// Below this many tokens the memory is the limit and vectors need less work for what it gives.
constexpr std::size_t kMinTokens = 6;

template <class Weights>
void Panel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
           std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
           std::int32_t* out) noexcept {
  if (tokens < kMinTokens) {
    Weights::kFewTokens(panel, columns, x, x_stride, x_sums, tokens, out);
    return;
  }
  // The sums start below zero by what the offset of the stored weights will add.
  for (std::size_t t = 0; t < tokens; ++t) {
    const std::int64_t start = -std::int64_t{Weights::kOffset} * x_sums[t];
    std::fill_n(out + t * kPanelRows, kPanelRows, static_cast<std::int32_t>(start));
  }
  MemoryFence();
  const std::size_t steps = columns / kStepColumns;
  std::size_t configured = 0;
  while (tokens > 0) {
    const std::size_t count = std::min(tokens, 2 * kTileRows);
    const bool wide = count > kTileRows;
    if (count != configured) {
      if (wide) {
        Configure(kTileRows, count - kTileRows);
      } else {
        Configure(count, count);
      }
      configured = count;
    }
    if (wide) {
      Weights left(panel);
      WideBlock(left, steps, x, x_stride, out);
      Weights right(panel + kGroupBytes / 2);
      WideBlock(right, steps, x, x_stride, out + 32);
    } else {
      Weights all(panel);
      NarrowBlock(all, steps, x, x_stride, out);
    }
    x += count * x_stride;
    out += count * kPanelRows;
    tokens -= count;
  }
  _tile_release();
}

}  // namespace
}  // namespace amx

const IntegerOps kAmxIntegerOps = {amx::Panel<amx::TernaryWeights>, amx::Panel<amx::Int8Weights>};

}  // namespace sworn::kernels

SWORN_TARGET_END
#endif
