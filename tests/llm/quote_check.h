// Whether a text in quote mode stands in the passages: checked on the text alone, without the
// automaton that made it.
#pragma once

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sworn::test {

/// What stands between two citations must stand in the passage that the second one names; behind
/// the last one, in any.
inline void CheckQuotes(const std::string& text, const std::vector<std::string>& passages) {
  SCOPED_TRACE(text);
  static const std::regex citation(R"( ?\[(\d+)\])");
  std::size_t at = 0;
  const auto piece_until = [&](std::size_t end) {
    std::string piece = text.substr(at, end - at);
    // The end of the sentence before it.
    if (at > 0) piece.erase(0, std::min(piece.size(), piece.find_first_not_of(".!?:;\"')")));
    piece.erase(0, std::min(piece.size(), piece.find_first_not_of(" \n")));
    return piece;
  };
  for (std::sregex_iterator i(text.begin(), text.end(), citation), end; i != end; ++i) {
    const auto found = static_cast<std::size_t>(i->position());
    const std::string piece = piece_until(found);
    EXPECT_NE(passages.at(std::stoul((*i)[1]) - 1).find(piece), std::string::npos) << piece;
    at = found + static_cast<std::size_t>(i->length());
  }
  // An unfinished text may have a space in front of the citation it did not reach.
  std::string rest = piece_until(text.size());
  const auto stands_in = [&](const std::string& passage) {
    return passage.find(rest) != std::string::npos;
  };
  const bool stands = std::any_of(passages.begin(), passages.end(), stands_in);
  if (!stands && rest.ends_with(' ')) rest.pop_back();
  EXPECT_TRUE(rest.empty() || std::any_of(passages.begin(), passages.end(), stands_in)) << rest;
}

/// The numbers in brackets; -1 for anything else behind a "[".
inline std::vector<int> Citations(const std::string& text) {
  static const std::regex bracket(R"(\[([^\]]*)(\]?))");
  static const std::regex number_form("[1-9][0-9]{0,3}");
  std::vector<int> numbers;
  for (std::sregex_iterator i(text.begin(), text.end(), bracket), end; i != end; ++i) {
    const bool is_number = (*i)[2].length() == 1 && std::regex_match((*i)[1].str(), number_form);
    numbers.push_back(is_number ? std::stoi((*i)[1]) : -1);
  }
  return numbers;
}

}  // namespace sworn::test
