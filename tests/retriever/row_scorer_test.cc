#include "retriever/row_scorer.h"

#include <gtest/gtest.h>

#include "tests/support/fake_snapshot.h"

namespace sworn::retriever {
namespace {

class RowScorerTest : public testing::Test {
 protected:
  RowScorerTest() {
    snapshot_.Add("", {"alpha beta gamma delta"});
    snapshot_.Add("", {"alpha alpha beta gamma"});
    snapshot_.Add("", {"alpha beta gamma delta epsilon zeta eta theta iota kappa"});
    snapshot_.Add("", {"omega alpha beta gamma"});
    snapshot_.Add("", {"epsilon zeta eta theta"});
  }

  double Score(const text::KeywordQuery& query, ChunkId chunk) const {
    const RowScorer scorer(snapshot_, query, {}, 4);
    const TermRows rows = snapshot_.LoadTermRows({&chunk, 1});
    return scorer.Score(rows[0]);
  }

  test::FakeSnapshot snapshot_;
};

TEST_F(RowScorerTest, FollowsTheFormulaOfTheIndex) {
  // One of five passages has it, once in four words: rarity log(4.5 / 1.5), saturation 2.2 / 2.2.
  EXPECT_NEAR(Score({{{{"en:omega"}, 1}}, {}, {}}, 4), std::log(3.0), 1e-9);
  EXPECT_EQ(Score({{{{"en:omega"}, 1}}, {}, {}}, 1), 0);
  // Asked for twice: (k3 + 1) * 2 / (k3 + 2).
  EXPECT_NEAR(Score({{{{"en:omega"}, 2}}, {}, {}}, 4), std::log(3.0) * 4 / 3, 1e-9);
}

TEST_F(RowScorerTest, MoreOccurrencesScoreMoreAndLongPassagesLess) {
  const text::KeywordQuery query{{{{"en:alpha"}, 1}}, {}, {}};
  EXPECT_GT(Score(query, 2), Score(query, 1));
  EXPECT_LT(Score(query, 3), Score(query, 1));
}

TEST_F(RowScorerTest, APassageGetsTheBestFormOfAWordNotTheirSum) {
  const double both = Score({{{{"en:omega", "en:alpha"}, 1}}, {}, {}}, 4);
  EXPECT_EQ(both, Score({{{{"en:omega"}, 1}}, {}, {}}, 4));
}

TEST_F(RowScorerTest, WordsOfPhrasesAndIdentifiersCount) {
  text::KeywordQuery query;
  query.phrases.push_back({{{{"en:omega"}, 1}}, 1, "omega"});
  query.identifiers.push_back("en:delta");  // any term
  EXPECT_GT(Score(query, 4), 0);
  EXPECT_GT(Score(query, 1), 0);
  EXPECT_EQ(Score(query, 5), 0);
}

}  // namespace
}  // namespace sworn::retriever
