// The weight of every term over several segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/term_rows.h"
#include "store/term_file.h"

namespace sworn::store {

/// One table for all segments, 20 bytes a term: looking terms up in each segment's would cost a
/// question several milliseconds of waiting for memory. Immutable; threads may share it.
class TermWeights {
 public:
  /// Reads the tables of `files` once.
  explicit TermWeights(std::span<const TermFile* const> files);

  /// Entropy weight over the rows of all files; 0 for a term that none has.
  [[nodiscard]] double Of(TermKey term) const noexcept;

 private:
  struct Entry {
    TermKey term = 0;
    double weight = 0;
  };

  void MakeDirectory();

  std::vector<Entry> entries_;  // ascending
  // Where the entries begin whose terms have the same upper bits: a search looks at a few.
  std::vector<std::uint32_t> directory_;
  unsigned directory_shift_ = 0;
};

}  // namespace sworn::store
