// Headings that a format does not mark as such: legal numbering, numbered titles, lines in
// capitals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sworn::indexer {

/// The rank of a heading in a path; a heading ends all of the same or a higher rank. Marked
/// headings have 1 to 6.
inline constexpr int kCapitalsRank = 10;  // "GENERAL TERMS"
inline constexpr int kSectionRank = 11;   // "Article 7", "§ 12 Kündigung"
inline constexpr int kNumberRank = 12;    // "3."; one more for each further number of "3.2.1"
inline constexpr int kItemRank = 40;      // "(a)"

struct SectionHeading {
  int rank = 0;
  std::string label;      // the whole line if the paragraph is one, else the number alone
  bool is_title = false;  // the paragraph is nothing but the heading
};

/// The heading that a plain paragraph is or begins with.
std::optional<SectionHeading> FindSectionHeading(std::string_view paragraph);

}  // namespace sworn::indexer
