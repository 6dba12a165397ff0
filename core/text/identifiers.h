// Exact identifiers: numbers, codes, dates, section signs and citations that a reader wants to find
// as they stand.
//
// What becomes a term ("#" + folded text, inner spaces dropped):
//   a run of words joined by "-", "_", ".", "/" or ":" that holds a digit (C34.1, NCT01234567,
//   ABC-00012345, 2026-01-31, 10.05.2021, 1:21-cv-00123) and, where "/" joins, each part of it;
//   digits alone from three on (a "10" is an amount more often than a name), but no "19th", "80s";
//   a number behind a section word: "§ 1983" -> "#§1983", "Art. 7", "Article 7" -> "#art7",
//   "Section 4.2", "Sec. 4.2" -> "#sec4.2";
//   a citation of a reporter: "123 F.3d 456" -> "#123f.3d456";
//   a hyphenated compound without a digit: co-trimoxazole, two-dimensional.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/word_scanner.h"

namespace sworn::text {

struct Identifier {
  std::string term;  // with the "#"
  std::size_t byte_begin = 0;
  std::size_t byte_end = 0;
  /// Asked for, it lifts a passage that has it above those that have not. False for plain numbers
  /// of up to four digits (years, amounts), small decimals and ordinary compounds, which do that in
  /// a look-up only ("piperacillin-tazobactam" and nothing else). In a whole question they would do
  /// harm: on XQuAD nDCG@10 fell from .971 to .968 with years lifting, and compounds that merely
  /// scored cost Cranfield .005 and Medline .01.
  bool is_exact = false;
};

/// Appends the identifiers of `text`, whose words are `words`, in the order of their ends. An
/// identifier may contain others.
void FindIdentifiers(std::string_view text, std::span<const Word> words,
                     std::vector<Identifier>& found);

}  // namespace sworn::text
