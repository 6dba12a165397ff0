// The weighted rows of a question's hits, and products with their Gram matrix.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/term_rows.h"
#include "core/types.h"
#include "store/snapshot.h"

namespace sworn::retriever {

/// Columns that are multiplied at once: they fit the vector registers.
inline constexpr std::size_t kBlockWidth = 48;
using BlockRow = std::array<float, kBlockWidth>;
using Block = std::vector<BlockRow>;  // one row a hit

/// X: a row a hit, log2(1 + count) * entropy weight, at unit norm. Immutable.
class LocalMatrix {
 public:
  LocalMatrix(const store::Snapshot& snapshot, std::span<const ChunkId> hits,
              std::span<const TermCount> question);

  /// X Xᵀ block.
  [[nodiscard]] Block TimesGram(const Block& block) const;

  /// X qᵀ: one number a hit.
  [[nodiscard]] const std::vector<double>& question_products() const noexcept { return products_; }

 private:
  struct Entry {
    std::uint32_t index = 0;  // of the term in by_hit_, of the hit in by_term_
    float value = 0;
  };
  struct Lists {
    std::vector<std::uint32_t> begins;  // one more than lists
    std::vector<Entry> entries;
  };

  Lists by_hit_;              // terms of more than one hit
  Lists by_term_;             // the same, transposed
  std::vector<float> alone_;  // per hit: the square of what no other hit has
  std::vector<double> products_;
};

}  // namespace sworn::retriever
