// Finds which of a set of byte strings a text begins with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// Immutable; safe to share between threads. The strings are not copied and must outlive it.
class PrefixIndex {
 public:
  struct Entry {
    std::string_view bytes;  // not empty
    Token token = 0;
  };

  /// Of equal strings the one with the smallest token counts.
  explicit PrefixIndex(std::vector<Entry> entries);

  [[nodiscard]] bool empty() const { return entries_.empty(); }

  /// Calls visit(entry) for every entry that `text` begins with, shortest first. The time is
  /// bounded by the longest entry, whatever the text.
  template <typename Visit>
  void ForEach(std::string_view text, Visit&& visit) const {
    if (text.empty()) return;
    const auto first = static_cast<std::uint8_t>(text.front());
    std::size_t begin = begins_[first];
    std::size_t end = begins_[first + std::size_t{1}];
    // All entries of [begin, end) start with the same `length` bytes as the text.
    for (std::size_t length = 1; begin < end; ++length) {
      if (entries_[begin].bytes.size() == length) visit(entries_[begin++]);
      if (length == text.size()) return;
      Narrow(static_cast<std::uint8_t>(text[length]), length, begin, end);
    }
  }

 private:
  /// Keeps of [begin, end) the entries whose byte at `at` is `byte`; all are longer than `at`.
  void Narrow(std::uint8_t byte, std::size_t at, std::size_t& begin, std::size_t& end) const;

  std::vector<Entry> entries_;                // sorted by their bytes
  std::array<std::size_t, 257> begins_ = {};  // of the entries with a first byte; of none: the end
};

}  // namespace sworn::llm
