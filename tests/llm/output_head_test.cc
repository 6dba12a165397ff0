#include "llm/graph/output_head.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include <gtest/gtest.h>

#include "core/error.h"
#include "llm/files/dequantize.h"
#include "llm/graph/head_search.h"
#include "tests/llm/head_matrices.h"

namespace sworn::llm {
namespace {

const kernels::KernelTable& Best() { return *kernels::FindKernels(""); }

std::vector<TokenLogit> SortedLogits(const OutputHead& head, std::span<const float> hidden,
                                     std::size_t count, ThreadTeam& team) {
  std::vector<float> logits(head.vocabulary());
  head.Logits(hidden, 1, team, logits.data());
  std::vector<TokenLogit> sorted;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    sorted.push_back({static_cast<Token>(i), logits[i]});
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const TokenLogit& a, const TokenLogit& b) {
    return (std::isnan(a.logit) ? -std::numeric_limits<float>::infinity() : a.logit) >
           (std::isnan(b.logit) ? -std::numeric_limits<float>::infinity() : b.logit);
  });
  sorted.resize(std::min(count, sorted.size()));
  return sorted;
}

void ExpectSameBits(const std::vector<TokenLogit>& found, const std::vector<TokenLogit>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].token, expected[i].token) << "place " << i;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i].logit),
              std::bit_cast<std::uint32_t>(expected[i].logit))
        << "place " << i;
  }
}

void CheckBest(const HeadCase& made, const OutputHead& head, std::size_t states, std::size_t count,
               ThreadTeam& team) {
  SCOPED_TRACE(made.name + ", " + std::to_string(states) + " states, best " +
               std::to_string(count) + ", " + std::to_string(team.size()) + " threads");
  const auto best =
      head.Best(std::span(made.hidden).first(states * made.columns), states, count, team);
  ASSERT_EQ(best.size(), states);
  for (std::size_t t = 0; t < states; ++t) {
    ExpectSameBits(
        best[t], SortedLogits(head, std::span(made.hidden).subspan(t * made.columns, made.columns),
                              count, team));
  }
}

TEST(OutputHead, BestIsTheSortedLogitsBitByBitForEveryMatrix) {
  for (const NamedHeadCase& named : HeadCases()) {
    const auto made = named.make();
    ThreadTeam team(2);
    const OutputHead head(made->file, made->matrix(), Best(), team);
    EXPECT_EQ(head.coarse_bytes() > 0, made->name != "weights beyond the range of the bounds");
    for (const std::size_t count : {1, 40, 250}) CheckBest(*made, head, 1, count, team);
    CheckBest(*made, head, kHeadStates, 7, team);
  }
}

TEST(OutputHead, BestDoesNotDependOnThreadsOrOnHowManyStatesAreAskedTogether) {
  const auto made = RandomHeadCase();
  for (const std::size_t threads : {1, 2, 3}) {
    ThreadTeam team(threads);
    const OutputHead head(made->file, made->matrix(), Best(), team);
    for (std::size_t states = 1; states <= kHeadStates; ++states) {
      CheckBest(*made, head, states, 3 * states, team);
    }
  }
}

TEST(OutputHead, BestIsTheSameOnEveryKernelTable) {
  const auto made = RandomHeadCase();
  ThreadTeam team(2);
  for (const kernels::KernelTable* table : kernels::RunnableKernels()) {
    SCOPED_TRACE(table->name);
    const OutputHead head(made->file, made->matrix(), *table, team);
    CheckBest(*made, head, 2, 40, team);
  }
}

