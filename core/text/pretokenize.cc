#include "core/text/pretokenize.h"

#include <array>
#include <cstdint>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace sworn::text {
namespace {

// kEnd stands behind the text.
enum class Kind : std::uint8_t { kEnd, kLetter, kNumber, kSpace, kOther };

constexpr std::array<Kind, 128> AsciiKinds() {
  std::array<Kind, 128> kinds{};
  for (Kind& kind : kinds) kind = Kind::kOther;
  for (std::size_t c = '0'; c <= '9'; ++c) kinds[c] = Kind::kNumber;
  for (std::size_t c = 'a'; c <= 'z'; ++c) kinds[c] = kinds[c - 32] = Kind::kLetter;
  for (std::size_t c = '\t'; c <= '\r'; ++c) kinds[c] = Kind::kSpace;
  kinds[' '] = Kind::kSpace;
  return kinds;
}
constexpr std::array<Kind, 128> kAsciiKinds = AsciiKinds();

Kind KindOf(std::int32_t code_point) {
  const std::uint32_t mask = U_MASK(u_charType(code_point));
  if ((mask & U_GC_L_MASK) != 0) return Kind::kLetter;
  if ((mask & U_GC_N_MASK) != 0) return Kind::kNumber;
  return u_isUWhiteSpace(code_point) != 0 ? Kind::kSpace : Kind::kOther;
}

/// One stretch of text and the pieces that begin at a place of it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// The kind of the code point at `at`; `next` is where the one behind it begins.
  Kind Look(std::size_t at, std::size_t& next) const {
    next = at;
    if (at >= text_.size()) return Kind::kEnd;
    const auto byte = static_cast<std::uint8_t>(text_[at]);
    if (byte < 0x80) {
      next = at + 1;
      return kAsciiKinds[byte];
    }
    std::int32_t code_point = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // inside ICU's macro
    U8_NEXT_OR_FFFD(text_.data(), next, text_.size(), code_point);
#pragma GCC diagnostic pop
    return KindOf(code_point);
  }

  /// The end of the run of `kind` at `at`, of at most `limit` code points.
  std::size_t EndOfRun(std::size_t at, Kind kind, std::size_t limit = SIZE_MAX) const {
    std::size_t next = at;
    for (; limit > 0 && Look(at, next) == kind; --limit) at = next;
    return at;
  }

  std::size_t EndOfLineBreaks(std::size_t at) const {
    while (at < text_.size() && IsLineBreak(at)) ++at;
    return at;
  }

  [[nodiscard]] bool IsLineBreak(std::size_t at) const {
    return text_[at] == '\n' || text_[at] == '\r';
  }

  /// The end of 's, 't, 're, 've, 'm, 'll or 'd at `at`; `at` itself if there is none.
  [[nodiscard]] std::size_t EndOfContraction(std::size_t at, bool ignore_case) const {
    if (text_[at] != '\'') return at;
    const char first = Letter(at + 1, ignore_case);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
    const char second = Letter(at + 2, ignore_case);
    if ((first == 'r' || first == 'v') && second == 'e') return at + 3;
    if (first == 'l' && second == 'l') return at + 3;
    // The long s, whose case folds to s.
    if (ignore_case && text_.substr(at + 1, 2) == "\xC5\xBF") return at + 3;
    return at;
  }

  /// \s+(?!\S)|\s+ for a run of white space at `at`.
  [[nodiscard]] std::size_t EndOfSpace(std::size_t at) const {
    std::size_t last = at;
    std::size_t end = at;
    std::size_t next = at;
    while (Look(end, next) == Kind::kSpace) {
      last = end;
      end = next;
    }
    return end == text_.size() || last == at ? end : last;
  }

  /// The end of \s*[\r\n]+ at `at`; `at` itself if there is none.
  [[nodiscard]] std::size_t EndOfLines(std::size_t at) const {
    std::size_t end = at;
    std::size_t next = at;
    for (std::size_t here = at; Look(here, next) == Kind::kSpace; here = next) {
      if (IsLineBreak(here)) end = next;
    }
    return end;
  }

  [[nodiscard]] std::size_t EndGpt2(std::size_t at) const {
    if (const std::size_t end = EndOfContraction(at, false); end != at) return end;
    std::size_t next = at;
    Kind kind = Look(at, next);
    std::size_t begin = at;
    if (text_[at] == ' ') {
      begin = next;
      kind = Look(begin, next);
    }
    if (kind == Kind::kSpace || kind == Kind::kEnd) return EndOfSpace(at);
    return EndOfRun(begin, kind);
  }

  [[nodiscard]] std::size_t EndLlama3(std::size_t at, std::size_t digits) const {
    if (const std::size_t end = EndOfContraction(at, true); end != at) return end;
    std::size_t second = at;
    const Kind kind = Look(at, second);
    if (kind == Kind::kLetter) return EndOfRun(at, kind);
    if (kind == Kind::kNumber) return EndOfRun(at, kind, digits);
    std::size_t next = second;
    const Kind behind = Look(second, next);
    if (behind == Kind::kLetter && !IsLineBreak(at)) return EndOfRun(second, behind);
    if (kind == Kind::kOther) return EndOfLineBreaks(EndOfRun(at, kind));
    if (text_[at] == ' ' && behind == Kind::kOther) {
      return EndOfLineBreaks(EndOfRun(second, behind));
    }
    const std::size_t lines = EndOfLines(at);
    return lines != at ? lines : EndOfSpace(at);
  }

 private:
  [[nodiscard]] char Letter(std::size_t at, bool ignore_case) const {
    if (at >= text_.size()) return 0;
    const char c = text_[at];
    return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }

  std::string_view text_;
};

}  // namespace

bool Pretokenizer::Next(std::string_view& piece) {
  if (at_ == text_.size()) return false;
  const std::size_t begin = at_;
  const Scanner scanner(text_);
  switch (rule_) {
    case PretokenRule::kGpt2:
      at_ = scanner.EndGpt2(begin);
      break;
    case PretokenRule::kLlama3:
      at_ = scanner.EndLlama3(begin, 3);
      break;
    case PretokenRule::kLlama3SingleDigits:
      at_ = scanner.EndLlama3(begin, 1);
      break;
    case PretokenRule::kGpt2SingleDigits: {
      std::size_t next = begin;
      if (begin == part_end_) {
        if (scanner.Look(begin, next) == Kind::kNumber) {
          at_ = part_end_ = next;
          break;
        }
        while (part_end_ < text_.size() && scanner.Look(part_end_, next) != Kind::kNumber) {
          part_end_ = next;
        }
      }
      at_ = Scanner(text_.substr(0, part_end_)).EndGpt2(begin);
      break;
    }
  }
  piece = text_.substr(begin, at_ - begin);
  return true;
}

}  // namespace sworn::text
