#include "retriever/fusion.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace sworn::retriever {
namespace {

using Candidates = std::vector<LegCandidate>;

std::vector<ChunkId> Order(const std::vector<FusedChunk>& chunks) {
  std::vector<ChunkId> ids;
  for (const FusedChunk& chunk : chunks) ids.push_back(chunk.chunk_id);
  return ids;
}

Candidates RandomCandidates(std::mt19937& random, std::uint32_t tiers) {
  Candidates candidates;
  for (ChunkId id = 1; id <= 30; ++id) {
    if (random() % 3 == 0) continue;
    // Few distinct scores, so that there are ties.
    candidates.push_back(
        {id, static_cast<double>(random() % 9) / 4, static_cast<std::uint32_t>(random() % tiers)});
  }
  return candidates;
}

TEST(FusionTest, DividesEachLegByItsBestAndTreatsMissingAsNothing) {
  const Candidates first = {{1, 10, 0}, {2, 5, 0}};
  const Candidates second = {{2, 0.4, 0}, {3, 0.2, 0}};
  const Leg legs[] = {{0.7, first}, {0.3, second}};
  const auto fused = FuseConvex(legs);
  ASSERT_EQ(Order(fused), (std::vector<ChunkId>{1, 2, 3}));
  EXPECT_DOUBLE_EQ(fused[0].score, 0.7);
  EXPECT_DOUBLE_EQ(fused[1].score, 0.7 * 0.5 + 0.3);
  EXPECT_DOUBLE_EQ(fused[2].score, 0.3 * 0.5);
  EXPECT_EQ(fused[1].legs[0].rank, 2U);
  EXPECT_EQ(fused[1].legs[1].rank, 1U);
  EXPECT_EQ(fused[2].legs[0].rank, 0U);
}

TEST(FusionTest, WeightsAreRelative) {
  const Candidates first = {{1, 3, 0}};
  const Leg legs[] = {{7, first}, {3, {}}};
  EXPECT_DOUBLE_EQ(FuseConvex(legs)[0].score, 0.7);
}

TEST(FusionTest, ALegWithoutAPositiveScoreAddsNothing) {
  const Candidates first = {{1, 2, 0}, {2, 1, 0}};
  const Candidates second = {{2, -0.1, 0}, {3, -0.9, 0}};
  const Leg legs[] = {{0.5, first}, {0.5, second}};
  EXPECT_EQ(Order(FuseConvex(legs)), (std::vector<ChunkId>{1, 2, 3}));
  EXPECT_TRUE(FuseConvex({}).empty());
}

TEST(FusionTest, TiesFallToTheSmallerId) {
  const Candidates candidates = {{9, 1, 0}, {4, 1, 0}, {7, 1, 0}};
  const Leg legs[] = {{1, candidates}};
  EXPECT_EQ(Order(FuseConvex(legs)), (std::vector<ChunkId>{4, 7, 9}));
  EXPECT_EQ(Order(FuseReciprocalRank(legs)), (std::vector<ChunkId>{4, 7, 9}));
}

TEST(FusionProperty, TheOrderOfAListDoesNotMatter) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Candidates first = RandomCandidates(random, 3);
    Candidates second = RandomCandidates(random, 1);
    const Leg legs[] = {{0.8, first}, {0.2, second}};
    const auto convex = FuseConvex(legs);
    const auto reciprocal = FuseReciprocalRank(legs);
    std::shuffle(first.begin(), first.end(), random);
    std::shuffle(second.begin(), second.end(), random);
    const auto again = FuseConvex(legs);
    ASSERT_EQ(Order(again), Order(convex));
    for (std::size_t i = 0; i < again.size(); ++i) ASSERT_EQ(again[i].score, convex[i].score);
    ASSERT_EQ(Order(FuseReciprocalRank(legs)), Order(reciprocal));
  }
}

TEST(FusionProperty, AHigherTierIsNeverOutranked) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    const Candidates first = RandomCandidates(random, 3);
    const Candidates second = RandomCandidates(random, 1);
    const Leg legs[] = {{0.3, first}, {0.7, second}};
    for (const auto& fused : {FuseConvex(legs), FuseReciprocalRank(legs)}) {
      for (std::size_t i = 1; i < fused.size(); ++i) ASSERT_GE(fused[i - 1].tier, fused[i].tier);
    }
  }
}

TEST(FusionProperty, ABetterScoreNeverHurtsAndScoresStayWithinOne) {
  std::mt19937 random(13);
  for (int round = 0; round < 200; ++round) {
    Candidates first = RandomCandidates(random, 1);
    const Candidates second = RandomCandidates(random, 1);
    const Leg legs[] = {{0.6, first}, {0.4, second}};
    LegCandidate& raised = first[random() % first.size()];
    const auto rank_of = [&](ChunkId id) {
      const auto order = Order(FuseConvex(legs));
      return std::find(order.begin(), order.end(), id) - order.begin();
    };
    const auto before = rank_of(raised.chunk_id);
    raised.score += 0.5;
    ASSERT_LE(rank_of(raised.chunk_id), before);
    for (const FusedChunk& chunk : FuseConvex(legs)) {
      ASSERT_GE(chunk.score, 0);
      ASSERT_LE(chunk.score, 1 + 1e-12);
    }
  }
}

}  // namespace
}  // namespace sworn::retriever
