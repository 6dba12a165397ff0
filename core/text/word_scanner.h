// Words of a UTF-8 text, as the analyzer counts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sworn::text {

/// Longest word that becomes a term; longer ones (base64, rules of a table) are noise.
inline constexpr std::size_t kMaxWordBytes = 64;

struct Word {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool has_digit = false;
  bool is_ascii = true;

  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// Walks over the words of a valid UTF-8 text: runs of letters, marks and digits; an apostrophe
/// between letters ("don't", "l'homme") and a period or comma between digits ("3.2.1", "1,000")
/// stay inside. A Han or kana character is a word of its own, for there are no spaces to go by.
class WordScanner {
 public:
  explicit WordScanner(std::string_view text) : text_(text) {}

  /// Moves to the next word; false at the end.
  bool Next(Word& word);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace sworn::text
