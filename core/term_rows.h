// Passages as sparse rows of term counts: what fitted embedders and local LSA compute with. The
// store keeps one row a chunk beside its postings ("term vectors" in Lucene).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sworn {

/// 64 bits of a hash of an index term (core/text/analyzer.h): rows of different segments meet
/// without a common dictionary. Two terms with one key would be counted as one; among a million
/// terms that is not expected to happen once.
using TermKey = std::uint64_t;

/// FNV-1a over the term's bytes.
TermKey TermKeyOf(std::string_view term) noexcept;

struct TermCount {
  TermKey term = 0;
  std::uint32_t count = 0;

  friend bool operator==(const TermCount&, const TermCount&) = default;
};

/// A row holds each term once, ascending by key. May be empty.
class TermRows {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] std::span<const TermCount> operator[](std::size_t row) const noexcept {
    const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::span(counts_).subspan(begin, ends_[row] - begin);
  }

  /// Appends a row: sorts it and adds up the counts of equal terms.
  void Add(std::vector<TermCount> row);

  /// All rows one after another.
  [[nodiscard]] std::span<const TermCount> counts() const noexcept { return counts_; }

 private:
  std::vector<std::size_t> ends_;
  std::vector<TermCount> counts_;
};

/// log2(1 + count), the local factor of log-entropy weighting, and of the hashed features of a
/// text; the same bits on every machine.
float CountWeight(std::size_t count) noexcept;

/// How a term is spread over the passages of a collection. Adds up over segments.
struct TermSpread {
  std::uint64_t occurrences = 0;  // sum of the counts
  double count_log_count = 0;     // sum of count * log2(count)

  void Add(std::uint32_t count) noexcept;
  void Add(const TermSpread& other) noexcept;

  /// Log-entropy weighting's global factor (Dumais 1991): 1 for a term of one passage, 0 for one
  /// spread evenly over all `passages`.
  [[nodiscard]] double EntropyWeight(std::uint64_t passages) const noexcept;
};

}  // namespace sworn
