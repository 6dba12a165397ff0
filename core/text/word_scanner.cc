#include "core/text/word_scanner.h"

#include <array>

#include <unicode/uchar.h>

namespace sworn::text {
namespace {

enum class Kind : std::uint8_t { kOther, kLetter, kDigit, kAlone };

constexpr std::array<Kind, 128> AsciiKinds() {
  std::array<Kind, 128> kinds{};
  for (std::size_t c = '0'; c <= '9'; ++c) kinds[c] = Kind::kDigit;
  for (std::size_t c = 'a'; c <= 'z'; ++c) kinds[c] = kinds[c - 32] = Kind::kLetter;
  return kinds;
}
constexpr std::array<Kind, 128> kAsciiKinds = AsciiKinds();

unsigned char ByteAt(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

struct Character {
  std::int32_t code_point = 0;
  std::size_t length = 1;
};

/// The character at `at` of valid UTF-8; a cut-off sequence at the end reads as one byte.
Character Decode(std::string_view text, std::size_t at) {
  const unsigned char lead = ByteAt(text, at);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 1 || at + length > text.size()) return {lead, 1};
  std::int32_t c = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) c = (c << 6) | (ByteAt(text, at + i) & 0x3F);
  return {c, length};
}

bool StandsAlone(std::int32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

Kind KindOf(std::int32_t c) {
  if (c < 0x80) return kAsciiKinds[static_cast<std::size_t>(c)];
  if (c < 0x3000) {  // the common case: no script without spaces that we cut up
    const auto mask = U_MASK(u_charType(c));
    if ((mask & (U_GC_L_MASK | U_GC_M_MASK | U_GC_NL_MASK)) != 0) return Kind::kLetter;
    return (mask & U_GC_ND_MASK) != 0 ? Kind::kDigit : Kind::kOther;
  }
  const auto mask = U_MASK(u_charType(c));
  if ((mask & (U_GC_L_MASK | U_GC_M_MASK | U_GC_NL_MASK)) != 0) {
    return StandsAlone(c) ? Kind::kAlone : Kind::kLetter;
  }
  return (mask & U_GC_ND_MASK) != 0 ? Kind::kDigit : Kind::kOther;
}

}  // namespace

bool WordScanner::Next(Word& word) {
  const std::string_view text = text_;
  std::size_t at = at_;
  Kind last = Kind::kOther;
  Character character;
  for (; at < text.size(); at += character.length) {
    const unsigned char byte = ByteAt(text, at);
    character = byte < 0x80 ? Character{byte, 1} : Decode(text, at);
    last = KindOf(character.code_point);
    if (last != Kind::kOther) break;
  }
  if (at == text.size()) {
    at_ = at;
    return false;
  }
  word = {at, at + character.length, last == Kind::kDigit, character.length == 1};
  at += character.length;
  while (last != Kind::kAlone && at < text.size()) {
    const unsigned char byte = ByteAt(text, at);
    character = byte < 0x80 ? Character{byte, 1} : Decode(text, at);
    Kind kind = KindOf(character.code_point);
    std::size_t next = at + character.length;
    if (kind == Kind::kOther) {
      const bool apostrophe = byte == '\'' || character.code_point == 0x2019;
      const bool point = byte == '.' || byte == ',';
      const Kind wanted = apostrophe ? Kind::kLetter : point ? Kind::kDigit : Kind::kOther;
      if (wanted == Kind::kOther || last != wanted || next >= text.size()) break;
      const Character after = Decode(text, next);
      kind = KindOf(after.code_point);
      if (kind != wanted) break;
      if (character.length > 1) word.is_ascii = false;
      character = after;
      next += after.length;
    } else if (kind == Kind::kAlone) {
      break;
    }
    word.has_digit |= kind == Kind::kDigit;
    if (character.length > 1) word.is_ascii = false;
    last = kind;
    at = next;
    word.end = at;
  }
  at_ = at;
  return true;
}

}  // namespace sworn::text
