#include "core/text/question.h"

#include <algorithm>
#include <array>

#include "core/text/identifiers.h"
#include "core/text/language.h"
#include "core/text/stop_words.h"
#include "core/text/unicode.h"
#include "core/text/word_scanner.h"

namespace sworn::text {
namespace {

using std::string_view;

// A few words without a function word among them name a thing to look up; they are no sentence.
constexpr std::size_t kMaxLookUpWords = 4;

// Of the words inside a German compound, beside the compound itself: .3 to .5 were the best on
// 1,190 German questions.
constexpr double kPartWeight = 0.4;

struct QuotePair {
  string_view open;
  string_view close;
};

// The first closing mark behind an opening one ends the quotation.
constexpr std::array<QuotePair, 6> kQuotes = {{{"\"", "\""},
                                               {"\xE2\x80\x9C", "\xE2\x80\x9D"},  // “ ”
                                               {"\xE2\x80\x9E", "\xE2\x80\x9C"},  // „ “
                                               {"\xE2\x80\x9E", "\xE2\x80\x9D"},  // „ ”
                                               {"\xC2\xAB", "\xC2\xBB"},          // « »
                                               {"\xC2\xBB", "\xC2\xAB"}}};        // » «

/// What stands between quotation marks, in order, marks left out.
std::vector<ByteRange> FindQuotes(string_view text) {
  std::vector<ByteRange> quotes;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = 0;
    std::size_t end = string_view::npos;
    std::size_t next = at + 1;
    for (const QuotePair& pair : kQuotes) {
      if (text.compare(at, pair.open.size(), pair.open) != 0) continue;
      const std::size_t close = text.find(pair.close, at + pair.open.size());
      if (close >= end) continue;
      begin = at + pair.open.size();
      end = close;
      next = close + pair.close.size();
    }
    if (end != string_view::npos) quotes.push_back({begin, end});
    at = next;
  }
  return quotes;
}

/// One word in small letters. In a whole question its quotation marks are for emphasis more often
/// than for exactness ("how one can check that a module "matches" contexts").
bool IsOrdinaryWord(string_view text, const ByteRange& range) {
  const string_view quoted = text.substr(range.begin, range.end - range.begin);
  return std::all_of(quoted.begin(), quoted.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
  });
}

bool IsInside(std::uint64_t at, const std::vector<ByteRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [at](const ByteRange& range) { return at >= range.begin && at < range.end; });
}

bool Contains(const std::vector<std::string>& list, string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// Adds a word, or counts it once more if the question has it, or a form of it, already.
void AddWord(TermAlternatives word, std::vector<TermAlternatives>& words) {
  if (word.terms.empty()) return;
  for (TermAlternatives& known : words) {
    const bool is_form =
        std::any_of(word.terms.begin(), word.terms.end(),
                    [&known](const std::string& term) { return Contains(known.terms, term); });
    if (!is_form) continue;
    known.weight += word.weight;
    for (std::string& term : word.terms) {
      if (!Contains(known.terms, term)) known.terms.push_back(std::move(term));
    }
    return;
  }
  words.push_back(std::move(word));
}

/// Adds what makes tiers: exact identifiers, and in a look-up all of them. One inside a larger
/// one ("1983" in "§ 1983") is left out: the larger one says all.
void AddIdentifiers(string_view question, const std::vector<ByteRange>& quotes, bool is_look_up,
                    KeywordQuery& query) {
  std::vector<Word> words;
  WordScanner scanner(question);
  for (Word word; scanner.Next(word);) words.push_back(word);
  std::vector<Identifier> found;
  FindIdentifiers(question, words, found);
  for (const Identifier& identifier : found) {
    if (IsInside(identifier.byte_begin, quotes)) continue;
    if (!identifier.is_exact && !is_look_up) continue;
    const bool is_part = std::any_of(found.begin(), found.end(), [&](const Identifier& other) {
      return (other.is_exact || is_look_up) && other.byte_begin <= identifier.byte_begin &&
             identifier.byte_end <= other.byte_end &&
             other.byte_end - other.byte_begin > identifier.byte_end - identifier.byte_begin;
    });
    if (is_part) continue;
    if (!Contains(query.identifiers, identifier.term)) query.identifiers.push_back(identifier.term);
  }
}

}  // namespace

QuestionAnalyzer::QuestionAnalyzer(TermTable& table, std::span<const std::string> languages)
    : table_(table) {
  for (const std::string& language : languages) {
    if (!Contains(languages_, language)) languages_.push_back(language);
  }
  if (!Contains(languages_, kUnknownLanguage)) languages_.emplace_back(kUnknownLanguage);
}

