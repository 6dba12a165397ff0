// Whether the passages say what a model wrote, and where: decided by code, for every sentence.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/service/sentence_stream.h"
#include "api/service/statement.h"
#include "core/text/analyzer.h"
#include "retriever/context.h"
#include "retriever/sentence_scorer.h"
#include "store/snapshot.h"

namespace sworn::service {

/// A sentence of a passage has to have this share of a statement's informative words, weighted by
/// how rare they are. Lower shares let chimeras through (the subject of one sentence with the
/// predicate of another); higher ones refuse plain paraphrases.
inline constexpr double kMinSupportedShare = 0.7;

/// A sentence of a passage that a statement stands on.
struct SupportingSpan {
  std::size_t passage = 0;  // index
  ByteRange range;          // into the stored text of the passage's document version
  std::string quote;        // those bytes

  friend bool operator==(const SupportingSpan&, const SupportingSpan&) = default;
};

struct CheckedSentence {
  std::string text;
  bool supported = false;
  std::vector<SupportingSpan> spans;  // of a supported one: that of the statement, then quotations'
  std::string reason;                 // of an unsupported one: a phrase for people
};

/// A statement is supported if every quotation in it stands in a passage and one sentence of a
/// passage contains it word for word or has enough of its informative words, all of its numbers and
/// months, every name it gives, and no negation that it lacks or has not. Passages that the
/// statement cites are tried first; one that only another passage supports is supported by that
/// one. One thread at a time; everything given outlives it.
class SentenceChecker {
 public:
  /// `languages` as for retriever::ModelQuestion.
  SentenceChecker(std::string_view question, std::span<const retriever::Passage> passages,
                  std::span<const std::string> languages, const store::Snapshot& snapshot,
                  text::Analyzer& analyzer);

  CheckedSentence Check(const WrittenSentence& written);

 private:
  struct Source {
    std::string context;  // title and headings
    std::string language;
    std::vector<ByteRange> sentences;  // of the passage's text
    ComparableText comparable;
    std::set<std::string> words;            // folded, of text and context
    std::set<std::string> context_numbers;  // that the question names too
  };
  struct Candidate {
    std::size_t passage = 0;
    ByteRange range;  // of the passage's text
    double share = 0;
    bool verbatim = false;
    bool cited = false;
  };

  [[nodiscard]] ByteRange WholeSentences(std::size_t passage, const ByteRange& range) const;
  [[nodiscard]] SupportingSpan SpanOf(std::size_t passage, const ByteRange& range) const;
  [[nodiscard]] std::vector<std::size_t> Order(const WrittenSentence& written) const;
  std::vector<Candidate> Candidates(const WrittenSentence& written);
  [[nodiscard]] std::string Objection(const WrittenSentence& written,
                                      const Candidate& candidate) const;
  [[nodiscard]] bool NamesStandIn(std::string_view text, const Source& source) const;
  bool AddQuotations(const WrittenSentence& written, CheckedSentence& checked) const;

  std::span<const retriever::Passage> passages_;
  std::span<const std::string> languages_;
  const store::Snapshot& snapshot_;
  text::Analyzer& analyzer_;
  std::vector<Source> sources_;
  std::set<std::string> question_words_;
};

}  // namespace sworn::service
