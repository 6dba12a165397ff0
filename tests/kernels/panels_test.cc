#include "kernels/panels.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sworn::kernels {
namespace {

constexpr std::uint32_t kSeed = 7;

std::vector<std::int8_t> RandomTrits(std::size_t count) {
  std::mt19937 random(kSeed);
  std::uniform_int_distribution<int> trit(-1, 1);
  std::vector<std::int8_t> values(count);
  for (std::int8_t& value : values) value = static_cast<std::int8_t>(trit(random));
  return values;
}

TEST(TernaryPanels, UnpackToWhatWasPacked) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  for (const std::size_t columns : {1U, 15U, 16U, 63U, 64U, 100U, 320U}) {
    const std::vector<std::int8_t> weights = RandomTrits(kPanelRows * columns);
    std::vector<std::uint8_t> panel(TernaryPanelBytes(columns), 0xFF);
    PackTernaryPanel(weights, kPanelRows, columns, panel.data());
    std::vector<std::int8_t> unpacked(weights.size(), 99);
    EXPECT_TRUE(UnpackTernaryPanel(panel.data(), columns, unpacked));
    EXPECT_EQ(unpacked, weights) << columns << " columns";
  }
}

TEST(TernaryPanels, HoldTheCodesWhereTheLayoutSays) {
  constexpr std::size_t kColumns = 50;
  const std::vector<std::int8_t> weights = RandomTrits(kPanelRows * kColumns);
  std::vector<std::uint8_t> panel(TernaryPanelBytes(kColumns));
  PackTernaryPanel(weights, kPanelRows, kColumns, panel.data());
  for (std::size_t group = 0; group < 4; ++group) {
    for (std::size_t row = 0; row < kPanelRows; ++row) {
      for (std::size_t j = 0; j < 4; ++j) {
        for (std::size_t s = 0; s < 4; ++s) {
          const std::size_t column = 16 * group + 4 * s + j;
          const int code = panel[group * 256 + 4 * row + j] >> 2 * s & 3;
          const int value = column < kColumns ? weights[row * kColumns + column] : 0;
          ASSERT_EQ(code, value + 1) << "row " << row << ", column " << column;
        }
      }
    }
  }
}

TEST(TernaryPanels, FillMissingRowsWithZeros) {
  constexpr std::size_t kColumns = 70;
  constexpr std::size_t kRows = 5;
  const std::vector<std::int8_t> weights = RandomTrits(kRows * kColumns);
  std::vector<std::uint8_t> panel(TernaryPanelBytes(kColumns), 0xFF);
  PackTernaryPanel(weights, kRows, kColumns, panel.data());
  std::vector<std::int8_t> expected = weights;
  expected.resize(kPanelRows * kColumns, 0);
  std::vector<std::int8_t> unpacked(expected.size(), 99);
  EXPECT_TRUE(UnpackTernaryPanel(panel.data(), kColumns, unpacked));
  EXPECT_EQ(unpacked, expected);
}

TEST(TernaryPanels, ReportACodeThatIsNoWeight) {
  constexpr std::size_t kColumns = 64;
  std::vector<std::uint8_t> panel(TernaryPanelBytes(kColumns), 0b01'01'01'01);
  std::vector<std::int8_t> unpacked(kPanelRows * kColumns);
  ASSERT_TRUE(UnpackTernaryPanel(panel.data(), kColumns, unpacked));
  for (const std::size_t byte : {std::size_t{0}, panel.size() / 2, panel.size() - 1}) {
    for (unsigned shift = 0; shift < 8; shift += 2) {
      std::vector<std::uint8_t> damaged = panel;
      damaged[byte] = static_cast<std::uint8_t>(damaged[byte] | 3U << shift);
      EXPECT_FALSE(UnpackTernaryPanel(damaged.data(), kColumns, unpacked))
          << "byte " << byte << ", shift " << shift;
    }
  }
}

TEST(Int8Panels, HoldTheWeightsWhereTheLayoutSays) {
  constexpr std::size_t kColumns = 50;
  constexpr std::size_t kRows = 61;
  std::mt19937 random(kSeed);
  std::uniform_int_distribution<int> any(-128, 127);
  std::vector<std::int8_t> weights(kRows * kColumns);
  for (std::int8_t& value : weights) value = static_cast<std::int8_t>(any(random));
  std::vector<std::uint8_t> panel(Int8PanelBytes(kColumns), 0xFF);
  PackInt8Panel(weights, kRows, kColumns, panel.data());
  for (std::size_t row = 0; row < kPanelRows; ++row) {
    for (std::size_t column = 0; column < PaddedColumns(kColumns); ++column) {
      const bool inside = row < kRows && column < kColumns;
      const int value = inside ? weights[row * kColumns + column] : 0;
      ASSERT_EQ(panel[column / 4 * 256 + 4 * row + column % 4], value + 128)
          << "row " << row << ", column " << column;
    }
  }
}

}  // namespace
}  // namespace sworn::kernels
