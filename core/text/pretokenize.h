// Cuts a text into the pieces inside which a byte-pair tokenizer merges: words with the space in
// front of them, runs of digits, of punctuation, of white space.
//
// The rules are published as regular expressions; here each is a scanner with one code point of
// look-ahead, so that a text of any kind takes linear time. \p{L} and \p{N} are Unicode's general
// categories, \s its property White_Space.
#pragma once

#include <cstddef>
#include <string_view>

namespace sworn::text {

enum class PretokenRule {
  // GPT-2 (github.com/openai/gpt-2, src/encoder.py):
  //   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kGpt2,
  // Every \p{N} is a piece of its own; what stands between them is cut as by kGpt2.
  kGpt2SingleDigits,
  // Llama 3 (github.com/microsoft/BitNet, gpu/tokenizer.py):
  //   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
  //   | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
  kLlama3,
  // As kLlama3 with \p{N} in place of \p{N}{1,3}.
  kLlama3SingleDigits,
};

/// Walks over the pieces of a text, which cover it without gaps.
class Pretokenizer {
 public:
  /// `utf8` must be valid and outlive this.
  Pretokenizer(PretokenRule rule, std::string_view utf8) : rule_(rule), text_(utf8) {}

  /// Moves to the next piece, which is not empty; false at the end.
  bool Next(std::string_view& piece);

 private:
  PretokenRule rule_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t part_end_ = 0;  // kGpt2SingleDigits: of the stretch without digits that at_ is in
};

}  // namespace sworn::text
