#include "retriever/extractive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retriever/retriever.h"
#include "tests/support/fake_snapshot.h"

namespace sworn::retriever {
namespace {

using test::FakeSnapshot;
using testing::Contains;
using testing::HasSubstr;

ExtractiveAnswer Ask(const FakeSnapshot& snapshot, const std::string& question,
                     const ExtractiveOptions& options = {}) {
  Query query;
  query.text = question;
  Retriever retriever(snapshot, nullptr);
  const Context context = BuildContext(snapshot, retriever.Search(query).hits);
  text::Analyzer analyzer;
  const auto languages = QuestionLanguages(snapshot);
  ExtractiveAnswer answer =
      AnswerFromPassages(question, context, languages, snapshot, analyzer, options);
  // Whatever the answer: a quotation is the bytes of the stored text.
  for (const Quotation& quotation : answer.sentences) {
    const Passage& passage = context.passages.at(quotation.passage_number - 1);
    const auto text = snapshot.LoadText(passage.chunks.front().document_id, 1);
    EXPECT_EQ(quotation.text,
              text->substr(quotation.range.begin, quotation.range.end - quotation.range.begin));
    EXPECT_NE(quotation.chunk_id, 0U);
  }
  EXPECT_EQ(answer.status == AnswerStatus::kAbstained, answer.sentences.empty());
  EXPECT_EQ(answer.status == AnswerStatus::kAnswered && !answer.contradiction,
            answer.reason.empty());
  EXPECT_LE(answer.sentences.size(), options.max_sentences);
  return answer;
}

class ExtractiveTest : public testing::Test {
 protected:
  ExtractiveTest() {
    snapshot_.Add("Lease of the flat",
                  {"The lease begins on the first of May. The tenant pays a deposit of two rents.",
                   "Pets are allowed. The landlord repairs the heating within three days."});
    snapshot_.Add("Insurance", {"The insurer covers damage by water. Claims expire after a year."});
    snapshot_.Add("Minutes", {"The board met on Tuesday. It approved the budget of the museum."});
  }
  FakeSnapshot snapshot_;
};

TEST_F(ExtractiveTest, QuotesTheSentenceThatAnswers) {
  const ExtractiveAnswer answer = Ask(snapshot_, "What deposit does the tenant pay?");
  EXPECT_EQ(answer.status, AnswerStatus::kAnswered);
  ASSERT_FALSE(answer.sentences.empty());
  EXPECT_EQ(answer.sentences[0].text, "The tenant pays a deposit of two rents.");
  EXPECT_GT(answer.support.sentence_share, 0.9);
  EXPECT_GT(answer.support.margin, 1);
}

TEST_F(ExtractiveTest, AbstainsWhenTheWordsAreNowhere) {
  const ExtractiveAnswer answer = Ask(snapshot_, "Which vaccine protects against rabies?");
  EXPECT_EQ(answer.status, AnswerStatus::kAbstained);
  EXPECT_FALSE(answer.reason.empty());
}

TEST_F(ExtractiveTest, SaysWhichWordsTheNearestPassagesLack) {
  const ExtractiveAnswer answer =
      Ask(snapshot_, "Does the insurer cover earthquakes, meteorites and volcanoes?");
  EXPECT_EQ(answer.status, AnswerStatus::kAbstained);
  EXPECT_THAT(answer.reason, HasSubstr("mention 'insurer'"));
  EXPECT_THAT(answer.reason, HasSubstr("but not 'earthquakes'"));
}

TEST_F(ExtractiveTest, IsPartialWhenAPartOfTheQuestionHasNoSupport) {
  ExtractiveOptions options;
  options.thresholds.min_passage_share = 0.2;
  options.thresholds.min_sentence_share = 0.2;
  options.thresholds.full_share = 0.95;
  const ExtractiveAnswer answer =
      Ask(snapshot_, "Who repairs the heating and the elevator?", options);
  EXPECT_EQ(answer.status, AnswerStatus::kPartial);
  EXPECT_THAT(answer.unsupported, Contains("elevator"));
  EXPECT_THAT(answer.reason, HasSubstr("'elevator'"));
}

TEST_F(ExtractiveTest, AddsASentenceThatBringsTheRestOfTheQuestion) {
  const ExtractiveAnswer answer =
      Ask(snapshot_, "When do water damage claims expire, and what damage is covered?");
  ASSERT_GE(answer.sentences.size(), 2U);
  EXPECT_THAT(answer.sentences[0].text + answer.sentences[1].text, HasSubstr("after a year"));
}

TEST_F(ExtractiveTest, ShowsBothSourcesWhenTheyDifferInANumber) {
  snapshot_.Add("Policy of 2023", {"Backups of the archive are kept for 30 days."});
  snapshot_.Add("Policy of 2024", {"Backups of the archive are kept for 90 days."});
  snapshot_.Add("Copy of the policy", {"Backups of the archive are kept for 90 days, always."});
  const ExtractiveAnswer answer = Ask(snapshot_, "How long are backups of the archive kept?");
  EXPECT_TRUE(answer.contradiction);
  ASSERT_EQ(answer.sentences.size(), 2U);
  EXPECT_NE(answer.sentences[0].text, answer.sentences[1].text);
  EXPECT_THAT(answer.reason, HasSubstr("differ"));
}

TEST_F(ExtractiveTest, AHeadingThatOnlyRepeatsTheQuestionIsNoAnswer) {
  snapshot_.Add("Terms", {"4. The warranty period.\n\nThe warranty period is two years."});
  const ExtractiveAnswer answer = Ask(snapshot_, "How long is the warranty period?");
  ASSERT_FALSE(answer.sentences.empty());
  EXPECT_EQ(answer.sentences[0].text, "The warranty period is two years.");
  for (const Quotation& quotation : answer.sentences) {
    EXPECT_NE(quotation.text, "4. The warranty period.");
  }
}

TEST_F(ExtractiveTest, AStatementAnswersAYesOrNoQuestionInItsOwnWords) {
  const ExtractiveAnswer answer = Ask(snapshot_, "Are pets allowed?");
  ASSERT_FALSE(answer.sentences.empty());
  EXPECT_EQ(answer.sentences[0].text, "Pets are allowed.");
}

TEST_F(ExtractiveTest, ACodeThatNoSourceHasIsNotAnsweredByItsNeighbour) {
  snapshot_.Add("Codes", {"C34.1 means a tumour of the upper lobe.", "C34.2: middle lobe."});
  snapshot_.Add("Accounts 2024", {"The revenue was 5 million in 2024."});
  EXPECT_EQ(Ask(snapshot_, "What does C34.8 mean?").status, AnswerStatus::kAbstained);
  EXPECT_THAT(Ask(snapshot_, "What was the revenue in 2022?").reason, HasSubstr("'2022'"));
  EXPECT_EQ(Ask(snapshot_, "What was the revenue in 2024?").status, AnswerStatus::kAnswered);
  const ExtractiveAnswer answer = Ask(snapshot_, "What tumour does C34.1 mean?");
  ASSERT_FALSE(answer.sentences.empty());
  EXPECT_EQ(answer.sentences[0].text, "C34.1 means a tumour of the upper lobe.");
}

TEST_F(ExtractiveTest, AnEmptyContextAbstains) {
  text::Analyzer analyzer;
  const std::vector<std::string> languages = {"en"};
  const ExtractiveAnswer answer =
      AnswerFromPassages("anything", {}, languages, snapshot_, analyzer);
  EXPECT_EQ(answer.status, AnswerStatus::kAbstained);
  EXPECT_EQ(answer.reason, "no passage was found");
}

TEST(FitThresholdsTest, SeparatesWhatCanBeSeparated) {
  std::vector<CalibrationCase> cases;
  for (int i = 0; i < 10; ++i) {
    CalibrationCase one;
    one.answerable = true;
    one.support.passage_share = 0.6 + 0.03 * i;
    one.support.sentence_share = 0.5;
    cases.push_back(one);
    one.answerable = false;
    one.support.passage_share = 0.5 - 0.03 * i;
    cases.push_back(one);
    one.support.passage_share = 0.8;
    one.support.sentence_share = 0.1;
    cases.push_back(one);
  }
  const AbstentionThresholds fitted = FitThresholds(cases);
  EXPECT_NEAR(fitted.min_passage_share, 0.55, 1e-9);
  EXPECT_NEAR(fitted.min_sentence_share, 0.3, 1e-9);
  EXPECT_DOUBLE_EQ(fitted.full_share, AbstentionThresholds().full_share);
}

TEST(FitThresholdsTest, WithoutUnanswerableCasesEverythingIsAnswered) {
  const std::vector<CalibrationCase> cases = {{{0.2, 0.3, 0.3, 1}, true}};
  const AbstentionThresholds fitted = FitThresholds(cases);
  EXPECT_DOUBLE_EQ(fitted.min_passage_share, 0);
  EXPECT_DOUBLE_EQ(fitted.min_sentence_share, 0);
  EXPECT_EQ(FitThresholds({}).min_passage_share, 0);
}

TEST(AnswerStatusTest, HasTheNamesOfTheInterface) {
  EXPECT_EQ(AnswerStatusName(AnswerStatus::kAnswered), "answered");
  EXPECT_EQ(AnswerStatusName(AnswerStatus::kPartial), "partial");
  EXPECT_EQ(AnswerStatusName(AnswerStatus::kAbstained), "abstained");
}

}  // namespace
}  // namespace sworn::retriever
