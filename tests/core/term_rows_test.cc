#include "core/term_rows.h"

#include <gtest/gtest.h>

namespace sworn {
namespace {

TEST(TermRowsTest, SortsARowAndAddsUpEqualTerms) {
  TermRows rows;
  rows.Add({{7, 1}, {3, 2}, {7, 4}});
  rows.Add({});
  rows.Add({{1, 1}});
  ASSERT_EQ(rows.size(), 3U);
  ASSERT_EQ(rows[0].size(), 2U);
  EXPECT_EQ(rows[0][0], (TermCount{3, 2}));
  EXPECT_EQ(rows[0][1], (TermCount{7, 5}));
  EXPECT_TRUE(rows[1].empty());
  EXPECT_EQ(rows[2][0], (TermCount{1, 1}));
}

TEST(TermRowsTest, EmptyRowsAtTheBeginningTakeNothingFromTheNext) {
  TermRows rows;
  rows.Add({});
  rows.Add({{5, 1}});
  EXPECT_TRUE(rows[0].empty());
  EXPECT_EQ(rows[1].size(), 1U);
}

TEST(TermRowsTest, KeysAreFnv1a) {
  EXPECT_EQ(TermKeyOf(""), 0xCBF29CE484222325U);
  EXPECT_EQ(TermKeyOf("a"), 0xAF63DC4C8601EC8CU);
  EXPECT_EQ(TermKeyOf("foobar"), 0x85944171F73967E8U);
}

TEST(TermSpreadTest, WeighsATermOfOnePassageMostAndAnEvenOneNothing) {
  TermSpread once;
  once.Add(9);
  EXPECT_DOUBLE_EQ(once.EntropyWeight(64), 1);
  TermSpread even;
  for (int i = 0; i < 64; ++i) even.Add(3);
  EXPECT_NEAR(even.EntropyWeight(64), 0, 1e-12);
  TermSpread half;
  for (int i = 0; i < 8; ++i) half.Add(1);
  EXPECT_DOUBLE_EQ(half.EntropyWeight(64), 0.5);
}

TEST(TermSpreadTest, AddsUpOverSegments) {
  TermSpread whole;
  TermSpread parts[2];
  for (const std::uint32_t count : {1U, 5U, 2U, 1U}) {
    whole.Add(count);
    parts[count % 2].Add(count);
  }
  parts[0].Add(parts[1]);
  EXPECT_DOUBLE_EQ(parts[0].EntropyWeight(100), whole.EntropyWeight(100));
}

TEST(TermSpreadTest, UnknownTermsAndTinyCollectionsHaveAWeight) {
  EXPECT_EQ(TermSpread{}.EntropyWeight(10), 0);
  TermSpread one;
  one.Add(1);
  EXPECT_EQ(one.EntropyWeight(1), 1);
}

}  // namespace
}  // namespace sworn
