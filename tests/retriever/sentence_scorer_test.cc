#include "retriever/sentence_scorer.h"

#include <gtest/gtest.h>

#include "tests/support/fake_snapshot.h"

namespace sworn::retriever {
namespace {

using test::FakeSnapshot;

const std::vector<std::string> kEnglish = {"en"};

class SentenceScorerTest : public testing::Test {
 protected:
  SentenceScorerTest() {
    snapshot_.Add("", {"The lease begins in May. The deposit is two rents. Pets are allowed."});
    snapshot_.Add("", {"The lease of the garage ends in June. Nobody pays for water."});
    snapshot_.Add("", {"The lease is long.", "The lease is short.", "A lease may end."});
  }

  SentenceScores Score(std::string_view question, const std::vector<std::string>& texts) {
    std::vector<PassageView> views;
    for (const std::string& text : texts) views.push_back({text, "en", ""});
    return ScoreSentences(ModelQuestion(question, kEnglish, snapshot_, analyzer_), views,
                          analyzer_);
  }

  FakeSnapshot snapshot_;
  text::Analyzer analyzer_;
};

TEST_F(SentenceScorerTest, ARareWordWeighsMoreThanACommonOne) {
  const QuestionModel model =
      ModelQuestion("How high is the deposit of the lease?", kEnglish, snapshot_, analyzer_);
  double deposit = 0;
  double lease = 0;
  for (const QuestionWord& word : model.words) {
    if (word.surface == "deposit") deposit = word.idf;
    if (word.surface == "lease") lease = word.idf;
  }
  EXPECT_GT(deposit, lease);
  EXPECT_GT(lease, 0);
}

TEST_F(SentenceScorerTest, TheSentenceWithTheRareWordWins) {
  const std::string text = "The lease begins in May. The deposit is two rents. Pets are allowed.";
  const SentenceScores scores = Score("How high is the deposit?", {text});
  ASSERT_EQ(scores.sentences.size(), 3U);
  const ByteRange range = scores.sentences[0].range;
  EXPECT_EQ(text.substr(range.begin, range.end - range.begin), "The deposit is two rents.");
  EXPECT_GT(scores.sentences[0].word_share, scores.sentences[1].word_share);
  EXPECT_LE(scores.sentences[0].word_share, 1);
}

TEST_F(SentenceScorerTest, WordFormsMatchByStemAndByLetters) {
  const SentenceScores scores =
      Score("Which deposits were paid?", {"The depositor was glad.", "A deposit was given."});
  EXPECT_EQ(scores.sentences[0].passage, 1U);
  EXPECT_GT(scores.sentences[1].gram_share, 0);
}

TEST_F(SentenceScorerTest, ThePassageAroundASentenceCounts) {
  const SentenceScores scores =
      Score("garage lease end",
            {"It ends in June. Pets are allowed.", "It ends in June. The garage has a lease."});
  std::size_t first = 2;
  for (const ScoredSentence& sentence : scores.sentences) {
    if (sentence.range.begin == 0) {
      first = sentence.passage;
      break;
    }
  }
  EXPECT_EQ(first, 1U);
}

TEST_F(SentenceScorerTest, NothingInCommonScoresNothing) {
  const SentenceScores scores = Score("xylophone", {"Pets are allowed."});
  ASSERT_EQ(scores.sentences.size(), 1U);
  EXPECT_DOUBLE_EQ(scores.sentences[0].score, 0);
  EXPECT_EQ(scores.passage_words[0], std::vector<bool>{false});
  EXPECT_TRUE(Score("deposit", {}).sentences.empty());
}

TEST_F(SentenceScorerTest, TiesKeepTheOrderOfTheText) {
  const SentenceScores scores =
      Score("deposit", {"Pets are allowed. The cat sleeps.", "Nobody pays."});
  ASSERT_EQ(scores.sentences.size(), 3U);
  EXPECT_EQ(scores.sentences[0].passage, 0U);
  EXPECT_EQ(scores.sentences[0].range.begin, 0U);
  EXPECT_EQ(scores.sentences[2].passage, 1U);
}

}  // namespace
}  // namespace sworn::retriever
