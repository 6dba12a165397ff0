// The scalar scan of codes against plain code; TableCaseTest compares the other tables. Every
// table against the end of memory.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/kernels.h"

namespace sworn::kernels {
namespace {

constexpr unsigned kSeed = 7'007;

TEST(ScanCodesTest, IsTheSumOfProducts) {
  std::mt19937 random(kSeed);
  for (const std::size_t columns : {1U, 3U, 64U, 384U}) {
    constexpr std::size_t kRows = 7;
    std::vector<std::uint8_t> codes(kRows * columns);
    for (std::uint8_t& c : codes) c = static_cast<std::uint8_t>(random());
    std::vector<std::int8_t> high(columns);
    std::vector<std::int8_t> low(columns);
    for (std::size_t k = 0; k < columns; ++k) {
      high[k] = static_cast<std::int8_t>(static_cast<int>(random() % 129) - 64);
      low[k] = static_cast<std::int8_t>(random());
    }
    std::vector<std::int32_t> out(kRows);
    FindKernels("scalar")->scan_codes(codes.data(), kRows, columns, {high.data(), low.data()},
                                      out.data());
    for (std::size_t r = 0; r < kRows; ++r) {
      std::int64_t expected = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        expected += std::int64_t{codes[r * columns + k]} * (256 * high[k] + low[k]);
      }
      EXPECT_EQ(out[r], expected) << columns << " columns, row " << r << ", seed " << kSeed;
    }
  }
}

TEST(ScanCodesTest, ReadsNothingBeyondTheRows) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const mapping =
      ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapping, MAP_FAILED);
  auto* const bytes = static_cast<std::uint8_t*>(mapping);
  ASSERT_EQ(::mprotect(bytes + page, page, PROT_NONE), 0);
  for (const KernelTable* table : RunnableKernels()) {
    SCOPED_TRACE(table->name);
    for (std::size_t columns = 1; columns <= 200; ++columns) {
      const std::vector<std::int8_t> ones(columns, 1);
      const std::vector<std::int8_t> zeros(columns, 0);
      for (const std::size_t rows : {1U, 4U, 5U}) {
        std::uint8_t* const codes = bytes + page - rows * columns;
        std::fill_n(codes, rows * columns, std::uint8_t{3});
        std::vector<std::int32_t> out(rows);
        table->scan_codes(codes, rows, columns, {zeros.data(), ones.data()}, out.data());
        for (const std::int32_t sum : out) ASSERT_EQ(sum, 3 * static_cast<int>(columns));
      }
    }
  }
  ::munmap(mapping, 2 * page);
}

}  // namespace
}  // namespace sworn::kernels
