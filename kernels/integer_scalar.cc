// The specification of the integer products: what every other table computes faster.
#include "kernels/ops.h"

namespace sworn::kernels {
namespace {

// Weights are read as stored, that is value + offset with offset 1 or 128, and the sum of x times
// the offset is taken off at the end. The sum before that stays within int32 as well: at most
// 255 * 128 * kMaxColumns would not, so it is kept in 64 bits.
void TernaryPanel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
                  std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
                  std::int32_t* out) noexcept {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t row = 0; row < kPanelRows; ++row) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        const unsigned byte = panel[k / 16 * 256 + 4 * row + k % 4];
        const unsigned code = byte >> (k % 16 / 4 * 2) & 3U;
        sum += static_cast<std::int64_t>(code) * x[t * x_stride + k];
      }
      out[t * kPanelRows + row] = static_cast<std::int32_t>(sum - x_sums[t]);
    }
  }
}

void Int8Panel(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
               std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
               std::int32_t* out) noexcept {
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t row = 0; row < kPanelRows; ++row) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        const std::int64_t weight = panel[k / 4 * 256 + 4 * row + k % 4];
        sum += weight * x[t * x_stride + k];
      }
      sum -= 128 * static_cast<std::int64_t>(x_sums[t]);
      out[t * kPanelRows + row] = static_cast<std::int32_t>(sum);
    }
  }
}

}  // namespace

const IntegerOps kScalarIntegerOps = {TernaryPanel, Int8Panel};

}  // namespace sworn::kernels
