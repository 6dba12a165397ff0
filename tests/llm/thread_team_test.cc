#include "llm/graph/thread_team.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::llm {
namespace {

// Adds up plain memory that the members wrote, so that a missing happens-before edge is a data race
// the thread sanitizer sees.
std::uint64_t SumOfSquares(ThreadTeam& team, std::size_t count) {
  std::vector<std::uint64_t> squares(count);
  team.For(count, [&](std::size_t i, std::size_t) { squares[i] += i * i; });
  return std::accumulate(squares.begin(), squares.end(), std::uint64_t{0});
}

std::uint64_t ExpectedSum(std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += i * i;
  return sum;
}

class ThreadTeamTest : public testing::TestWithParam<std::size_t> {};

TEST_P(ThreadTeamTest, CallsEveryIndexOnce) {
  ThreadTeam team(GetParam());
  EXPECT_EQ(team.size(), GetParam());
  for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 64U, 1000U}) {
    std::vector<std::atomic<int>> calls(count);
    team.For(count, [&](std::size_t i, std::size_t) { ++calls[i]; });
    for (const auto& call : calls) EXPECT_EQ(call.load(), 1);
  }
}

TEST_P(ThreadTeamTest, NamesItsMembersBelowItsSizeAndNeverTwoAtOnce) {
  ThreadTeam team(GetParam());
  std::vector<std::uint64_t> per_thread(team.size());  // not atomic: a member has its slot alone
  for (int step = 0; step < 200; ++step) {
    team.For(50, [&](std::size_t, std::size_t thread) {
      ASSERT_LT(thread, per_thread.size());
      ++per_thread[thread];
    });
  }
  EXPECT_EQ(std::accumulate(per_thread.begin(), per_thread.end(), std::uint64_t{0}), 200U * 50U);
}

TEST_P(ThreadTeamTest, ShowsTheCallerWhatItsMembersWrote) {
  ThreadTeam team(GetParam());
  for (std::size_t step = 0; step < 2000; ++step) {
    ASSERT_EQ(SumOfSquares(team, step % 37), ExpectedSum(step % 37)) << step;
  }
}

TEST_P(ThreadTeamTest, GoesOnAfterItsMembersFellAsleep) {
  ThreadTeam team(GetParam());
  for (int pause = 0; pause < 10; ++pause) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ASSERT_EQ(SumOfSquares(team, 100), ExpectedSum(100));
  }
}

TEST_P(ThreadTeamTest, ServesCallersOneAfterTheOther) {
  ThreadTeam team(GetParam());
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&team, caller] {
      for (std::size_t step = 0; step < 300; ++step) {
        const std::size_t count = 10 + (caller * 7 + step) % 20;
        ASSERT_EQ(SumOfSquares(team, count), ExpectedSum(count));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

// 5 and 9 are more than most test machines have cores: members sleep instead of spinning.
INSTANTIATE_TEST_SUITE_P(Sizes, ThreadTeamTest, testing::Values(1, 2, 3, 5, 9));

TEST(ThreadTeamTest, WaitsForAMemberThatIsStillAtWork) {
  ThreadTeam team(2);
  std::vector<int> done(2);
  team.For(2, [&](std::size_t i, std::size_t thread) {
    if (thread != 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    if (thread == 0 && i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    done[i] = 1;
  });
  EXPECT_EQ(done, (std::vector<int>{1, 1}));
}

TEST(ThreadTeamTest, RefusesNoThreadAndTooMany) {
  EXPECT_THROW(ThreadTeam(0), Error);
  EXPECT_THROW(ThreadTeam(257), Error);
}

TEST(ThreadTeamTest, KnowsAtLeastOneCore) { EXPECT_GE(AvailableCores(), 1U); }

}  // namespace
}  // namespace sworn::llm
