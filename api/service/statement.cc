#include "api/service/statement.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "retriever/folded_text.h"

namespace sworn::service {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80U;
}

struct Replacement {
  std::string_view from;
  std::string_view to;
};
// Kinds of one mark that writers do not tell apart.
constexpr std::array kReplacements = {
    Replacement{"\u201c", "\""}, Replacement{"\u201d", "\""}, Replacement{"\u201e", "\""},
    Replacement{"\u00ab", "\""}, Replacement{"\u00bb", "\""}, Replacement{"\u2018", "'"},
    Replacement{"\u2019", "'"},  Replacement{"\u201a", "'"},  Replacement{"\u2010", "-"},
    Replacement{"\u2011", "-"},  Replacement{"\u2013", "-"},  Replacement{"\u2014", "-"},
    Replacement{"\u00a0", " "},  Replacement{"\u202f", " "}};

std::size_t BracketedNumber(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && (IsDigit(text[at]) || text[at] == ',' || text[at] == ' ')) ++at;
  return at > 1 && at < text.size() && text[at] == ']' ? at + 1 : 0;
}

const std::map<std::string_view, std::string_view>& NumberWords() {
  static const std::map<std::string_view, std::string_view> words = {{"two", "2"},
                                                                     {"three", "3"},
                                                                     {"four", "4"},
                                                                     {"five", "5"},
                                                                     {"six", "6"},
                                                                     {"seven", "7"},
                                                                     {"eight", "8"},
                                                                     {"nine", "9"},
                                                                     {"ten", "10"},
                                                                     {"eleven", "11"},
                                                                     {"twelve", "12"},
                                                                     {"thirteen", "13"},
                                                                     {"fourteen", "14"},
                                                                     {"fifteen", "15"},
                                                                     {"sixteen", "16"},
                                                                     {"seventeen", "17"},
                                                                     {"eighteen", "18"},
                                                                     {"nineteen", "19"},
                                                                     {"twenty", "20"},
                                                                     {"thirty", "30"},
                                                                     {"forty", "40"},
                                                                     {"fifty", "50"},
                                                                     {"sixty", "60"},
                                                                     {"seventy", "70"},
                                                                     {"eighty", "80"},
                                                                     {"ninety", "90"},
                                                                     {"hundred", "100"},
                                                                     {"thousand", "1000"},
                                                                     {"zwei", "2"},
                                                                     {"drei", "3"},
                                                                     {"vier", "4"},
                                                                     {"f\u00fcnf", "5"},
                                                                     {"sechs", "6"},
                                                                     {"sieben", "7"},
                                                                     {"acht", "8"},
                                                                     {"neun", "9"},
                                                                     {"zehn", "10"},
                                                                     {"elf", "11"},
                                                                     {"zw\u00f6lf", "12"},
                                                                     {"vierzehn", "14"},
                                                                     {"f\u00fcnfzehn", "15"},
                                                                     {"zwanzig", "20"},
                                                                     {"drei\u00dfig", "30"},
                                                                     {"dreissig", "30"},
                                                                     {"vierzig", "40"},
                                                                     {"f\u00fcnfzig", "50"},
                                                                     {"sechzig", "60"},
                                                                     {"siebzig", "70"},
                                                                     {"achtzig", "80"},
                                                                     {"neunzig", "90"},
                                                                     {"hundert", "100"},
                                                                     {"tausend", "1000"},
                                                                     {"dos", "2"},
                                                                     {"tres", "3"},
                                                                     {"cuatro", "4"},
                                                                     {"cinco", "5"},
                                                                     {"seis", "6"},
                                                                     {"siete", "7"},
                                                                     {"ocho", "8"},
                                                                     {"nueve", "9"},
                                                                     {"diez", "10"},

                                                                     {"doce", "12"},
                                                                     {"catorce", "14"},
                                                                     {"quince", "15"},
                                                                     {"veinte", "20"},
                                                                     {"treinta", "30"},
                                                                     {"cuarenta", "40"},
                                                                     {"cincuenta", "50"},
                                                                     {"sesenta", "60"},
                                                                     {"setenta", "70"},
                                                                     {"ochenta", "80"},
                                                                     {"noventa", "90"},
                                                                     {"cien", "100"},
                                                                     {"ciento", "100"},
                                                                     {"mil", "1000"},
                                                                     {"january", "month 1"},
                                                                     {"february", "month 2"},
                                                                     {"march", "month 3"},
                                                                     {"april", "month 4"},
                                                                     {"june", "month 6"},
                                                                     {"july", "month 7"},
                                                                     {"august", "month 8"},
                                                                     {"september", "month 9"},
                                                                     {"october", "month 10"},
                                                                     {"november", "month 11"},
                                                                     {"december", "month 12"},
                                                                     {"januar", "month 1"},
                                                                     {"februar", "month 2"},
                                                                     {"m\u00e4rz", "month 3"},
                                                                     {"mai", "month 5"},
                                                                     {"juni", "month 6"},
                                                                     {"juli", "month 7"},
                                                                     {"oktober", "month 10"},
                                                                     {"dezember", "month 12"},
                                                                     {"enero", "month 1"},
                                                                     {"febrero", "month 2"},
                                                                     {"marzo", "month 3"},
                                                                     {"abril", "month 4"},
                                                                     {"mayo", "month 5"},
                                                                     {"junio", "month 6"},
                                                                     {"julio", "month 7"},
                                                                     {"agosto", "month 8"},
                                                                     {"septiembre", "month 9"},
                                                                     {"octubre", "month 10"},
                                                                     {"noviembre", "month 11"},
                                                                     {"diciembre", "month 12"}};
  return words;
}

