#include "llm/decode/vocabulary_index.h"

#include <algorithm>
#include <utility>

namespace sworn::llm {

VocabularyIndex::VocabularyIndex(const Tokenizer& tokenizer) {
  std::vector<std::pair<std::string_view, Token>> entries;
  entries.reserve(tokenizer.vocabulary());
  const auto ends = tokenizer.ends();
  for (std::size_t i = 0; i < tokenizer.vocabulary(); ++i) {
    const auto token = static_cast<Token>(i);
    const std::string_view bytes = tokenizer.Bytes(token);
    if (bytes.empty() || std::find(ends.begin(), ends.end(), token) != ends.end()) continue;
    entries.emplace_back(bytes, token);
  }
  std::sort(entries.begin(), entries.end());
  tokens_.reserve(entries.size());
  bytes_.reserve(entries.size());
  for (const auto& [bytes, token] : entries) {
    bytes_.push_back(bytes);
    tokens_.push_back(token);
  }
}

VocabularyIndex::Range VocabularyIndex::Narrow(Range range, std::size_t depth,
                                               std::uint8_t byte) const {
  // Tokens without a byte here stand before all others: as if it were -1.
  const auto byte_of = [depth](std::string_view bytes) {
    return bytes.size() > depth ? int{static_cast<std::uint8_t>(bytes[depth])} : -1;
  };
  const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(range.begin);
  const auto last = bytes_.begin() + static_cast<std::ptrdiff_t>(range.end);
  const auto begin = std::partition_point(
      first, last, [&](std::string_view bytes) { return byte_of(bytes) < byte; });
  const auto end = std::partition_point(
      begin, last, [&](std::string_view bytes) { return byte_of(bytes) <= byte; });
  return {static_cast<std::size_t>(begin - bytes_.begin()),
          static_cast<std::size_t>(end - bytes_.begin())};
}

std::span<const Token> VocabularyIndex::Complete(Range range, std::size_t depth) const {
  std::size_t end = range.begin;
  while (end < range.end && bytes_[end].size() == depth) ++end;
  return std::span(tokens_).subspan(range.begin, end - range.begin);
}

}  // namespace sworn::llm
