#include "core/text/identifiers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text/unicode.h"

namespace sworn::text {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMaxIdentifierBytes = 100;
constexpr size_t kMinPlainDigits = 3;
constexpr size_t kMinExactDigits = 5;
constexpr size_t kMaxReporterBytes = 24;

// Words before a number that name a part of a document, and what they have in common in a term.
constexpr std::array<std::pair<string_view, string_view>, 28> kSectionWords = {{
    {"art", "art"},
    {"arts", "art"},
    {"article", "art"},
    {"articles", "art"},
    {"artikel", "art"},
    {"art\xC3\xAD"
     "culo",
     "art"},
    {"articulo", "art"},
    {"art\xC3\xAD"
     "culos",
     "art"},
    {"section", "sec"},
    {"sections", "sec"},
    {"sec", "sec"},
    {"sect", "sec"},
    {"secci\xC3\xB3n", "sec"},
    {"abschnitt", "sec"},
    {"clause", "clause"},
    {"cl", "clause"},
    {"cl\xC3\xA1usula", "clause"},
    {"klausel", "clause"},
    {"rule", "rule"},
    {"regla", "rule"},
    {"exhibit", "exhibit"},
    {"annex", "annex"},
    {"anexo", "annex"},
    {"anhang", "annex"},
    {"anlage", "annex"},
    {"appendix", "annex"},
    {"schedule", "annex"},
    {"par\xC3\xA1grafo", "par"},
}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

/// The length of the joiner at `at`, 0 if there is none.
size_t JoinerLength(string_view text, size_t at) {
  switch (text[at]) {
    case '-':
    case '_':
    case '.':
    case '/':
      return 1;
    case ':':
      return at > 0 && IsDigit(text[at - 1]) ? 1 : 0;
    case '\xE2':  // U+2010, U+2011: hyphens
      return text.compare(at, 3, "\xE2\x80\x90") == 0 || text.compare(at, 3, "\xE2\x80\x91") == 0
                 ? 3
                 : 0;
    default:
      return 0;
  }
}

bool AreJoined(string_view text, const Word& left, const Word& right) {
  const size_t gap = right.begin - left.end;
  return (gap == 1 || gap == 3) && JoinerLength(text, left.end) == gap;
}

/// "#" + prefix + the text folded, without white space and with plain hyphens.
std::string MakeTerm(string_view prefix, string_view text) {
  std::string term = "#";
  term += prefix;
  for (const char c : FoldCase(text)) {
    if (c != ' ' && c != '\n' && c != '\t') term += c;
  }
  for (const string_view special : {"\xE2\x80\x90", "\xE2\x80\x91", "\xC2\xA0"}) {
    size_t at = 0;
    while ((at = term.find(special, at)) != std::string::npos) {
      term.replace(at, special.size(), special == "\xC2\xA0" ? "" : "-");
    }
  }
  return term;
}

struct Shape {
  size_t digits = 0;
  size_t letters = 0;  // and bytes of other scripts
  size_t points = 0;   // "." and ","
  size_t hyphens = 0;
  size_t others = 0;
};

Shape ShapeOf(string_view text) {
  Shape shape;
  for (const char c : text) {
    if (IsDigit(c)) {
      ++shape.digits;
    } else if (c == '.' || c == ',') {
      ++shape.points;
    } else if (c == '-') {
      ++shape.hyphens;
    } else if (IsUpper(c) || IsLower(c) || static_cast<unsigned char>(c) >= 0x80) {
      ++shape.letters;
    } else {
      ++shape.others;
    }
  }
  return shape;
}

/// "19th", "2nd", "1980s".
bool IsOrdinal(string_view text) {
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  const string_view rest = text.substr(digits);
  return digits > 0 && (rest == "st" || rest == "nd" || rest == "rd" || rest == "th" ||
                        rest == "s" || rest == "er" || rest == "ten" || rest == "'s");
}

/// A compound whose capitals say that it is a name or code: "NF-kB", "ABC-XYZ"; not "X-ray",
/// "Anglo-Saxon", "US-based".
bool LooksLikeCode(string_view text) {
  bool inner_capital = false;
  bool has_lower = false;
  size_t capitals = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    has_lower |= IsLower(text[i]);
    if (!IsUpper(text[i])) continue;
    ++capitals;
    inner_capital |= i > 0 && IsLower(text[i - 1]);
  }
  return inner_capital || (!has_lower && capitals >= 4);
}

class Finder {
 public:
  Finder(string_view text, std::span<const Word> words, std::vector<Identifier>& found)
      : text_(text), words_(words), found_(found) {}

  void Run() {
    size_t first = 0;
    while (first < words_.size()) {
      size_t last = first;
      bool has_digit = words_[first].has_digit;
      while (last + 1 < words_.size() && AreJoined(text_, words_[last], words_[last + 1])) {
        has_digit |= words_[++last].has_digit;
      }
      if (has_digit || last > first) AddCompound(first, last, has_digit);
      if (has_digit) AddCitation(first);
      first = last + 1;
    }
  }

