// Guesses the next tokens by copying: an answer that quotes repeats the passages of its prompt.
//
// A guess costs little, because all of it is checked in one forward pass, and changes nothing: only
// tokens that are chosen anyway are kept (docs/decoding.md).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "llm/decode/suffix_automaton.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// With the token before them, these fill the six positions that kernels compute at once.
inline constexpr std::size_t kMaxDraft = 5;

/// Of one generation; not thread-safe. Depends on the tokens alone, so the same text is drafted in
/// the same way again.
class Drafter {
 public:
  /// The next token of the prompt or the answer.
  void Append(Token token) { text_.Append(token); }

  /// At most kMaxDraft tokens that followed the longest repeated end of the text when it first
  /// occurred; more of them the longer that end is, fewer after guesses that failed.
  [[nodiscard]] std::vector<Token> Propose() const;

  /// Of `drafted` proposed tokens the first `accepted` were right.
  void Report(std::size_t drafted, std::size_t accepted);

 private:
  SuffixAutomaton text_;
  double rate_ = 0.5;  // of tokens accepted lately
};

}  // namespace sworn::llm
