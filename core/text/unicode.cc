#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/utf8.h>

#include "core/error.h"

namespace sworn::text {
namespace {

// ICU counts bytes in 32 bits, and NFC or case folding may treble them.
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 29;

// Longest control string (OSC, DCS, ...) that ForTerminal drops whole; a longer or open one is
// shown, so that nobody can hide the rest of a text behind it.
constexpr std::size_t kMaxControlStringBytes = 1024;

// No character below this one takes part in composition.
constexpr char32_t kFirstComposing = 0x300;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

constexpr std::array<bool, 256> PlainBytes() {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x7F; ++byte) plain[byte] = true;
  plain['\t'] = plain['\n'] = plain['\f'] = true;
  return plain;
}
constexpr std::array<bool, 256> kPlain = PlainBytes();

std::size_t SkipPlain(std::string_view text, std::size_t at) {
  while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

std::size_t SkipAscii(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  while (at + 8 <= text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

bool IsAscii(std::string_view text) { return SkipAscii(text, 0) == text.size(); }

/// Reads the code point at `at` and moves behind it; -1 for a maximal sequence that is no UTF-8.
std::int32_t NextCodePoint(std::string_view text, std::size_t& at) {
  std::int32_t code_point = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // inside ICU's macro
  U8_NEXT(text.data(), at, text.size(), code_point);
#pragma GCC diagnostic pop
  return code_point;
}

void CheckSize(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    throw Error(ErrorCode::kTooLarge, "a text of " + std::to_string(text.size()) +
                                          " bytes is larger than the limit of " +
                                          std::to_string(kMaxTextBytes));
  }
}

void CheckIcu(UErrorCode status) {
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::kInternal, std::string("ICU failed: ") + u_errorName(status));
  }
}

icu::StringPiece Piece(std::string_view text) {
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

const icu::Normalizer2& Nfc() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  CheckIcu(status);
  return *nfc;
}

void ComposeInPlace(std::string& text) {
  const icu::Normalizer2& nfc = Nfc();
  UErrorCode status = U_ZERO_ERROR;
  if (nfc.isNormalizedUTF8(Piece(text), status) != 0) return;
  CheckIcu(status);
  std::string composed;
  composed.reserve(text.size());
  icu::StringByteSink<std::string> sink(&composed);
  nfc.normalizeUTF8(0, Piece(text), sink, nullptr, status);
  CheckIcu(status);
  text = std::move(composed);
}

/// The counter of a character that Normalize removes, or null for one that stays.
std::uint32_t* RemovalCounter(std::int32_t c, RemovedCharacters& removed) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return &removed.control;
  if (c == 0xAD || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF) {
    return &removed.zero_width;
  }
  if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F ||
      c == 0x61C) {
    return &removed.bidi;
  }
  if (c >= 0xE0000 && c <= 0xE007F) return &removed.tag;
  return nullptr;
}

/// The end of a control sequence (ECMA-48) whose ESC, or CSI if `is_csi`, stands before `begin`;
/// `begin` itself if there is none that may be dropped.
std::size_t EndOfSequence(std::string_view text, std::size_t begin, bool is_csi) {
  std::size_t at = begin;
  if (!is_csi) {
    if (at == text.size() || std::string_view("[]PX^_").find(text[at]) == std::string_view::npos) {
      return begin;
    }
    is_csi = text[at++] == '[';
  }
  if (is_csi) {
    while (at < text.size() && text[at] >= 0x20 && text[at] <= 0x3F) ++at;
    return at < text.size() && text[at] >= 0x40 && text[at] <= 0x7E ? at + 1 : begin;
  }
  const std::size_t limit = std::min(text.size(), begin + kMaxControlStringBytes);
  for (; at < limit && text[at] != '\n'; ++at) {
    if (text[at] == '\a') return at + 1;
    if (text[at] == '\x1B') return at + 1 < limit && text[at + 1] == '\\' ? at + 2 : begin;
  }
  return begin;
}

void AppendControlPicture(std::string& out, std::int32_t control) {
  if (control >= 0x80) {
    out += kReplacement;
    return;
  }
  // U+2400 + code; DEL has U+2421.
  const int picture = control == 0x7F ? 0x21 : control;
  out += "\xE2\x90";
  out += static_cast<char>(0x80 + picture);
}

}  // namespace

NormalizedText Normalize(std::string_view utf8) {
  CheckSize(utf8);
  NormalizedText result;
  std::string& out = result.text;
  out.reserve(utf8.size());
  bool may_compose = false;
  std::size_t at = 0;
  while (at < utf8.size()) {
    const std::size_t begin = at;
    at = SkipPlain(utf8, at);
    out.append(utf8, begin, at - begin);
    if (at == utf8.size()) break;
    const std::size_t special = at;
    const std::int32_t c = NextCodePoint(utf8, at);
    if (c < 0) {
      ++result.removed.invalid;
      out += kReplacement;
    } else if (c == '\r') {
      if (at == utf8.size() || utf8[at] != '\n') out += '\n';
    } else if (std::uint32_t* counter = RemovalCounter(c, result.removed)) {
      ++*counter;
    } else {
      may_compose |= static_cast<char32_t>(c) >= kFirstComposing;
      out.append(utf8, special, at - special);
    }
  }
  if (may_compose) ComposeInPlace(out);
  return result;
}

bool IsValidUtf8(std::string_view bytes) noexcept {
  std::size_t at = 0;
  while (true) {
    at = SkipAscii(bytes, at);
    if (at == bytes.size()) return true;
    if (NextCodePoint(bytes, at) < 0) return false;
  }
}

std::size_t CutAtCodePoint(std::string_view utf8, std::size_t max_bytes) noexcept {
  if (utf8.size() <= max_bytes) return utf8.size();
  std::size_t cut = max_bytes;
  while (cut > 0 && (static_cast<unsigned char>(utf8[cut]) & 0xC0) == 0x80) --cut;
  return cut;
}

std::string FoldCase(std::string_view utf8) {
  std::string folded;
  if (IsAscii(utf8)) {
    folded.assign(utf8);
    for (char& c : folded) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return folded;
  }
  CheckSize(utf8);
  folded.reserve(utf8.size() + 8);
  icu::StringByteSink<std::string> sink(&folded);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8Fold(0, Piece(utf8), sink, nullptr, status);
  CheckIcu(status);
  ComposeInPlace(folded);
  return folded;
}

std::string ForTerminal(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  RemovedCharacters removed;
  std::size_t at = 0;
  while (at < utf8.size()) {
    const std::size_t begin = at;
    const std::int32_t c = NextCodePoint(utf8, at);
    if (c < 0) {
      out += kReplacement;
    } else if (c == '\t') {
      out += '\t';
    } else if (c == '\n' || c == '\f') {
      out += '\n';
    } else if (c == '\r') {
      if (at == utf8.size() || utf8[at] != '\n') out += '\n';
    } else if (c == 0x1B || c == 0x9B) {
      const std::size_t end = EndOfSequence(utf8, at, c == 0x9B);
      if (end == at) AppendControlPicture(out, c);
      at = end;
    } else if (const std::uint32_t* counter = RemovalCounter(c, removed)) {
      if (counter == &removed.control) AppendControlPicture(out, c);
    } else {
      out.append(utf8, begin, at - begin);
    }
  }
  return out;
}

}  // namespace sworn::text
