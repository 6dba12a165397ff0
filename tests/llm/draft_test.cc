#include "llm/decode/draft.h"

#include <vector>

#include <gtest/gtest.h>

namespace sworn::llm {
namespace {

void AppendAll(Drafter& drafter, const std::vector<Token>& tokens) {
  for (const Token token : tokens) drafter.Append(token);
}

TEST(Drafter, CopiesWhatFollowedBefore) {
  Drafter drafter;
  EXPECT_TRUE(drafter.Propose().empty());
  AppendAll(drafter, {10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  EXPECT_TRUE(drafter.Propose().empty());
  AppendAll(drafter, {10, 11});
  EXPECT_EQ(drafter.Propose(), (std::vector<Token>{12, 13}));
  AppendAll(drafter, {12, 13});
  EXPECT_EQ(drafter.Propose(), (std::vector<Token>{14, 15, 16, 17, 18}));
  AppendAll(drafter, {99});
  EXPECT_TRUE(drafter.Propose().empty());
}

TEST(Drafter, StopsAtTheEndOfTheText) {
  Drafter drafter;
  AppendAll(drafter, {5, 5, 5});
  EXPECT_EQ(drafter.Propose(), (std::vector<Token>{5}));
}

TEST(Drafter, GuessesLessAfterFailuresAndMoreAgainAfterSuccess) {
  Drafter drafter;
  AppendAll(drafter, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2});
  EXPECT_EQ(drafter.Propose().size(), 2U);
  for (int i = 0; i < 10; ++i) drafter.Report(2, 0);
  EXPECT_TRUE(drafter.Propose().empty());
  AppendAll(drafter, {3, 4});
  EXPECT_EQ(drafter.Propose().size(), 2U);
  drafter.Report(2, 2);
  drafter.Report(0, 0);
  EXPECT_EQ(drafter.Propose().size(), kMaxDraft);
}

}  // namespace
}  // namespace sworn::llm
