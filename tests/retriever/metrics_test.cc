#include "retriever/metrics.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::retriever {
namespace {

using Ids = std::vector<std::string>;

TEST(MetricsTest, NdcgIsGradedAndDividedByTheIdealOrder) {
  const Judgements judgements = {{"a", 3}, {"b", 1}, {"c", 0}, {"d", 2}};
  const double ideal = 3 + 2 / std::log2(3.0) + 1 / 2.0;
  EXPECT_DOUBLE_EQ(NdcgAt(Ids{"a", "d", "b"}, judgements, 10), 1);
  EXPECT_DOUBLE_EQ(NdcgAt(Ids{"x", "b", "c", "a"}, judgements, 10),
                   (1 / std::log2(3.0) + 3 / std::log2(5.0)) / ideal);
  EXPECT_DOUBLE_EQ(NdcgAt(Ids{"x", "a"}, judgements, 1), 0);
  EXPECT_DOUBLE_EQ(NdcgAt(Ids{}, judgements, 10), 0);
  EXPECT_DOUBLE_EQ(NdcgAt(Ids{"a"}, {{"a", 0}}, 10), 0);
}

TEST(MetricsTest, TheIdealStopsAtTheDepth) {
  const Judgements judgements = {{"a", 1}, {"b", 1}, {"c", 1}};
  EXPECT_DOUBLE_EQ(NdcgAt(Ids{"a", "b"}, judgements, 2), 1);
}

TEST(MetricsTest, RecallAndReciprocalRankCountRelevantOnly) {
  const Judgements judgements = {{"a", 2}, {"b", 1}, {"c", 0}};
  EXPECT_DOUBLE_EQ(RecallAt(Ids{"c", "a", "x"}, judgements, 100), 0.5);
  EXPECT_DOUBLE_EQ(RecallAt(Ids{"c", "a", "b"}, judgements, 2), 0.5);
  EXPECT_DOUBLE_EQ(ReciprocalRank(Ids{"c", "x", "b"}, judgements), 1.0 / 3);
  EXPECT_DOUBLE_EQ(ReciprocalRank(Ids{"c"}, judgements), 0);
  EXPECT_DOUBLE_EQ(RecallAt(Ids{"c"}, {{"c", 0}}, 10), 0);
  EXPECT_DOUBLE_EQ(Mean(std::vector<double>{1, 0, 0.5}), 0.5);
  EXPECT_DOUBLE_EQ(Mean({}), 0);
}

TEST(SignFlipTest, EqualListsDoNotDiffer) {
  const std::vector<double> a = {0.1, 0.7, 0.4};
  EXPECT_DOUBLE_EQ(SignFlipPValue(a, a), 1);
  EXPECT_DOUBLE_EQ(SignFlipPValue({}, {}), 1);
  EXPECT_THROW(SignFlipPValue(a, std::vector<double>{1}), Error);
}

TEST(SignFlipTest, AConstantGainOfManyPairsIsSignificant) {
  std::vector<double> a(30, 0.5);
  std::vector<double> b(30, 0.4);
  EXPECT_LT(SignFlipPValue(a, b), 0.001);
  EXPECT_DOUBLE_EQ(SignFlipPValue(a, b), SignFlipPValue(b, a));
}

TEST(SignFlipTest, FewPairsGiveTheExactShareOfFlips) {
  // Of 2^3 sign patterns two reach the sum of three equal gains: p = 1/4.
  const std::vector<double> a = {1, 1, 1};
  const std::vector<double> b = {0.9, 0.9, 0.9};
  EXPECT_DOUBLE_EQ(SignFlipPValue(a, b), 0.25);
  // One that cancels another: every flip is as extreme as nothing.
  EXPECT_DOUBLE_EQ(SignFlipPValue(std::vector<double>{1, 0}, std::vector<double>{0, 1}), 1);
  // 3 + 2 + 1 of 3, 2, 1 is reached by 2 of 8 patterns, 3 + 2 - 1 by those and 2 more.
  EXPECT_DOUBLE_EQ(SignFlipPValue(std::vector<double>{3, 2, 1}, std::vector<double>{0, 0, 0}), .25);
  EXPECT_DOUBLE_EQ(SignFlipPValue(std::vector<double>{3, 2, 0}, std::vector<double>{0, 0, 1}), .5);
}

TEST(SignFlipTest, DrawnPatternsAgreeWithAllPatterns) {
  // The same differences, once few enough to count and once beside pairs too small to matter.
  std::vector<double> a = {.9013, .3127, -.2231, .5057, .4119, -.1371, .7177, -.6043, .2591, .1009};
  const std::vector<double> none(a.size(), 0);
  const double exact = SignFlipPValue(a, none);
  EXPECT_GT(exact, 0.01);
  EXPECT_LT(exact, 0.2);
  a.resize(kMaxExactPairs + 10, 1e-9);
  EXPECT_NEAR(SignFlipPValue(a, std::vector<double>(a.size(), 0)), exact, 0.006);
}

TEST(PercentileTest, IsTheNearestRank) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_DOUBLE_EQ(Percentile(values, 0.5), 3);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.99), 5);
  EXPECT_DOUBLE_EQ(Percentile(values, 0.2), 1);
  EXPECT_DOUBLE_EQ(Percentile(values, 0), 1);
  EXPECT_DOUBLE_EQ(Percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace sworn::retriever
