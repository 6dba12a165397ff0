#include "retriever/folded_text.h"

#include <utility>

#include "core/text/unicode.h"

namespace sworn::retriever {

std::string ComparisonForm(std::string_view text) {
  std::string result;
  bool space = false;
  for (const char c : text::FoldCase(text)) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r') {
      space = !result.empty();
      continue;
    }
    if (space) result += ' ';
    space = false;
    result += c;
  }
  return result;
}

std::vector<std::string> FoldedWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text::FoldCase(text)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool inside =
        byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
    if (inside) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

}  // namespace sworn::retriever
