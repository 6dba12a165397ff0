// The specification of the scan of 8-bit codes: what every other table computes faster.
#include "kernels/ops.h"

namespace sworn::kernels {
namespace {

void Scan(const std::uint8_t* codes, std::size_t rows, std::size_t columns, const ScanQuery& query,
          std::int32_t* out) noexcept {
  for (std::size_t row = 0; row < rows; ++row) {
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < columns; ++k) {
      sum += codes[row * columns + k] * (256 * query.high[k] + query.low[k]);
    }
    out[row] = sum;
  }
}

}  // namespace

const ScanOps kScalarScanOps = {Scan};

}  // namespace sworn::kernels
