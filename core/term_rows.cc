#include "core/term_rows.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sworn {
namespace {

// log2 by repeated squaring, with sums and products alone: unlike the C library's, it gives the
// same bits on every machine.
constexpr double Log2(double value) {
  double result = 0;
  while (value >= 2) {
    value /= 2;
    result += 1;
  }
  double bit = 1;
  for (int i = 0; i < 30; ++i) {
    bit /= 2;
    value *= value;
    if (value < 2) continue;
    value /= 2;
    result += bit;
  }
  return result;
}

constexpr std::size_t kCountsInTable = 64;  // the counts that are common

}  // namespace

TermKey TermKeyOf(std::string_view term) noexcept {
  constexpr TermKey kOffset = 0xCBF29CE484222325U;
  constexpr TermKey kPrime = 0x100000001B3U;
  TermKey key = kOffset;
  for (const char c : term) key = (key ^ static_cast<unsigned char>(c)) * kPrime;
  return key;
}

void TermRows::Add(std::vector<TermCount> row) {
  const auto before = [](const TermCount& a, const TermCount& b) { return a.term < b.term; };
  // Rows that were stored come in order.
  if (!std::is_sorted(row.begin(), row.end(), before)) std::sort(row.begin(), row.end(), before);
  const std::size_t begin = counts_.size();
  for (const TermCount& entry : row) {
    if (counts_.size() > begin && counts_.back().term == entry.term) {
      counts_.back().count += entry.count;
    } else {
      counts_.push_back(entry);
    }
  }
  ends_.push_back(counts_.size());
}

float CountWeight(std::size_t count) noexcept {
  static constexpr auto kTable = [] {
    std::array<float, kCountsInTable> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<float>(Log2(1 + static_cast<double>(i)));
    }
    return table;
  }();
  if (count < kTable.size()) return kTable[count];
  return static_cast<float>(Log2(1 + static_cast<double>(count)));
}

void TermSpread::Add(std::uint32_t count) noexcept {
  occurrences += count;
  if (count > 1) count_log_count += count * std::log2(static_cast<double>(count));
}

void TermSpread::Add(const TermSpread& other) noexcept {
  occurrences += other.occurrences;
  count_log_count += other.count_log_count;
}

double TermSpread::EntropyWeight(std::uint64_t passages) const noexcept {
  if (occurrences == 0) return 0;
  if (passages < 2) return 1;
  // 1 + sum of p log p / log N, with p = count / occurrences.
  const auto total = static_cast<double>(occurrences);
  const double spread = std::log2(total) - count_log_count / total;
  return std::clamp(1 - spread / std::log2(static_cast<double>(passages)), 0.0, 1.0);
}

}  // namespace sworn
