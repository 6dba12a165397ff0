// What a statement says beyond its words: numbers, months and negations, and its text in a form in
// which two of them can be compared. Knows en, es and de.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace sworn::service {

/// A text for comparing: white space one space, quotation marks, apostrophes and dashes of one kind
/// each, ASCII letters in lower case, bracketed numbers gone; and where each byte came from.
class ComparableText {
 public:
  explicit ComparableText(std::string_view text);

  [[nodiscard]] const std::string& form() const { return form_; }
  /// Where `wanted` (a form of its own) stands first, at word boundaries, as a range of the
  /// original text.
  [[nodiscard]] std::optional<ByteRange> Find(const std::string& wanted) const;

 private:
  void Put(std::string_view bytes, std::size_t begin, std::size_t end);

  std::string form_;
  std::vector<std::size_t> begins_;  // per byte of form_
  std::vector<std::size_t> ends_;
};

/// The form of a statement without the marks at its end.
std::string StatementForm(std::string_view text);

/// Numbers ("12,000" is "12000", "sixty" is "60") and months ("month 3").
std::set<std::string> NumbersOf(std::string_view text);

/// Texts between quotation marks of any kind, without them; one that does not end is none.
std::vector<std::string> QuotationsOf(std::string_view text);

/// The folded words of a text that turn it round: not, never, without, kein, nunca, ...
[[nodiscard]] bool IsNegation(std::string_view folded_word);

}  // namespace sworn::service
