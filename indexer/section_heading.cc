#include "indexer/section_heading.h"

#include <algorithm>
#include <array>

#include "core/text/unicode.h"

namespace sworn::indexer {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMaxTitleBytes = 100;
constexpr size_t kMaxNumberBytes = 12;

constexpr std::array<string_view, 27> kSectionWords = {"article",
                                                       "art",
                                                       "artikel",
                                                       "art\xC3\xAD"
                                                       "culo",
                                                       "section",
                                                       "sec",
                                                       "secci\xC3\xB3n",
                                                       "abschnitt",
                                                       "clause",
                                                       "cl\xC3\xA1usula",
                                                       "klausel",
                                                       "chapter",
                                                       "kapitel",
                                                       "cap\xC3\xADtulo",
                                                       "part",
                                                       "teil",
                                                       "t\xC3\xADtulo",
                                                       "titel",
                                                       "title",
                                                       "schedule",
                                                       "annex",
                                                       "anexo",
                                                       "anhang",
                                                       "anlage",
                                                       "appendix",
                                                       "exhibit",
                                                       "parte"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n'; }

size_t SkipBlanks(string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  while (text.compare(at, 2, "\xC2\xA0") == 0) at += 2;
  return at;
}

/// Behind "7", "4.2.1", "7a", "IV" or "A" at `at`; `at` if there is none.
size_t EndOfNumber(string_view text, size_t at) {
  const size_t limit = std::min(text.size(), at + kMaxNumberBytes);
  size_t end = at;
  if (end < limit && IsDigit(text[end])) {
    while (end < limit && (IsDigit(text[end]) ||
                           (text[end] == '.' && end + 1 < limit && IsDigit(text[end + 1])))) {
      ++end;
    }
    if (end < limit && IsLower(text[end])) ++end;
  } else {
    while (end < limit && string_view("IVXLC").find(text[end]) != string_view::npos) ++end;
    if (end == at && end < limit && IsUpper(text[end])) ++end;
  }
  const bool is_whole = end == text.size() || !(IsLower(text[end]) || IsUpper(text[end]));
  return is_whole ? end : at;
}

/// Whether the paragraph is one line that reads as a title, not as a sentence.
bool IsTitleLine(string_view text) {
  if (text.size() > kMaxTitleBytes || text.find('\n') != string_view::npos) return false;
  const char last = text.back();
  return last != ';' && last != ',' && (last != '.' || text.size() <= kMaxNumberBytes * 2);
}

SectionHeading MakeHeading(string_view text, int rank, size_t number_end) {
  if (IsTitleLine(text)) return {rank, std::string(text), true};
  return {rank, std::string(text.substr(0, number_end)), false};
}

/// "§ 12", "Article 7.", "Section 4 - Fees".
std::optional<SectionHeading> FindNamedSection(string_view text) {
  size_t at = 0;
  bool is_sign = false;
  while (text.compare(at, 2, "\xC2\xA7") == 0) {
    is_sign = true;
    at += 2;
  }
  if (!is_sign) {
    if (!IsUpper(text[0])) return std::nullopt;
    while (at < text.size() && at < kMaxNumberBytes && !IsSpace(text[at]) && text[at] != '.') ++at;
    const std::string word = text::FoldCase(text.substr(0, text::CutAtCodePoint(text, at)));
    if (std::find(kSectionWords.begin(), kSectionWords.end(), word) == kSectionWords.end()) {
      return std::nullopt;
    }
    if (at < text.size() && text[at] == '.') ++at;
  }
  const size_t begin = SkipBlanks(text, at);
  const size_t end = EndOfNumber(text, begin);
  if (end == begin) return std::nullopt;
  SectionHeading heading = MakeHeading(text, kSectionRank, end);
  if (heading.is_title || is_sign) return heading;
  // In "Section 4 applies to ..." the number only begins a sentence.
  const bool is_set_off = string_view(".:\n").find(text[end]) != string_view::npos;
  return is_set_off ? std::optional(heading) : std::nullopt;
}

/// "3.", "3.2.1 Fees", "(a)".
std::optional<SectionHeading> FindNumber(string_view text) {
  const bool in_brackets = text[0] == '(';
  if (in_brackets) {
    const size_t close = text.find(')');
    if (close < 2 || close > 5 || close + 1 >= text.size() || !IsSpace(text[close + 1])) {
      return std::nullopt;
    }
    const string_view item = text.substr(1, close - 1);
    const bool is_item = std::all_of(item.begin(), item.end(), IsDigit) || item.size() == 1 ||
                         item.find_first_not_of("ivx") == string_view::npos;
    if (!is_item || !(IsDigit(item[0]) || IsLower(item[0]) || IsUpper(item[0]))) {
      return std::nullopt;
    }
    return SectionHeading{kItemRank, std::string(text.substr(0, close + 1)), false};
  }
  if (!IsDigit(text[0])) return std::nullopt;
  size_t end = EndOfNumber(text, 0);
  if (end == 0 || !IsDigit(text[end - 1])) return std::nullopt;
  const string_view number = text.substr(0, end);
  const auto points = std::count(number.begin(), number.end(), '.');
  const bool closes = end < text.size() && (text[end] == '.' || text[end] == ')');
  if (points == 0 && (!closes || end > 3)) return std::nullopt;
  if (closes) ++end;
  const size_t title = SkipBlanks(text, end);
  if (title == end || title >= text.size()) return std::nullopt;
  if (IsDigit(text[title]) || IsLower(text[title])) return std::nullopt;
  return MakeHeading(text, kNumberRank + static_cast<int>(points), number.size());
}

bool IsInCapitals(string_view text) {
  if (text.size() > kMaxTitleBytes || text.find('\n') != string_view::npos) return false;
  const auto capitals = std::count_if(text.begin(), text.end(), IsUpper);
  return capitals >= 4 && static_cast<size_t>(capitals) * 2 >= text.size() &&
         std::none_of(text.begin(), text.end(), IsLower);
}

}  // namespace

std::optional<SectionHeading> FindSectionHeading(string_view paragraph) {
  if (paragraph.size() < 2) return std::nullopt;
  if (auto named = FindNamedSection(paragraph)) return named;
  if (auto number = FindNumber(paragraph)) return number;
  if (IsInCapitals(paragraph)) return SectionHeading{kCapitalsRank, std::string(paragraph), true};
  return std::nullopt;
}

}  // namespace sworn::indexer
