// The specification of the coarse estimates: what every other table computes faster.
#include <cmath>

#include "kernels/ops.h"

namespace sworn::kernels {
namespace {

// 2 code - 63, or 2 high - 15 without the low plane.
std::int32_t Level(const CoarsePanel& panel, std::size_t row, std::size_t column) {
  const unsigned byte = panel.high[column / 8 * 64 + 4 * row + column % 4];
  const unsigned high = byte >> (column % 8 / 4 * 4) & 15U;
  if (panel.low == nullptr) return static_cast<std::int32_t>(2 * high) - 15;
  const unsigned bits = panel.low[column / 16 * 64 + 4 * row + column % 4];
  const unsigned low = bits >> (column % 16 / 4 * 2) & 3U;
  return static_cast<std::int32_t>(2 * (4 * high + low)) - 63;
}

void Panel(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
           float* estimates, float* reach) noexcept {
  for (std::size_t t = 0; t < queries.count; ++t) {
    for (std::size_t row = 0; row < kCoarseRows; ++row) {
      float estimate = 0;
      float norm = 0;
      for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t at = block * queries.count + t;
        const std::int8_t* high = queries.x + 2 * at * kCoarseBlock;
        const std::int8_t* low = high + kCoarseBlock;
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < kCoarseBlock; ++i) {
          sum += Level(panel, row, block * kCoarseBlock + i) * (256 * high[i] + low[i]);
        }
        const float scale = panel.scales[block * kCoarseRows + row];
        estimate = std::fma(scale, static_cast<float>(sum), estimate);
        norm = std::fma(scale, queries.norms[at], norm);
      }
      estimates[t * kCoarseRows + row] = estimate;
      reach[t * kCoarseRows + row] = norm;
    }
  }
}

}  // namespace

const CoarseOps kScalarCoarseOps = {Panel};

}  // namespace sworn::kernels
