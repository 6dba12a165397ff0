#include "core/text/sentences.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include <unicode/brkiter.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>

#include "core/error.h"
#include "core/text/stop_words.h"
#include "core/text/unicode.h"

namespace sworn::text {
namespace {

using std::string_view;

// The largest piece that goes through ICU at once; a text without blank lines is cut here.
constexpr std::size_t kMaxPieceBytes = std::size_t{1} << 20;

// The longest token that is looked at as an abbreviation or number.
constexpr std::size_t kMaxTokenBytes = 24;

// A period after these never ends a sentence. Folded, without the last period.
constexpr std::array<string_view, 62> kTitles = {"dr",
                                                 "drs",
                                                 "mr",
                                                 "mrs",
                                                 "ms",
                                                 "prof",
                                                 "st",
                                                 "hon",
                                                 "rev",
                                                 "gen",
                                                 "col",
                                                 "capt",
                                                 "lt",
                                                 "sgt",
                                                 "sen",
                                                 "rep",
                                                 "gov",
                                                 "mt",
                                                 "messrs",
                                                 "e.g",
                                                 "i.e",
                                                 "viz",
                                                 "cf",
                                                 "vs",
                                                 "ca",
                                                 "approx",
                                                 "resp",
                                                 "z.b",
                                                 "d.h",
                                                 "u.a",
                                                 "i.d.r",
                                                 "i.s.v",
                                                 "s.o",
                                                 "s.u",
                                                 "v.a",
                                                 "bspw",
                                                 "vgl",
                                                 "sog",
                                                 "gem",
                                                 "ggf",
                                                 "evtl",
                                                 "inkl",
                                                 "zzgl",
                                                 "hr",
                                                 "fr",
                                                 "dipl",
                                                 "ing",
                                                 "sr",
                                                 "sra",
                                                 "srta",
                                                 "dra",
                                                 "ud",
                                                 "uds",
                                                 "d\xC3\xB1"
                                                 "a",
                                                 "p.ej",
                                                 "ej",
                                                 "p\xC3\xA1g",
                                                 "excmo",
                                                 "ilmo",
                                                 "lic",
                                                 "ing\xC2\xBA",
                                                 "i.v"};

// A period after these does not end a sentence when a number follows ("Art. 7", "No. 12").
constexpr std::array<string_view, 40> kBeforeNumbers = {
    "art",        "arts", "abs",  "sec", "secs", "sect", "no",   "nos",  "nr",    "nrn",
    "n\xC3\xBAm", "fig",  "figs", "abb", "tab",  "eq",   "eqs",  "p",    "pp",    "s",
    "ss",         "vol",  "bd",   "ch",  "chap", "cap",  "kap",  "para", "paras", "par",
    "cl",         "ex",   "exh",  "ref", "refs", "rn",   "rdnr", "ziff", "lit",   "aufl"};

template <std::size_t N>
bool Contains(const std::array<string_view, N>& list, string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsUpper(c) || (c >= 'a' && c <= 'z'); }
bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The length of the white space character at `at`, 0 if there is none.
std::size_t SpaceLength(string_view text, std::size_t at) {
  if (IsAsciiSpace(text[at])) return 1;
  if (text.compare(at, 2, "\xC2\xA0") == 0) return 2;
  if (text.compare(at, 2, "\xE2\x80") == 0 && at + 2 < text.size()) {
    const auto last = static_cast<unsigned char>(text[at + 2]);
    if (last <= 0x8A || last == 0xA8 || last == 0xA9 || last == 0xAF) return 3;
  }
  return text.compare(at, 3, "\xE3\x80\x80") == 0 ? 3 : 0;
}

std::size_t SkipSpace(string_view text, std::size_t at, std::size_t end) {
  while (at < end) {
    const std::size_t length = SpaceLength(text, at);
    if (length == 0) break;
    at += length;
  }
  return std::min(at, end);
}

std::size_t SkipSpaceBack(string_view text, std::size_t begin, std::size_t end) {
  while (end > begin) {
    if (IsAsciiSpace(text[end - 1])) {
      --end;
    } else if (end - begin >= 2 && SpaceLength(text.substr(0, end), end - 2) == 2) {
      end -= 2;
    } else if (end - begin >= 3 && SpaceLength(text.substr(0, end), end - 3) == 3) {
      end -= 3;
    } else {
      break;
    }
  }
  return end;
}

/// Whether the line that starts at `at` begins with a bullet or an item's number.
bool StartsListItem(string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  const string_view line = text.substr(at, 8);
  if (line.size() < 2) return false;
  if (string_view("-*+").find(line[0]) != string_view::npos) return line[1] == ' ';
  if (line.starts_with("\xE2\x80\xA2") || line.starts_with("\xE2\x80\x93 ")) return true;
  std::size_t i = line[0] == '(' ? 1 : 0;
  const std::size_t number = i;
  while (i < line.size() && IsDigit(line[i])) ++i;
  if (i == number && i < line.size() && IsLetter(line[i])) ++i;
  if (i == number || i - number > 3 || i + 1 >= line.size()) return false;
  const bool closes = line[i] == ')' || (line[i] == '.' && IsDigit(line[number]));
  return closes && IsAsciiSpace(line[i + 1]);
}

/// The sentence iterator of this thread; only Greek has rules of its own (its question mark).
icu::BreakIterator& Iterator(string_view language) {
  thread_local std::array<std::unique_ptr<icu::BreakIterator>, 2> iterators;
  const bool greek = language == "el";
  std::unique_ptr<icu::BreakIterator>& iterator = iterators[greek ? 1 : 0];
  if (iterator == nullptr) {
    UErrorCode status = U_ZERO_ERROR;
    iterator.reset(
        icu::BreakIterator::createSentenceInstance(icu::Locale(greek ? "el" : ""), status));
    if (U_FAILURE(status)) {
      throw Error(ErrorCode::kInternal, std::string("ICU failed: ") + u_errorName(status));
    }
  }
  return *iterator;
}

/// Splits one text; holds what the corrections look at.
class Splitter {
 public:
  Splitter(string_view text, string_view language)
      : text_(text), language_(language), iterator_(Iterator(language)) {}