KeywordQuery QuestionAnalyzer::Analyze(string_view question) {
  const std::string normalized = Normalize(question).text;
  KeywordQuery query;
  FindWords(normalized);
  own_language_ = QuestionLanguage();
  const bool is_look_up = IsLookUp();
  std::vector<ByteRange> quotes;
  for (const ByteRange& quote : FindQuotes(normalized)) {
    if (!is_look_up && IsOrdinaryWord(normalized, quote)) continue;
    Phrase phrase = MakePhrase(normalized, quote);
    if (phrase.words.empty()) continue;
    quotes.push_back(quote);
    query.phrases.push_back(std::move(phrase));
  }
  AddWords(quotes, false, query);
  AddIdentifiers(normalized, quotes, is_look_up, query);
  if (query.empty()) AddWords(quotes, true, query);
  words_.clear();  // they point into `normalized`
  return query;
}

void QuestionAnalyzer::FindWords(string_view question) {
  words_.clear();
  WordScanner scanner(question);
  for (Word word; scanner.Next(word);) {
    if (word.size() > kMaxWordBytes) continue;
    const string_view text = question.substr(word.begin, word.size());
    words_.push_back({text, FoldWord(text, kUnknownLanguage), word.begin});
  }
}

string_view QuestionAnalyzer::QuestionLanguage() const {
  const auto count = [this](string_view language) {
    return std::count_if(words_.begin(), words_.end(), [language](const QuestionWord& word) {
      return IsStopWord(word.folded, language);
    });
  };
  string_view best;
  std::ptrdiff_t most = 0;
  for (const std::string& language : languages_) {
    if (const auto hits = count(language); hits > most) {
      most = hits;
      best = language;
    }
  }
  // A language that no text is in needs more than one word that may be a word of another one.
  for (const string_view language : StopWordLanguages()) {
    if (const auto hits = count(language); hits > std::max<std::ptrdiff_t>(most, 1)) {
      most = hits;
      best = language;
    }
  }
  return best;
}

bool QuestionAnalyzer::IsLookUp() const {
  return words_.size() <= kMaxLookUpWords &&
         std::none_of(words_.begin(), words_.end(), [](const QuestionWord& word) {
           const auto languages = StopWordLanguages();
           return std::any_of(languages.begin(), languages.end(), [&word](string_view language) {
             return IsStopWord(word.folded, language);
           });
         });
}

bool QuestionAnalyzer::IsDropped(const QuestionWord& word) const {
  return !own_language_.empty() && IsStopWord(word.folded, own_language_);
}

TermAlternatives QuestionAnalyzer::Alternatives(const QuestionWord& word, bool with_stop_words) {
  TermAlternatives alternatives;
  for (const std::string& language : languages_) {
    const TermTable::WordTerm term = table_.OfWord(word.text, table_.LanguageNumber(language));
    if (term.is_stop_word && !with_stop_words) continue;
    const std::string& text = table_.Text(term.id);
    if (!Contains(alternatives.terms, text)) alternatives.terms.push_back(text);
  }
  return alternatives;
}

Phrase QuestionAnalyzer::MakePhrase(string_view question, const ByteRange& quote) {
  Phrase phrase;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t position = 0;
  for (const QuestionWord& word : words_) {
    ++position;
    if (word.byte_begin < quote.begin || word.byte_begin >= quote.end || IsDropped(word)) continue;
    TermAlternatives alternatives = Alternatives(word, false);
    if (alternatives.terms.empty()) continue;
    if (phrase.words.empty()) first = position;
    last = position;
    phrase.words.push_back(std::move(alternatives));
  }
  if (phrase.words.empty()) return phrase;
  phrase.window = last - first + 1;
  phrase.folded = FoldCase(question.substr(quote.begin, quote.end - quote.begin));
  return phrase;
}

void QuestionAnalyzer::AddWords(const std::vector<ByteRange>& quotes, bool with_stop_words,
                                KeywordQuery& query) {
  for (const QuestionWord& word : words_) {
    if (IsInside(word.byte_begin, quotes)) continue;
    if (!with_stop_words && IsDropped(word)) continue;
    AddWord(Alternatives(word, with_stop_words), query.words);
    AddParts(word, query);
  }
}

void QuestionAnalyzer::AddParts(const QuestionWord& word, KeywordQuery& query) {
  if (!Contains(languages_, "de")) return;
  const TermTable::WordTerm term = table_.OfWord(word.text, table_.LanguageNumber("de"));
  for (const TermTable::TermId part : table_.Parts(term)) {
    AddWord({{table_.Text(part)}, kPartWeight}, query.words);
  }
}

}  // namespace sworn::text
