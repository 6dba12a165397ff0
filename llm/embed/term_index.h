// Where a term stands in a sorted list of keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/term_rows.h"

namespace sworn::llm {

/// Immutable and safe to share between threads.
class TermIndex {
 public:
  TermIndex() = default;

  /// `terms` ascending and distinct, fewer than 2^32.
  explicit TermIndex(std::vector<TermKey> terms);

  [[nodiscard]] std::span<const TermKey> terms() const noexcept { return terms_; }
  [[nodiscard]] std::optional<std::uint32_t> Find(TermKey term) const noexcept;

 private:
  std::vector<TermKey> terms_;
  std::vector<std::uint32_t> bucket_begins_;  // by the key's first bits; one more than buckets
};

}  // namespace sworn::llm
