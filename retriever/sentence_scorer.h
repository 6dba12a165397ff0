// How well a sentence answers a question, without a model: overlap of words and of character
// 4-grams, weighted by IDF and without length normalisation, for the sentence and for the passage
// it stands in.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/analyzer.h"
#include "core/text/keyword_query.h"
#include "core/types.h"
#include "store/snapshot.h"

namespace sworn::retriever {

/// A content word of the question.
struct QuestionWord {
  std::vector<std::string> terms;  // alternatives: one per language
  std::string surface;             // as written in the question
  double idf = 0;                  // from the statistics of the snapshot, > 0
  bool identifier = false;
};

struct QuestionModel {
  std::vector<QuestionWord> words;        // distinct, in the order of the question
  std::vector<std::string> gram_sources;  // folded words whose 4-grams count
  double total_idf = 0;
};

/// `languages` as for Analyzer::AnalyzeQuestion.
QuestionModel ModelQuestion(std::string_view question, std::span<const std::string> languages,
                            const store::Snapshot& snapshot, text::Analyzer& analyzer);

/// What the scorer reads of a passage.
struct PassageView {
  std::string_view text;
  std::string_view language;
  std::string_view context;  // title and heading: count for the passage, not for the sentence
};

struct ScoredSentence {
  std::size_t passage = 0;   // index into the passages
  ByteRange range;           // into the passage's text
  double score = 0;          // sentence and passage together
  double word_share = 0;     // of the question's IDF mass, in [0, 1], in the sentence itself
  double gram_share = 0;     // of the 4-grams' IDF mass
  double passage_share = 0;  // word_share of the whole passage
  std::vector<bool> words;   // which QuestionWords the sentence has
};

struct SentenceScores {
  std::vector<ScoredSentence> sentences;         // of every passage, best first; ties by place
  std::vector<std::vector<bool>> passage_words;  // per passage: which QuestionWords it has
};

SentenceScores ScoreSentences(const QuestionModel& question, std::span<const PassageView> passages,
                              text::Analyzer& analyzer);

}  // namespace sworn::retriever
