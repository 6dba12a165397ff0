// Whether a text in quote mode stands in the passages: checked on the text alone, without the
// automaton that made it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sworn::test {

struct FoundCitation {
  int number = -1;  // -1: what stands behind the "[" is no number without leading zeros and "]"
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Each "[" of `text` with what stands behind it.
inline std::vector<FoundCitation> FindCitations(const std::string& text) {
  std::vector<FoundCitation> found;
  for (std::size_t at = text.find('['); at != std::string::npos; at = text.find('[', at + 1)) {
    const std::size_t end = text.find_first_not_of("0123456789", at + 1);
    const std::string digits = text.substr(at + 1, end - at - 1);
    const bool closed = end != std::string::npos && text[end] == ']';
    const bool is_number = closed && !digits.empty() && digits.size() < 5 && digits[0] != '0';
    found.push_back({is_number ? std::stoi(digits) : -1, at, closed ? end + 1 : text.size()});
  }
  return found;
}

/// The numbers in brackets; -1 for anything else behind a "[".
inline std::vector<int> Citations(const std::string& text) {
  std::vector<int> numbers;
  for (const FoundCitation& citation : FindCitations(text)) numbers.push_back(citation.number);
  return numbers;
}

/// What stands between two citations must stand in the passage that the second one names; behind
/// the last one, in any.
inline void CheckQuotes(const std::string& text, const std::vector<std::string>& passages) {
  SCOPED_TRACE(text);
  std::size_t at = 0;
  const auto piece_until = [&](std::size_t end) {
    std::string piece = text.substr(at, end - at);
    // The end of the sentence before it.
    if (at > 0) piece.erase(0, std::min(piece.size(), piece.find_first_not_of(".!?:;\"')")));
    piece.erase(0, std::min(piece.size(), piece.find_first_not_of(" \n")));
    return piece;
  };
  const auto stands = [](const std::string& passage, std::string piece) {
    if (passage.find(piece) != std::string::npos) return true;
    if (!piece.ends_with(' ')) return false;
    piece.pop_back();  // the space in front of the citation
    return passage.find(piece) != std::string::npos;
  };
  for (const FoundCitation& citation : FindCitations(text)) {
    ASSERT_TRUE(citation.number >= 1 && citation.number <= static_cast<int>(passages.size()));
    const std::string piece = piece_until(citation.begin);
    EXPECT_TRUE(stands(passages[static_cast<std::size_t>(citation.number) - 1], piece)) << piece;
    at = citation.end;
  }
  const std::string rest = piece_until(text.size());
  EXPECT_TRUE(rest.empty() ||
              std::any_of(passages.begin(), passages.end(),
                          [&](const std::string& passage) { return stands(passage, rest); }))
      << rest;
}

}  // namespace sworn::test
