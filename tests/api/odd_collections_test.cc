// Collections and questions that leave retrieval little to go by: each must give a sane result or
// say why there is none, in every mode.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "api/service/knowledge_base.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

constexpr SearchMode kModes[] = {SearchMode::kKeyword, SearchMode::kVector, SearchMode::kHybrid};

class OddCollectionsTest : public testing::Test {
 protected:
  void Index() {
    Config config;
    config.kb = folder_.path() / "kb";
    config.program = SWORN_PROGRAM;
    kb_ = KnowledgeBase::Open(config, true);
    IndexRequest request;
    request.paths = {folder_.path() / "docs"};
    const IndexReport report = kb_->Index(
        request, [](const IndexProgress&) {}, CancelFlag());
    ASSERT_EQ(report.failed, 0U);
    ASSERT_GT(report.added, 0U);
  }

  SearchResponse Search(const std::string& text, SearchMode mode) {
    SearchRequest request;
    request.text = text;
    request.mode = mode;
    SearchResponse response = kb_->Search(request);
    for (const Hit& hit : response.hits) EXPECT_TRUE(hit.score >= 0 && hit.score <= 1) << text;
    // Nothing found is explained by a leg that did not run, or by one that found nothing.
    for (const LegReport& leg : response.legs) {
      EXPECT_TRUE(leg.ran || !leg.reason.empty()) << leg.name << " of '" << text << "'";
    }
    return response;
  }

  AskResponse Ask(const std::string& text) {
    AskRequest request;
    request.text = text;
    return kb_->Ask(request);
  }

  /// Found by keyword and hybrid; by vectors, or the leg says why not.
  void ExpectFound(const std::string& text, std::size_t hits) {
    for (const SearchMode mode : kModes) {
      const SearchResponse response = Search(text, mode);
      if (mode == SearchMode::kVector && response.hits.empty()) {
        for (const LegReport& leg : response.legs) {
          EXPECT_EQ(leg.candidates, 0U) << leg.name;
          EXPECT_NE(leg.reason, "") << leg.name;
        }
        continue;
      }
      EXPECT_EQ(response.hits.size(), hits) << retriever::ModeName(mode) << ": " << text;
    }
  }

  test::TempFolder folder_;
  std::unique_ptr<KnowledgeBase> kb_;
};

TEST_F(OddCollectionsTest, OneChunk) {
  folder_.Write("docs/only.txt", "The lighthouse keeper counts ships at dusk.");
  Index();
  ExpectFound("Who counts the ships?", 1);
  for (const SearchMode mode : kModes) {
    EXPECT_LE(Search("completely unrelated matter", mode).hits.size(), 1U);
  }
  const AskResponse answer = Ask("Who counts ships at dusk?");
  EXPECT_EQ(answer.status, AnswerStatus::kAnswered);
  ASSERT_EQ(answer.citations.size(), 1U);
}

TEST_F(OddCollectionsTest, OnlyNumbers) {
  for (int file = 0; file < 25; ++file) {
    std::string numbers;
    for (int i = 0; i < 60; ++i) numbers += std::to_string(100'000 + file * 1000 + i * 7) + " ";
    folder_.Write("docs/n" + std::to_string(file) + ".txt", numbers);
  }
  Index();
  for (const SearchMode mode : {SearchMode::kKeyword, SearchMode::kHybrid}) {
    const SearchResponse found = Search("103007", mode);
    ASSERT_FALSE(found.hits.empty());
    EXPECT_TRUE(found.hits[0].chunk.path.ends_with("n3.txt"));
    EXPECT_GT(found.hits[0].tier, 0U);
  }
  for (const SearchMode mode : kModes) Search("what is the total of all accounts", mode);
  EXPECT_NE(Ask("What is the total of all accounts?").reason, "");
}

TEST_F(OddCollectionsTest, OneDocumentManyTimes) {
  for (int file = 0; file < 40; ++file) {
    folder_.Write("docs/copy" + std::to_string(file) + ".txt",
                  "The lighthouse keeper counts ships at dusk.");
  }
  Index();
  ExpectFound("Who counts the ships?", 1);
  EXPECT_EQ(Ask("Who counts ships at dusk?").status, AnswerStatus::kAnswered);
}

TEST_F(OddCollectionsTest, NearlyTheSameDocumentManyTimes) {
  for (int file = 0; file < 40; ++file) {
    folder_.Write("docs/copy" + std::to_string(file) + ".txt",
                  "The lighthouse keeper counts ships at dusk. " + std::to_string(file));
  }
  Index();
  ExpectFound("Who counts the ships?", 10);
}

TEST_F(OddCollectionsTest, QuestionsOfStopWordsAndOfSigns) {
  folder_.Write("docs/a.txt", "The lighthouse keeper counts ships at dusk.");
  folder_.Write("docs/b.txt", "Der Leuchtturm steht seit vielen Jahren an der Küste im Norden.");
  Index();
  for (const char* question :
       {"what is the", "wer ist das", "to be or not to be", "???", "- \"\" -", "\"the\"", "a"}) {
    for (const SearchMode mode : kModes) EXPECT_LE(Search(question, mode).hits.size(), 2U);
    const AskResponse answer = Ask(question);
    EXPECT_EQ(answer.status, AnswerStatus::kAbstained) << question;
    EXPECT_NE(answer.reason, "") << question;
  }
}

TEST_F(OddCollectionsTest, AQuestionFindsOnlyWhatIsInItsWordsWhateverTheLanguages) {
  folder_.Write("docs/en.txt",
                "The tenant may end the lease with a notice period of three months. The landlord "
                "must give reasons for any notice of his own.");
  folder_.Write(
      "docs/es.txt",
      "El inquilino puede terminar el contrato de alquiler con un preaviso de tres meses. "
      "El propietario debe dar sus razones.");
  folder_.Write("docs/de.txt",
                "Die Kündigungsfrist für den Mietvertrag beträgt drei Monate. Der Vermieter muss "
                "für eine Kündigung Gründe nennen.");
  Index();
  const auto first = [this](const std::string& question) {
    const SearchResponse response = Search(question, SearchMode::kHybrid);
    return response.hits.empty()
               ? std::string()
               : response.hits[0].chunk.path.substr(response.hits[0].chunk.path.size() - 6);
  };
  EXPECT_EQ(first("What notice period does the tenant have?"), "en.txt");
  EXPECT_EQ(first("¿Qué preaviso debe dar el inquilino?"), "es.txt");
  EXPECT_EQ(first("Welche Frist gilt?"), "de.txt");
  EXPECT_EQ(first("Vertrag"), "de.txt");
  EXPECT_EQ(first("notice"), "en.txt");
  EXPECT_EQ(first("contratos"), "es.txt");
}

}  // namespace
}  // namespace sworn::service
