// A gate against regressions of retrieval: the project's own questions on its own documents,
// passage by passage, in each mode. Raise the figures when retrieval has become better for good;
// docs/retrieval.md says which damage turns this red.
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/service/knowledge_base.h"
#include "retriever/metrics.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kTolerance = 0.015;
constexpr std::size_t kDepth = 10;

struct Question {
  std::string text;
  std::string language;
  std::vector<std::pair<std::string, std::string>> expected;  // end of the path, quote
};

std::string CollapseSpaces(std::string_view text) {
  std::string collapsed;
  for (const char c : text) {
    const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\f';
    if (!is_space) {
      collapsed += c;
    } else if (!collapsed.empty() && collapsed.back() != ' ') {
      collapsed += ' ';
    }
  }
  return collapsed;
}

std::vector<Question> ReadQuestions() {
  std::vector<Question> questions;
  std::ifstream in(fs::path(SWORN_DATA) / "eval" / "questions.jsonl");
  for (std::string line; std::getline(in, line);) {
    const json record = json::parse(line);
    Question question{record["question"], record["language"], {}};
    for (const json& expected : record["expected"]) {
      question.expected.emplace_back(expected["path"].get<std::string>(),
                                     CollapseSpaces(expected["quote"].get<std::string>()));
    }
    if (!question.expected.empty()) questions.push_back(std::move(question));
  }
  return questions;
}

class RetrievalGate : public testing::Test {
 protected:
  void SetUp() override {
    Config config;
    config.kb = folder_.path() / "kb";
    config.program = SWORN_PROGRAM;
    kb_ = KnowledgeBase::Open(config, true);
    IndexRequest request;
    request.paths = {fs::path(SWORN_DATA) / "samples"};
    kb_->Index(
        request, [](const IndexProgress&) {}, CancelFlag());
  }

  /// nDCG@10 over the passages that hold an expected quotation.
  double Ndcg(const Question& question, SearchMode mode) {
    SearchRequest request;
    request.text = question.text;
    request.mode = mode;
    request.top_k = kDepth;
    retriever::Judgements judgements;
    for (std::size_t i = 0; i < question.expected.size(); ++i) judgements[std::to_string(i)] = 1;
    std::vector<std::string> ranking;
    std::vector<bool> found(question.expected.size());
    for (const Hit& hit : kb_->Search(request).hits) {
      const std::string text = CollapseSpaces(hit.chunk.text);
      ranking.emplace_back("other");
      for (std::size_t i = 0; i < question.expected.size(); ++i) {
        const auto& [path, quote] = question.expected[i];
        if (found[i] || !hit.chunk.path.ends_with(path)) continue;
        if (text.find(quote) == std::string::npos) continue;
        found[i] = true;
        ranking.back() = std::to_string(i);
        break;
      }
    }
    return retriever::NdcgAt(ranking, judgements, kDepth);
  }

  test::TempFolder folder_;
  std::unique_ptr<KnowledgeBase> kb_;
};

TEST_F(RetrievalGate, PassagesThatAnswerAreRankedAsHighAsTheyWere) {
  // Mean nDCG@10 by mode and language.
  const std::map<SearchMode, std::map<std::string, double>> pinned = {
      {SearchMode::kKeyword, {{"en", 0.8285}, {"es", 0.9539}, {"de", 0.9806}}},
      {SearchMode::kHybrid, {{"en", 0.8236}, {"es", 0.9539}, {"de", 0.9806}}},
  };
  const std::vector<Question> questions = ReadQuestions();
  ASSERT_GT(questions.size(), 100U);
  for (const auto& [mode, by_language] : pinned) {
    for (const auto& [language, figure] : by_language) {
      std::vector<double> scores;
      for (const Question& question : questions) {
        if (question.language == language) scores.push_back(Ndcg(question, mode));
      }
      ASSERT_FALSE(scores.empty());
      const double mean = retriever::Mean(scores);
      const std::string name = std::string(retriever::ModeName(mode)) + ", " + language;
      EXPECT_GE(mean, figure - kTolerance) << name;
    }
  }
}

TEST_F(RetrievalGate, TheRightSentencesAreQuotedAsOftenAsTheyWere) {
  constexpr double kPinned = 0.803;
  constexpr double kSentenceTolerance = 0.02;  // two or three of the 127 answerable questions
  const AnswerEvaluation evaluation =
      EvaluateAnswers(*kb_, fs::path(SWORN_DATA) / "eval" / "questions.jsonl", "", CancelFlag());
  EXPECT_GE(evaluation.sentence_accuracy, kPinned - kSentenceTolerance);
}

}  // namespace
}  // namespace sworn::service
