// The tokens of a vocabulary in the order of their bytes, so that those which begin with given
// bytes are a range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// Immutable; safe to share between threads.
class VocabularyIndex {
 public:
  /// `tokenizer` must outlive it. Tokens without bytes (control tokens) and those that end a text
  /// are left out.
  explicit VocabularyIndex(const Tokenizer& tokenizer);

  /// Half-open; its tokens agree in the bytes that were narrowed to.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;

    [[nodiscard]] bool empty() const noexcept { return begin == end; }
  };

  [[nodiscard]] Range All() const noexcept { return {0, tokens_.size()}; }
  /// The tokens of `range`, narrowed `depth` times, whose next byte is `byte`.
  [[nodiscard]] Range Narrow(Range range, std::size_t depth, std::uint8_t byte) const;
  /// The tokens of `range`, narrowed `depth` times, that have no further byte, ascending.
  [[nodiscard]] std::span<const Token> Complete(Range range, std::size_t depth) const;

 private:
  std::vector<Token> tokens_;
  std::vector<std::string_view> bytes_;  // of tokens_, ascending as unsigned bytes
};

}  // namespace sworn::llm
