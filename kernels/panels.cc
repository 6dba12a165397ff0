#include "kernels/panels.h"

#include <cassert>
#include <cstring>

namespace sworn::kernels {
namespace {

constexpr std::size_t kGroupBytes = 4 * kPanelRows;  // of one group of columns, in both layouts
constexpr std::size_t kTernaryGroup = 16;            // columns

constexpr std::size_t TernaryByte(std::size_t row, std::size_t column) {
  return column / kTernaryGroup * kGroupBytes + 4 * row + column % 4;
}
constexpr unsigned TernaryShift(std::size_t column) {
  return static_cast<unsigned>(column % kTernaryGroup / 4 * 2);
}

}  // namespace

void PackTernaryPanel(std::span<const std::int8_t> weights, std::size_t row_count,
                      std::size_t columns, std::uint8_t* panel) noexcept {
  assert(row_count >= 1 && row_count <= kPanelRows && weights.size() == row_count * columns);
  constexpr int kFourZeros = 0b01'01'01'01;  // code 1 at each shift
  std::memset(panel, kFourZeros, TernaryPanelBytes(columns));
  for (std::size_t row = 0; row < row_count; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::int8_t value = weights[row * columns + column];
      assert(value >= -1 && value <= 1);
      // From code 1 to the code of `value`: 1 ^ 1 = 0, 1 ^ 0 = 1, 1 ^ 3 = 2.
      const unsigned change = value == 0 ? 0U : value < 0 ? 1U : 3U;
      std::uint8_t& byte = panel[TernaryByte(row, column)];
      byte = static_cast<std::uint8_t>(byte ^ (change << TernaryShift(column)));
    }
  }
}

void PackInt8Panel(std::span<const std::int8_t> weights, std::size_t row_count, std::size_t columns,
                   std::uint8_t* panel) noexcept {
  assert(row_count >= 1 && row_count <= kPanelRows && weights.size() == row_count * columns);
  std::memset(panel, 128, Int8PanelBytes(columns));
  for (std::size_t row = 0; row < row_count; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      panel[column / 4 * kGroupBytes + 4 * row + column % 4] =
          static_cast<std::uint8_t>(weights[row * columns + column] + 128);
    }
  }
}

bool UnpackTernaryPanel(const std::uint8_t* panel, std::size_t columns,
                        std::span<std::int8_t> weights) noexcept {
  assert(weights.size() == kPanelRows * columns);
  bool valid = true;
  for (std::size_t row = 0; row < kPanelRows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const int code = panel[TernaryByte(row, column)] >> TernaryShift(column) & 3;
      valid = valid && code != 3;
      weights[row * columns + column] = static_cast<std::int8_t>(code - 1);
    }
  }
  return valid;
}

}  // namespace sworn::kernels
