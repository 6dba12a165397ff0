// From the pieces of text that a model writes to its sentences, each with the passages it cites.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::service {

struct WrittenSentence {
  std::string text;                  // without citation marks, one line
  std::vector<std::uint32_t> cited;  // numbers of its marks as written, distinct, in their order

  friend bool operator==(const WrittenSentence&, const WrittenSentence&) = default;
};

using WrittenSink = std::function<void(const WrittenSentence&)>;

/// Cuts "[1]", "[2, 3]" out of a text. A mark belongs to the sentence it stands in or, behind a
/// sentence's end, to that one. The sentences of a text do not depend on how it came in pieces:
/// boundaries are looked for where white space ends a word, and a sentence is handed on when two
/// words of the next one are there.
class SentenceStream {
 public:
  /// `language` as text::SplitSentences takes it.
  explicit SentenceStream(std::string language) : language_(std::move(language)) {}

  void Add(std::string_view piece, const WrittenSink& sink);

  /// The end of the text. With `cut` it ended in the middle (a token limit): a last sentence
  /// without a sentence's end is not handed on, and true is returned.
  bool Finish(bool cut, const WrittenSink& sink);

 private:
  struct Mark {
    std::size_t at = 0;  // offset in text_ of what follows it
    std::vector<std::uint32_t> numbers;
  };

  void AddCharacter(char c, const WrittenSink& sink);
  void HandOn(std::size_t begin, std::size_t end, std::size_t next, const WrittenSink& sink);

  std::string language_;
  std::string text_;     // clean, from the first sentence that was not handed on
  std::string pending_;  // "[1" that may become a mark
  std::vector<Mark> marks_;
};

/// The numbers of a mark such as "[1]", "[2, 3]"; empty if `text` is none.
std::vector<std::uint32_t> ParseMark(std::string_view text);

}  // namespace sworn::service