  std::vector<ByteRange> Run() {
    std::size_t at = 0;
    while (at < text_.size()) {
      const std::size_t end = EndOfPiece(at);
      SplitPiece(at, end);
      at = end;
    }
    return std::move(sentences_);
  }

 private:
  /// Where the piece from `begin` ends: behind a form feed or the line feed before a blank line or
  /// list item.
  [[nodiscard]] std::size_t EndOfPiece(std::size_t begin) const {
    const std::size_t limit = std::min(text_.size(), begin + kMaxPieceBytes);
    std::size_t at = begin;
    while ((at = text_.find_first_of("\n\f", at)) < limit) {
      if (text_[at++] == '\f') return at;
      std::size_t next = at;
      while (next < limit && (text_[next] == ' ' || text_[next] == '\t')) ++next;
      if (next == limit || text_[next] == '\n' || StartsListItem(text_, next)) return at;
    }
    if (limit == text_.size()) return limit;
    const std::size_t space = text_.find_last_of(" \n", limit - 1);
    if (space != string_view::npos && space > begin) return space + 1;
    return CutAtCodePoint(text_, limit);
  }

  void SplitPiece(std::size_t begin, std::size_t end) {
    begin = SkipSpace(text_, begin, end);
    end = SkipSpaceBack(text_, begin, end);
    if (begin == end) return;
    const string_view piece = text_.substr(begin, end - begin);
    // Most lines and cells hold one sentence at most; ICU would say the same.
    if (piece.find_first_of(".!?\xE2\xE3\xEF\xD8\xDB\xE0\xE1\xC2;") == string_view::npos) {
      sentences_.push_back({begin, end});
      return;
    }
    ToUtf16(piece);
    const icu::UnicodeString alias(false, units_.data(), static_cast<std::int32_t>(units_.size()));
    iterator_.setText(alias);
    std::size_t sentence = begin;
    std::size_t unit = 0;
    std::size_t byte = begin;
    iterator_.first();
    for (std::int32_t next = iterator_.next(); next != icu::BreakIterator::DONE;
         next = iterator_.next()) {
      byte = Advance(byte, static_cast<std::size_t>(next) - unit);
      unit = static_cast<std::size_t>(next);
      if (byte < end && Joins(sentence, byte, end)) continue;
      const std::size_t last = SkipSpaceBack(text_, sentence, byte);
      if (last > sentence) sentences_.push_back({sentence, last});
      sentence = SkipSpace(text_, byte, end);
    }
  }

  /// Fills units_ with the piece; a bare line break becomes a space, which ends no sentence.
  void ToUtf16(string_view piece) {
    units_.resize(piece.size());
    std::size_t ascii = 0;
    while (ascii < piece.size() && static_cast<unsigned char>(piece[ascii]) < 0x80) {
      units_[ascii] = static_cast<char16_t>(piece[ascii]);
      ++ascii;
    }
    if (ascii < piece.size()) {
      std::int32_t length = 0;
      UErrorCode status = U_ZERO_ERROR;
      const string_view rest = piece.substr(ascii);
      u_strFromUTF8WithSub(units_.data() + ascii, static_cast<std::int32_t>(rest.size()), &length,
                           rest.data(), static_cast<std::int32_t>(rest.size()), 0xFFFD, nullptr,
                           &status);
      if (U_FAILURE(status)) {
        throw Error(ErrorCode::kInternal, std::string("ICU failed: ") + u_errorName(status));
      }
      units_.resize(ascii + static_cast<std::size_t>(length));
    }
    std::replace(units_.begin(), units_.end(), u'\n', u' ');
  }

