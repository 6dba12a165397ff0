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
    x_bytes.resize(2 * columns);
    for (std::size_t c = 0; c < columns; ++c) {
      const auto x_high = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
      const auto x_low = static_cast<std::int8_t>(static_cast<int>(random() % 256) - 128);
      const std::size_t block = c / kCoarseBlock;
      const std::size_t within = c % kCoarseBlock;
      x_bytes[2 * block * kCoarseBlock + within] = x_high;
      x_bytes[(2 * block + 1) * kCoarseBlock + within] = x_low;
      x.push_back(256 * x_high + x_low);
      sums[block] += x[c];
    }
    for (std::size_t b = 0; b < blocks; ++b) norms.push_back(0.5F + static_cast<float>(b));
  }

  void Run(bool both, std::vector<float>& estimates, std::vector<float>& reach) const {
    estimates.resize(kCoarseRows);
    reach.resize(kCoarseRows);
    const CoarseQueries queries{x_bytes.data(), sums.data(), norms.data(), 1};
    const CoarsePanel panel{high.data(), both ? low.data() : nullptr, scales.data()};
    FindKernels("scalar")->coarse_panel(panel, blocks, queries, estimates.data(), reach.data());
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
  std::vector<std::int8_t> x_bytes;
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

// One row whose own norm bounds it, one whose spread does; the others are zeros.
TEST(CoarseBoundsTest, TheSmallerBoundIsAddedAndTheNumberOfPossibleRowsCounted) {
  CoarseRows rows{};
  const auto set = [&](std::size_t r, float scale, float residual, float spread, float norm) {
    rows.scale[r] = scale;
    rows.residual_high[r] = 8 * residual;
    rows.residual_both[r] = residual;
    rows.spread_high[r] = 8 * spread;
    rows.spread_both[r] = spread;
    rows.norm[r] = norm;
  };
  set(0, 0.5F, 2, 4, 16);
  set(1, 0.25F, 4, 2, 8);
  const CoarseFactors factors{
      .step = 2, .residual = 3, .spread = 0.5F, .norm = 0.125F, .absolute = 1};
  std::vector<float> sums(kCoarseRows);
  std::vector<float> reach(kCoarseRows, 8.0F);
  sums[0] = 10;
  sums[1] = -6;
  std::vector<float> estimates(kCoarseRows);
  std::vector<float> uppers(kCoarseRows);
  const auto possible = [&](bool both, float floor) {
    return FindKernels("scalar")->coarse_bounds(rows, both, factors, sums.data(), reach.data(),
                                                floor, estimates.data(), uppers.data());
  };
  EXPECT_EQ(possible(true, 19), 1U);  // not below the floor is possible
  EXPECT_EQ(estimates[0], 10);
  EXPECT_EQ(uppers[0], 10 + (6 + 2) + 1);
  EXPECT_EQ(estimates[1], -3);
  EXPECT_EQ(uppers[1], -3 + (8 + 1) + 1);
  EXPECT_EQ(uppers[2], 1);
  EXPECT_EQ(possible(true, 7), 2U);
  EXPECT_EQ(possible(true, 1), kCoarseRows);
  EXPECT_EQ(possible(true, 19.5F), 0U);
  EXPECT_EQ(possible(false, 54), 2U);
  EXPECT_EQ(estimates[0], 40);
  EXPECT_EQ(uppers[0], 40 + (48 + 2) + 1);
  EXPECT_EQ(estimates[1], -12);
  EXPECT_EQ(uppers[1], -12 + (64 + 1) + 1);
}

}  // namespace
}  // namespace sworn::kernels
