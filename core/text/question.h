// A question's words, identifiers and quoted phrases as index terms; a part of Analyzer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/keyword_query.h"
#include "core/text/term_table.h"
#include "core/types.h"

namespace sworn::text {

/// Analyses questions to collections that hold texts in `languages`.
///
/// A word that is a stop word of the question's own language is dropped; one that is a stop word of
/// another language only ("die" in an English question) keeps its other terms. The question's
/// language is the one most of whose stop words it uses, for a question is too short for CLD2.
class QuestionAnalyzer {
 public:
  QuestionAnalyzer(TermTable& table, std::span<const std::string> languages);

  KeywordQuery Analyze(std::string_view question);

 private:
  struct QuestionWord {
    std::string_view text;
    std::string folded;
    std::uint64_t byte_begin = 0;
  };

  void FindWords(std::string_view question);
  [[nodiscard]] std::string_view QuestionLanguage() const;
  [[nodiscard]] bool IsLookUp() const;
  [[nodiscard]] bool IsDropped(const QuestionWord& word) const;
  TermAlternatives Alternatives(const QuestionWord& word, bool with_stop_words);
  void AddParts(const QuestionWord& word, KeywordQuery& query);
  Phrase MakePhrase(std::string_view question, const ByteRange& quote);
  void AddWords(const std::vector<ByteRange>& quotes, bool with_stop_words, KeywordQuery& query);

  TermTable& table_;
  std::vector<std::string> languages_;  // those asked, and "und"
  std::vector<QuestionWord> words_;
  std::string_view own_language_;  // of the question; empty if none can be told
};

}  // namespace sworn::text
