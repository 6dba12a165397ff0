// From text to index terms, the same way for what is indexed and for what is asked.
//
// Terms: "en:run" is a stemmed word of an English text; "und:word" a folded word of a text without
// a known language; "#nct01234567" an exact identifier (a token with a digit, a hyphenated
// compound, "§ 1983", "Art. 7", a date, a citation: core/text/identifiers.h), folded and with inner
// spaces dropped. Positions count words and belong to stemmed words only. Stop words of the text's
// own language are not indexed (core/text/stop_words.h), but keep their positions. The words inside
// a German compound are terms of the text too, without positions (core/text/compounds.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/keyword_query.h"

namespace sworn::text {

/// Raised whenever the same text would give other terms; segments carry it.
inline constexpr int kAnalyzerVersion = 2;

struct Posting {
  std::string term;                      // at most 240 bytes
  std::uint32_t wdf = 0;                 // occurrences within the passage
  std::vector<std::uint32_t> positions;  // ascending; empty for document postings and identifiers
};

/// A passage with what gives it context; both are indexed with it.
struct PassageText {
  std::string_view title;
  std::string_view heading;
  std::string_view text;
  std::string_view language;  // as DetectLanguage gives it
};

/// A word of a text, for scoring and highlighting.
struct Token {
  std::string term;  // stemmed, with language prefix
  std::size_t byte_begin = 0;
  std::size_t byte_end = 0;
};

/// Holds stemmers, so one object belongs to one thread at a time; cheap enough to make per thread.
class Analyzer {
 public:
  Analyzer();
  ~Analyzer();
  Analyzer(Analyzer&&) noexcept;
  Analyzer& operator=(Analyzer&&) noexcept;

  /// Postings of a chunk, with positions, sorted by term.
  std::vector<Posting> AnalyzePassage(const PassageText& passage);

  /// Postings of a whole document (heading empty), without positions, sorted by term.
  std::vector<Posting> AnalyzeDocument(const PassageText& document);

  /// `languages` are those of the collections asked. Stop words are dropped unless nothing else is
  /// left; identifiers, negations and quoted phrases are never stop words.
  KeywordQuery AnalyzeQuestion(std::string_view question, std::span<const std::string> languages);

  /// Words of a text in order, stop words included.
  std::vector<Token> Tokenize(std::string_view text, std::string_view language);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::text
