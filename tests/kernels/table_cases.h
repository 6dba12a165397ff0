// Fixed inputs for every function of a kernel table. The outputs of two tables, on whatever
// processor, must be the same bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"

namespace sworn::kernels {

struct TableCase {
  std::string_view name;
  /// Runs one function of the table on many inputs; what it wrote, one output after the other.
  std::vector<std::uint8_t> (*run)(const KernelTable& table);
};

std::span<const TableCase> TableCases();

}  // namespace sworn::kernels