 private:
  void Add(string_view prefix, size_t begin, size_t end, bool is_exact) {
    if (end - begin > kMaxIdentifierBytes) return;
    found_.push_back({MakeTerm(prefix, text_.substr(begin, end - begin)), begin, end, is_exact});
  }

  void AddCompound(size_t first, size_t last, bool has_digit) {
    const size_t begin = words_[first].begin;
    const size_t end = words_[last].end;
    // The parts between slashes, when there are several.
    size_t part = first;
    for (size_t i = first; i <= last; ++i) {
      const bool ends_part = i == last || text_[words_[i].end] == '/';
      if (!ends_part) continue;
      if (part != first || i != last) AddPart(part, i);
      part = i + 1;
    }
    if (has_digit || text_.substr(begin, end - begin).find('/') == string_view::npos) {
      AddPart(first, last);
    }
    if (IsDigit(text_[begin])) AddSection(first, begin, end);
  }

  void AddPart(size_t first, size_t last) {
    const size_t begin = words_[first].begin;
    const size_t end = words_[last].end;
    if (end - begin > kMaxIdentifierBytes) return;
    const string_view text = text_.substr(begin, end - begin);
    const Shape shape = ShapeOf(text);
    if (shape.digits == 0) {
      // "_" and "." join names of files and hosts, whose words are enough.
      const bool hyphenated = shape.hyphens > 0 || text.find("\xE2\x80") != string_view::npos;
      if (last > first && hyphenated && shape.points + shape.others == 0) {
        Add("", begin, end, LooksLikeCode(text));
      }
      return;
    }
    if (IsOrdinal(text)) return;
    const bool is_number = shape.letters + shape.hyphens + shape.others == 0;
    if (is_number && shape.points == 0 && shape.digits < kMinPlainDigits) return;
    const bool is_small_decimal = is_number && shape.points == 1 && shape.digits < kMinPlainDigits;
    // A whole question that names a year or an amount is about something else ("100 years before").
    const bool is_small_number = is_number && shape.points == 0 && shape.digits < kMinExactDigits;
    Add("", begin, end, !is_small_decimal && !is_small_number);
  }

  /// The number from `begin` to `end`, if a section word or sign stands before it.
  void AddSection(size_t first, size_t begin, size_t end) {
    size_t at = begin;
    while (at > 0 && begin - at < 4 && (text_[at - 1] == ' ' || text_[at - 1] == '\n')) --at;
    if (at == begin && at >= 2 && text_.compare(at - 2, 2, "\xC2\xA0") == 0) at -= 2;
    if (at >= 2 && text_.compare(at - 2, 2, "\xC2\xA7") == 0) {
      Add("\xC2\xA7", begin, end, true);
      found_.back().byte_begin = at - 2;
      return;
    }
    if (at == begin || first == 0) return;
    const Word& word = words_[first - 1];
    const bool adjoins = word.end == at || (word.end + 1 == at && text_[word.end] == '.');
    if (!adjoins || word.has_digit) return;
    const std::string folded = FoldCase(text_.substr(word.begin, word.size()));
    for (const auto& [name, canonical] : kSectionWords) {
      if (folded != name) continue;
      Add(canonical, begin, end, true);
      found_.back().byte_begin = word.begin;
      return;
    }
  }

  /// "123 F. Supp. 2d 456" from the number at `first`.
  void AddCitation(size_t first) {
    const Word& volume = words_[first];
    if (!IsNumber(volume, 4) || volume.end + 1 >= text_.size() || text_[volume.end] != ' ' ||
        !IsUpper(text_[volume.end + 1])) {
      return;
    }
    bool has_period = false;
    for (size_t i = first + 1; i < words_.size(); ++i) {
      const Word& word = words_[i];
      if (word.end - volume.end > kMaxReporterBytes) return;
      const string_view gap = text_.substr(words_[i - 1].end, word.begin - words_[i - 1].end);
      if (gap != " " && gap != "." && gap != ". ") return;
      has_period |= gap[0] == '.';
      if (IsNumber(word, 5)) {
        if (i > first + 1 && has_period) Add("", volume.begin, word.end, true);
        return;
      }
      if (!IsUpper(text_[word.begin]) && !IsSeries(word)) return;
    }
  }

  [[nodiscard]] bool IsNumber(const Word& word, size_t max_digits) const {
    if (!word.has_digit || word.size() > max_digits) return false;
    const string_view text = text_.substr(word.begin, word.size());
    return std::all_of(text.begin(), text.end(), IsDigit);
  }

  /// "2d", "3d", "4th".
  [[nodiscard]] bool IsSeries(const Word& word) const {
    const string_view text = text_.substr(word.begin, word.size());
    return text == "2d" || text == "3d" || text == "4th" || text == "5th";
  }

  string_view text_;
  std::span<const Word> words_;
  std::vector<Identifier>& found_;
};

}  // namespace

void FindIdentifiers(string_view text, std::span<const Word> words,
                     std::vector<Identifier>& found) {
  Finder(text, words, found).Run();
}

}  // namespace sworn::text