// "12,000" and "12.000" are "12000": groups of three behind the first one.
std::string WithoutThousands(const std::string& number) {
  std::string digits;
  std::size_t group = 0;
  bool first = true;
  for (std::size_t i = 0; i <= number.size(); ++i) {
    if (i < number.size() && IsDigit(number[i])) {
      digits.push_back(number[i]);
      ++group;
      continue;
    }
    if (i < number.size() && number[i] != ',' && number[i] != '.') return number;
    const bool fits = first ? group >= 1 && group <= 3 : group == 3;
    if (!fits) return number;
    if (first && i == number.size()) return number;
    first = false;
    group = 0;
  }
  return digits;
}

}  // namespace

void ComparableText::Put(std::string_view bytes, std::size_t begin, std::size_t end) {
  for (const char c : bytes) {
    if (c == ' ' && (form_.empty() || form_.back() == ' ')) continue;
    form_.push_back(c);
    begins_.push_back(begin);
    ends_.push_back(end);
  }
}

ComparableText::ComparableText(std::string_view text) {
  form_.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    if (rest.front() == '[') {
      if (const std::size_t length = BracketedNumber(rest)) {
        i += length;
        continue;
      }
    }
    const auto* replacement =
        std::find_if(kReplacements.begin(), kReplacements.end(),
                     [&](const Replacement& one) { return rest.starts_with(one.from); });
    if (replacement != kReplacements.end()) {
      Put(replacement->to, i, i + replacement->from.size());
      i += replacement->from.size();
      continue;
    }
    const char c = rest.front();
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const char put = IsSpace(c) ? ' ' : lower;
    Put({&put, 1}, i, i + 1);
    ++i;
  }
}

std::optional<ByteRange> ComparableText::Find(const std::string& wanted) const {
  if (wanted.empty()) return std::nullopt;
  for (std::size_t at = form_.find(wanted); at != std::string::npos;
       at = form_.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    const bool begins = at == 0 || !IsWordByte(form_[at - 1]) || !IsWordByte(wanted.front());
    const bool ends = end == form_.size() || !IsWordByte(form_[end]) || !IsWordByte(wanted.back());
    if (begins && ends) return ByteRange{begins_[at], ends_[end - 1]};
  }
  return std::nullopt;
}

std::string StatementForm(std::string_view text) {
  std::string form = ComparableText(text).form();
  const auto loose = [](char c) {
    return c == ' ' || c == '.' || c == '!' || c == '?' || c == '"' || c == ':' || c == ',';
  };
  while (!form.empty() && loose(form.back())) form.pop_back();
  std::size_t begin = 0;
  while (begin < form.size() && (form[begin] == ' ' || form[begin] == '"')) ++begin;
  return form.substr(begin);
}

std::set<std::string> NumbersOf(std::string_view text) {
  std::set<std::string> numbers;
  for (std::size_t i = 0; i < text.size();) {
    if (!IsDigit(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() &&
           (IsDigit(text[end]) || ((text[end] == '.' || text[end] == ',' || text[end] == ':') &&
                                   end + 1 < text.size() && IsDigit(text[end + 1])))) {
      ++end;
    }
    numbers.insert(WithoutThousands(std::string(text.substr(i, end - i))));
    i = end;
  }
  for (const std::string& word : retriever::FoldedWords(text)) {
    const auto known = NumberWords().find(word);
    if (known != NumberWords().end()) numbers.emplace(known->second);
  }
  return numbers;
}

std::vector<std::string> QuotationsOf(std::string_view text) {
  struct Marks {
    std::string_view open;
    std::vector<std::string_view> close;
  };
  static const std::vector<Marks> marks_of = {{"\"", {"\""}},
                                              {"\u201c", {"\u201d"}},
                                              {"\u201e", {"\u201c", "\u201d"}},
                                              {"\u00ab", {"\u00bb"}},
                                              {"\u00bb", {"\u00ab"}}};
  std::vector<std::string> quotations;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const auto marks = std::find_if(marks_of.begin(), marks_of.end(),
                                    [&](const Marks& one) { return rest.starts_with(one.open); });
    if (marks == marks_of.end()) {
      ++i;
      continue;
    }
    const std::size_t begin = i + marks->open.size();
    std::size_t end = std::string_view::npos;
    std::size_t behind = begin;
    for (const std::string_view close : marks->close) {
      const std::size_t found = text.find(close, begin);
      if (found < end) {
        end = found;
        behind = found + close.size();
      }
    }
    if (end == std::string_view::npos) {
      i = begin;
      continue;
    }
    if (end > begin) quotations.emplace_back(text.substr(begin, end - begin));
    i = behind;
  }
  return quotations;
}

bool IsNegation(std::string_view folded_word) {
  static const std::set<std::string_view> words = {
      "not",        "no",          "never",   "without", "none",    "neither", "nor",
      "cannot",     "nicht",       "kein",    "keine",   "keinen",  "keinem",  "keiner",
      "keines",     "nie",         "niemals", "ohne",    "weder",   "nunca",   "sin",
      "jam\u00e1s", "ning\u00fan", "ninguna", "ninguno", "tampoco", "t"};  // "t": what FoldedWords
                                                                           // leaves of "don't"
  return words.contains(folded_word);
}

}  // namespace sworn::service