TEST(OutputHead, AnyNumberOfLogitsCanBeAskedFor) {
  const auto made = RandomHeadCase();
  ThreadTeam team(2);
  const OutputHead head(made->file, made->matrix(), Best(), team);
  for (const std::size_t count : {std::size_t{0}, std::size_t{256}, std::size_t{257},
                                  std::size_t{1'000}, made->rows, made->rows + 1}) {
    CheckBest(*made, head, 2, count, team);
  }
}

TEST(OutputHead, TheSearchReadsFewRowsOfARandomMatrix) {
  const auto made = RandomHeadCase();
  ThreadTeam team(1);
  const CoarseMatrix coarse(made->file, made->matrix(), Best(), team);
  HeadSearch search(made->file, made->matrix(), Best(), coarse,
                    std::span(made->hidden).first(made->columns), 1, 1, team);
  ASSERT_TRUE(search.usable());
  search.Run();
  EXPECT_EQ(search.counts().panels, coarse.panels());
  EXPECT_LT(search.counts().exact_rows, made->rows / 20);
}

TEST(OutputHead, TheHighPlaneIsEnoughWhereOneRowIsFarAhead) {
  auto made = RandomHeadCase();
  std::vector<float> row(made->columns);
  WidenRow(made->matrix(), 3, Best(), row.data());
  ThreadTeam team(1);
  const CoarseMatrix coarse(made->file, made->matrix(), Best(), team);
  // A state in the direction of row 3: a logit of 18 standard deviations of the others.
  HeadSearch search(made->file, made->matrix(), Best(), coarse, row, 1, 1, team);
  ASSERT_TRUE(search.usable());
  EXPECT_EQ(search.Run()[0][0].token, 3);
  EXPECT_LT(search.counts().low_planes, coarse.panels() / 4);
}

TEST(OutputHead, SmallMatricesHaveNoCoarseCopy) {
  const std::vector<float> values(100 * 64, 0.5F);
  auto made = MakeHeadCase("small", values, 64, DType::kF32, std::vector<float>(64, 1.0F));
  ThreadTeam team(2);
  const OutputHead head(made->file, made->matrix(), Best(), team);
  EXPECT_EQ(head.coarse_bytes(), 0U);
  EXPECT_EQ(head.vocabulary(), 100U);
  CheckBest(*made, head, 1, 5, team);
}

TEST(OutputHead, LogitsAreTheDotProductsWhateverTheThreads) {
  const auto made = HeadCases()[1].make();
  std::vector<float> expected;
  for (const std::size_t threads : {1, 3}) {
    ThreadTeam team(threads);
    const OutputHead head(made->file, made->matrix(), Best(), team);
    std::vector<float> logits(2 * made->rows);
    head.Logits(std::span(made->hidden).first(2 * made->columns), 2, team, logits.data());
    if (expected.empty()) expected = logits;
    EXPECT_EQ(logits, expected);
  }
  std::vector<float> row(made->columns);
  for (std::size_t r = 0; r < made->rows; r += 97) {
    WidenRow(made->matrix(), r, Best(), row.data());
    double exact = 0;
    for (std::size_t c = 0; c < made->columns; ++c) {
      exact += double{row[c]} * made->hidden[made->columns + c];
    }
    EXPECT_NEAR(expected[made->rows + r], exact, 1e-5);
  }
}

TEST(OutputHead, LogitsOfSomeTokensHaveTheBitsOfAllLogits) {
  const auto made = RandomHeadCase();
  ThreadTeam team(2);
  const OutputHead head(made->file, made->matrix(), Best(), team);
  std::vector<float> logits(made->rows);
  const auto hidden = std::span(made->hidden).first(made->columns);
  head.Logits(hidden, 1, team, logits.data());
  const std::vector<Token> tokens = {4'104, 0, 17, 17};
  std::vector<float> some(tokens.size());
  head.LogitsOf(hidden, tokens, some.data());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(some[i], logits[static_cast<std::size_t>(tokens[i])]);
  }
}

TEST(OutputHead, WhatIsNoNumberInADamagedModelComesLast) {
  std::vector<float> values(5'000 * 256, 0.25F);
  values[7 * 256] = std::nanf("");
  values[9 * 256 + 1] = std::numeric_limits<float>::infinity();
  auto made = MakeHeadCase("damaged", values, 256, DType::kF32, std::vector<float>(256, 1.0F));
  ThreadTeam team(2);
  const OutputHead head(made->file, made->matrix(), Best(), team);
  const auto best = head.Best(made->hidden, 1, 5'000, team);
  EXPECT_EQ(best[0].front().token, 9);
  EXPECT_EQ(best[0].back().token, 7);
  CheckBest(*made, head, 1, 3, team);
  // The same for a state.
  auto sound = MakeHeadCase("sound", std::vector<float>(5'000 * 256, 0.25F), 256, DType::kF32,
                            std::vector<float>(256, std::nanf("")));
  const OutputHead other(sound->file, sound->matrix(), Best(), team);
  EXPECT_EQ(other.Best(sound->hidden, 1, 1, team)[0][0].token, 0);
}

TEST(OutputHead, RefusesWhatIsNoMatrixOfNumbers) {
  ThreadTeam team(1);
  test::ModelInMemory file;
  file.Add("vector", DType::kF32, {4}, std::vector<std::uint8_t>(16));
  file.Add("panels", DType::kPanels, {64, 64}, std::vector<std::uint8_t>(1'024));
  EXPECT_THROW(OutputHead(file, *file.Find("vector"), Best(), team), Error);
  EXPECT_THROW(OutputHead(file, *file.Find("panels"), Best(), team), Error);
}

}  // namespace
}  // namespace sworn::llm
