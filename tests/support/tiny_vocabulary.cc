#include "tests/support/tiny_vocabulary.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sworn::test {
namespace {

constexpr std::array<std::string_view, 28> kWords = {
    " the", " and",  " of",       " to",    " in",   " is",     " that",    " for", " it",  " was",
    " on",  " with", " as",       " are",   " this", " answer", " passage", "ing",  "tion", "ent",
    "The",  "User",  "Assistant", "System", " [",    "er",      "es",       "\n\n"};

void AppendUtf8(std::string& out, unsigned code_point) {  // below U+0800
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else {
    out.push_back(static_cast<char>(0xC0U | code_point >> 6U));
    out.push_back(static_cast<char>(0x80U | (code_point & 0x3FU)));
  }
}

// GPT-2's letter for each byte: printable ones stand for themselves, the others from U+0100 on.
std::array<std::string, 256> ByteLetters() {
  std::array<std::string, 256> letters;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    AppendUtf8(letters[byte], printable ? byte : next++);
  }
  return letters;
}

// Adds the merges, left to right, that make one token of `word`.
void AddWord(const std::array<std::string, 256>& letters, std::string_view word,
             TinyVocabulary& vocabulary) {
  std::string left = letters[static_cast<unsigned char>(word.front())];
  for (const char c : word.substr(1)) {
    const std::string& right = letters[static_cast<unsigned char>(c)];
    std::string merge = left;
    merge.append(" ").append(right);
    left += right;
    if (std::find(vocabulary.merges.begin(), vocabulary.merges.end(), merge) !=
        vocabulary.merges.end()) {
      continue;
    }
    vocabulary.merges.push_back(merge);
    vocabulary.tokens.push_back(left);
    vocabulary.types.push_back(1);
  }
}

std::int32_t AddControl(std::string_view text, TinyVocabulary& vocabulary) {
  vocabulary.tokens.emplace_back(text);
  vocabulary.types.push_back(3);
  return static_cast<std::int32_t>(vocabulary.tokens.size() - 1);
}

// U+2581 for a space, the character itself for any other.
std::array<std::string, 256> Pieces() {
  std::array<std::string, 256> pieces;
  for (std::size_t c = 0; c < pieces.size(); ++c) pieces[c] = {static_cast<char>(c)};
  pieces[' '] = "\u2581";
  return pieces;
}

std::string ByteName(unsigned byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte / 16], kDigits[byte % 16], '>'};
}

}  // namespace

TinyVocabulary MakeTinyVocabulary(std::size_t size) {
  TinyVocabulary vocabulary;
  const auto letters = ByteLetters();
  vocabulary.tokens.assign(letters.begin(), letters.end());
  vocabulary.types.assign(letters.size(), 1);
  for (const std::string_view word : kWords) AddWord(letters, word, vocabulary);
  vocabulary.begin_of_text = AddControl("<|begin_of_text|>", vocabulary);
  vocabulary.end_of_text = AddControl("<|end_of_text|>", vocabulary);
  vocabulary.end_of_turn = AddControl("<|eot_id|>", vocabulary);
  for (std::size_t i = 0; vocabulary.tokens.size() < size; ++i) {
    vocabulary.tokens.push_back("<|reserved_special_token_" + std::to_string(i) + "|>");
    vocabulary.types.push_back(5);
  }
  return vocabulary;
}

TinyVocabulary MakeTinyPieces(std::size_t size) {
  TinyVocabulary vocabulary;
  AddControl("<pad>", vocabulary);
  vocabulary.end_of_text = AddControl("<eos>", vocabulary);
  vocabulary.begin_of_text = AddControl("<bos>", vocabulary);
  vocabulary.tokens.emplace_back("<unk>");
  vocabulary.types.push_back(2);
  for (unsigned byte = 0; byte < 256; ++byte) {
    vocabulary.tokens.push_back(ByteName(byte));
    vocabulary.types.push_back(6);
  }
  const auto pieces = Pieces();
  vocabulary.tokens.emplace_back("\n");
  vocabulary.types.push_back(1);
  for (std::size_t c = ' '; c < 0x7F; ++c) {
    vocabulary.tokens.push_back(pieces[c]);
    vocabulary.types.push_back(1);
  }
  const std::size_t singles = vocabulary.tokens.size();
  for (const std::string_view word : kWords) AddWord(pieces, word, vocabulary);
  vocabulary.scores.assign(vocabulary.tokens.size(), 0);
  for (std::size_t i = singles; i < vocabulary.tokens.size(); ++i) {
    vocabulary.scores[i] = -static_cast<float>(i - singles);
  }
  for (std::size_t i = 0; vocabulary.tokens.size() < size; ++i) {
    vocabulary.tokens.push_back("<unused" + std::to_string(i) + ">");
    vocabulary.types.push_back(5);
    vocabulary.scores.push_back(0);
  }
  return vocabulary;
}

}  // namespace sworn::test
