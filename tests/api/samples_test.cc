// The sample documents through the whole program: identifier searches and the questions of
// data/eval.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/service/knowledge_base.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class SamplesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<test::TempFolder>();
    Config config;
    config.kb = scratch_->path() / "kb";
    config.program = SWORN_PROGRAM;
    kb_ = KnowledgeBase::Open(config, true);
    IndexRequest request;
    request.paths = {fs::path(SWORN_DATA) / "samples"};
    report_ = kb_->Index(
        request, [](const IndexProgress&) {}, CancelFlag());
  }
  static void TearDownTestSuite() {
    kb_.reset();
    scratch_.reset();
  }

  static std::unique_ptr<test::TempFolder> scratch_;
  static std::unique_ptr<KnowledgeBase> kb_;
  static IndexReport report_;
};

std::unique_ptr<test::TempFolder> SamplesTest::scratch_;
std::unique_ptr<KnowledgeBase> SamplesTest::kb_;
IndexReport SamplesTest::report_;

TEST_F(SamplesTest, EveryDocumentIsRead) {
  EXPECT_GE(report_.added, 60U);
  for (const FileNote& note : report_.notes) ADD_FAILURE() << note.path << ": " << note.reason;
}

TEST_F(SamplesTest, EveryIdentifierSearchHasItsDocumentsInTheFirstTier) {
  std::ifstream searches(fs::path(SWORN_DATA) / "eval" / "searches.jsonl");
  std::size_t count = 0;
  for (std::string line; std::getline(searches, line); ++count) {
    const json search = json::parse(line);
    SearchRequest request;
    request.text = search["query"].get<std::string>();
    request.top_k = 50;
    const std::vector<Hit> hits = kb_->Search(request).hits;
    for (const json& path : search["paths"]) {
      const bool found = std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) {
        return hit.tier == hits.front().tier && hit.tier > 0 &&
               hit.chunk.path.ends_with(path.get<std::string>());
      });
      EXPECT_TRUE(found) << request.text << " does not lead to " << path;
    }
  }
  EXPECT_GT(count, 20U);
}

// A gate against regressions, some points below what docs/retrieval.md reports.
TEST_F(SamplesTest, QuestionsOfTheReportHalfAreAnsweredOrRefused) {
  const AnswerEvaluation evaluation = EvaluateAnswers(
      *kb_, fs::path(SWORN_DATA) / "eval" / "questions.jsonl", "report", CancelFlag());
  EXPECT_GE(evaluation.questions, 60U);
  EXPECT_GE(evaluation.sentence_accuracy, 0.78);
  EXPECT_GE(evaluation.citation_precision, 0.42);
  EXPECT_GE(evaluation.abstention_recall, 0.8);
  EXPECT_GE(evaluation.abstention_precision, 0.8);
}

}  // namespace
}  // namespace sworn::service
