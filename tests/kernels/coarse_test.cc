// The scalar coarse estimates against plain code; TableCaseTest compares the other tables.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/kernels.h"

namespace sworn::kernels {
namespace {

constexpr unsigned kSeed = 20'240;

// Codes and states of one panel, in the layouts of kernels/kernels.h and plainly.
struct Fixture {
  explicit Fixture(std::size_t block_count) : blocks(block_count) {
    std::mt19937 random(kSeed);
    const std::size_t columns = blocks * kCoarseBlock;
    codes.assign(kCoarseRows, std::vector<int>(columns));
    high.resize(columns * kCoarseRows / 2);
    low.resize(columns * kCoarseRows / 4);
    for (std::size_t r = 0; r < kCoarseRows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        const auto code = static_cast<int>(random() % 64);
        codes[r][c] = code;
        // Group, then row, then column of the group.
        high[64 * (c / 8) + 4 * r + c % 4] |=
            static_cast<std::uint8_t>((code / 4) << ((c / 4 % 2) * 4));
        low[64 * (c / 16) + 4 * r + c % 4] |=
            static_cast<std::uint8_t>((code % 4) << ((c / 4 % 4) * 2));
      }
    }
    for (std::size_t i = 0; i < blocks * kCoarseRows; ++i) {
      scales.push_back(static_cast<std::uint8_t>(random()));
    }
    sums.resize(blocks);
    for (std::size_t c = 0; c < columns; ++c) {
      x_high.push_back(static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127));
      x_low.push_back(static_cast<std::int8_t>(static_cast<int>(random() % 256) - 128));
      x.push_back(256 * x_high[c] + x_low[c]);
      sums[c / kCoarseBlock] += x[c];
    }
    for (std::size_t b = 0; b < blocks; ++b) norms.push_back(0.5F + static_cast<float>(b));
  }

  void Run(bool both, std::vector<float>& estimates, std::vector<float>& reach) const {
    estimates.resize(kCoarseRows);
    reach.resize(kCoarseRows);
    const CoarseQuery query{x_high.data(), x_low.data(), sums.data(), norms.data()};
    const CoarsePanel panel{high.data(), both ? low.data() : nullptr, scales.data()};
    FindKernels("scalar")->coarse_panel(panel, blocks, &query, 1, estimates.data(), reach.data());
  }

  // The exact sum of one block.
  [[nodiscard]] std::int64_t Sum(std::size_t row, std::size_t block, bool both) const {
    std::int64_t sum = 0;
    for (std::size_t c = block * kCoarseBlock; c < (block + 1) * kCoarseBlock; ++c) {
      const int code = codes[row][c];
      sum += std::int64_t{both ? 2 * code - 63 : 2 * (code / 4) - 15} * x[c];
    }
    return sum;
  }

  std::size_t blocks;
  std::vector<std::vector<int>> codes;
  std::vector<std::uint8_t> high, low, scales;
  std::vector<std::int8_t> x_high, x_low;
  std::vector<std::int32_t> x, sums;
  std::vector<float> norms;
};

TEST(CoarsePanelTest, OneBlockIsTheRoundedProductOfScaleAndRoundedSum) {
  const Fixture fixture(1);
  for (const bool both : {false, true}) {
    std::vector<float> estimates;
    std::vector<float> reach;
    fixture.Run(both, estimates, reach);
    for (std::size_t r = 0; r < kCoarseRows; ++r) {
      const float scale = fixture.scales[r];
      EXPECT_EQ(estimates[r], scale * static_cast<float>(fixture.Sum(r, 0, both)));
      EXPECT_EQ(reach[r], scale * fixture.norms[0]);
    }
  }
}

TEST(CoarsePanelTest, ManyBlocksAreNearTheExactSum) {
  const Fixture fixture(40);
  for (const bool both : {false, true}) {
    std::vector<float> estimates;
    std::vector<float> reach;
    fixture.Run(both, estimates, reach);
    for (std::size_t r = 0; r < kCoarseRows; ++r) {
      double exact = 0;
      double magnitude = 0;
      double norm = 0;
      for (std::size_t b = 0; b < fixture.blocks; ++b) {
        const double scale = fixture.scales[b * kCoarseRows + r];
        const double term = scale * static_cast<double>(fixture.Sum(r, b, both));
        exact += term;
        magnitude += std::abs(term);
        norm += scale * fixture.norms[b];
      }
      EXPECT_NEAR(estimates[r], exact, 41 * 0x1p-24 * magnitude);
      EXPECT_NEAR(reach[r], norm, 41 * 0x1p-24 * norm);
    }
  }
}

}  // namespace
}  // namespace sworn::kernels