  /// The byte that lies `units` UTF-16 units behind `byte`.
  [[nodiscard]] std::size_t Advance(std::size_t byte, std::size_t units) const {
    while (units > 0) {
      const auto lead = static_cast<unsigned char>(text_[byte]);
      byte += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      units -= lead < 0xF0 ? 1 : 2;
    }
    return byte;
  }

  /// Whether the boundary that ICU found at `boundary` lies inside a sentence.
  [[nodiscard]] bool Joins(std::size_t sentence, std::size_t boundary, std::size_t end) const {
    const std::size_t stop = SkipSpaceBack(text_, sentence, boundary);
    if (stop == sentence || (text_[stop - 1] != '.' && text_[stop - 1] != ')')) return false;
    const std::size_t token = TokenBegin(sentence, stop);
    if (stop - token > kMaxTokenBytes) return false;
    if (token == sentence && IsItemNumber(text_.substr(token, stop - token))) return true;
    if (text_[stop - 1] != '.') return false;

    std::size_t word_begin = token;
    while (word_begin < stop && string_view("([\"'").find(text_[word_begin]) != string_view::npos) {
      ++word_begin;
    }
    const std::string word = FoldCase(text_.substr(word_begin, stop - 1 - word_begin));
    if (word.empty()) return false;
    const std::size_t next = SkipSpace(text_, boundary, end);
    if (Contains(kTitles, WithSpaced(word, sentence, word_begin))) return true;
    if (Contains(kTitles, word)) return true;
    if (Contains(kBeforeNumbers, word) && next < end &&
        (IsDigit(text_[next]) || text_.compare(next, 2, "\xC2\xA7") == 0)) {
      return true;
    }
    const bool initial = word.size() == 1 && IsLetter(word[0]);
    const bool dotted = word.size() > 2 && word.find('.') != std::string::npos &&
                        !std::any_of(word.begin(), word.end(), IsDigit);
    const bool company = word == "inc" || word == "ltd" || word == "co" || word == "corp" ||
                         word == "jr" || word == "al" || word == "etc" || word == "usw";
    const bool ordinal =
        language_ == "de" && word.size() <= 2 && std::all_of(word.begin(), word.end(), IsDigit);
    return (initial || dotted || company || ordinal) && !StartsWithFunctionWord(next, end);
  }

  /// "b" of "z. B." as "z.b".
  [[nodiscard]] std::string WithSpaced(const std::string& word, std::size_t sentence,
                                       std::size_t word_begin) const {
    const std::size_t stop = SkipSpaceBack(text_, sentence, word_begin);
    if (stop == word_begin || stop < sentence + 2 || text_[stop - 1] != '.') return word;
    if (!IsLetter(text_[stop - 2])) return word;
    if (stop >= sentence + 3 && !IsAsciiSpace(text_[stop - 3])) return word;
    return FoldCase(text_.substr(stop - 2, 2)) + word;
  }

  [[nodiscard]] std::size_t TokenBegin(std::size_t sentence, std::size_t stop) const {
    std::size_t begin = stop;
    while (begin > sentence && stop - begin <= kMaxTokenBytes && !IsAsciiSpace(text_[begin - 1])) {
      --begin;
    }
    return begin;
  }

  /// "3.2.1.", "(a)", "IV." at the beginning belong to what they number.
  static bool IsItemNumber(string_view token) {
    if (token.starts_with('(')) token.remove_prefix(1);
    if (token.empty()) return false;
    token.remove_suffix(1);
    if (token.empty() || token.size() > 12) return false;
    if (token.size() == 1 && IsLetter(token[0])) return true;
    if (IsDigit(token[0])) {
      return token.find_first_not_of("0123456789.") == string_view::npos &&
             (token.size() <= 3 || token.find('.') != string_view::npos);
    }
    return token.size() <= 5 && (token.find_first_not_of("IVX") == string_view::npos ||
                                 token.find_first_not_of("ivx") == string_view::npos);
  }

  /// A capital function word behind an abbreviation begins a sentence; a name does not.
  [[nodiscard]] bool StartsWithFunctionWord(std::size_t begin, std::size_t end) const {
    std::size_t stop = begin;
    while (stop < end &&
           (IsLetter(text_[stop]) || static_cast<unsigned char>(text_[stop]) >= 0x80) &&
           stop - begin < kMaxTokenBytes) {
      stop += 1;
    }
    const std::string word = FoldCase(text_.substr(begin, stop - begin));
    const auto languages = StopWordLanguages();
    const bool has_list =
        std::find(languages.begin(), languages.end(), language_) != languages.end();
    if (has_list) return IsStopWord(word, language_);
    return std::any_of(languages.begin(), languages.end(),
                       [&word](string_view language) { return IsStopWord(word, language); });
  }

  string_view text_;
  string_view language_;
  icu::BreakIterator& iterator_;
  std::u16string units_;
  std::vector<ByteRange> sentences_;
};

}  // namespace

std::vector<ByteRange> SplitSentences(string_view utf8, string_view language) {
  return Splitter(utf8, language).Run();
}

}  // namespace sworn::text
