// Weight matrices as panels of 64 rows: the one layout that every kernel table reads, so that a
// packed file can be mapped on any processor.
//
// A matrix [rows, columns] is padded to whole panels of kPanelRows rows and a multiple of
// kColumnMultiple columns; panel p holds rows 64p to 64p+63, one panel after the other.
// Ternary: columns go in groups of 16, 256 bytes each; byte 4r + j of group g (r: row of the panel,
// j: 0..3) holds in bits 2s+1..2s (s: 0..3) the code of weight (r, 16g + 4s + j), code = value + 1,
// code 3 is invalid. So one 64-byte load gives 16 rows x 4 columns at each of four shifts.
// Int8: columns go in groups of 4, 256 bytes each; byte 4r + j of group g is value + 128 of weight
// (r, 4g + j).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/kernels.h"

namespace sworn::kernels {

constexpr std::size_t PaddedRows(std::size_t rows) {
  return (rows + kPanelRows - 1) / kPanelRows * kPanelRows;
}
constexpr std::size_t PaddedColumns(std::size_t columns) {
  return (columns + kColumnMultiple - 1) / kColumnMultiple * kColumnMultiple;
}
/// Bytes of one panel of `columns` columns (padded or not).
constexpr std::size_t TernaryPanelBytes(std::size_t columns) {
  return PaddedColumns(columns) * kPanelRows / 4;
}
constexpr std::size_t Int8PanelBytes(std::size_t columns) {
  return PaddedColumns(columns) * kPanelRows;
}

/// Writes rows first_row.. of a panel. `weights` is row-major [row_count, columns] with values -1,
/// 0 and 1 (ternary) or any int8; rows past row_count become 0. `panel` has
/// TernaryPanelBytes(columns) or Int8PanelBytes(columns) bytes. row_count is 1 to kPanelRows.
void PackTernaryPanel(std::span<const std::int8_t> weights, std::size_t row_count,
                      std::size_t columns, std::uint8_t* panel) noexcept;
void PackInt8Panel(std::span<const std::int8_t> weights, std::size_t row_count, std::size_t columns,
                   std::uint8_t* panel) noexcept;

/// The weights of a ternary panel again, row-major [kPanelRows, columns], padding columns left out.
/// False if a code is 3.
bool UnpackTernaryPanel(const std::uint8_t* panel, std::size_t columns,
                        std::span<std::int8_t> weights) noexcept;

}  // namespace sworn::kernels
