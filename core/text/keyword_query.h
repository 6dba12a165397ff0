// A question in the form in which a keyword index answers it. Plain data: made by text::Analyzer,
// answered by store::Snapshot. User text never reaches a query syntax.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sworn::text {

/// The index terms of one query word (one per language); a passage gets the best of them, not the
/// sum.
struct TermAlternatives {
  std::vector<std::string> terms;
  double weight = 1;  // occurrences in the question
};

/// Words that were quoted: they must stand side by side.
struct Phrase {
  std::vector<TermAlternatives> words;  // stop words left out
  std::uint32_t window = 0;             // words it spans, stop words included: they keep positions
  std::string folded;  // the quoted text, case-folded, for the exact check on the passage
};

struct KeywordQuery {
  std::vector<TermAlternatives> words;   // any of them; scores add up
  std::vector<std::string> identifiers;  // exact terms; a passage with more of them stands above
  std::vector<Phrase> phrases;           // as identifiers: a passage with the phrase stands above

  [[nodiscard]] bool empty() const {
    return words.empty() && identifiers.empty() && phrases.empty();
  }
};

}  // namespace sworn::text
