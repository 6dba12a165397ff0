#include "indexer/ordered_parallel.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace sworn::indexer {
namespace {

TEST(OrderedParallelTest, ConsumesInOrderWhateverTheThreads) {
  for (const std::size_t threads : {1, 2, 7}) {
    std::vector<std::size_t> seen;
    ForEachOrdered<std::size_t>(
        500, threads, 8, [](std::size_t i) { return i * i; },
        [&](std::size_t i, std::size_t result) {
          EXPECT_EQ(result, i * i);
          seen.push_back(i);
        });
    ASSERT_EQ(seen.size(), 500U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  }
}

TEST(OrderedParallelTest, NeverRunsFurtherAheadThanTheWindow) {
  std::atomic<std::size_t> produced{0};
  std::size_t consumed = 0;
  ForEachOrdered<int>(
      200, 3, 5,
      [&](std::size_t) {
        ++produced;
        return 0;
      },
      [&](std::size_t, int) {
        EXPECT_LE(produced.load(), consumed + 5 + 1);
        ++consumed;
      });
  EXPECT_EQ(consumed, 200U);
}

TEST(OrderedParallelTest, AFailureOfEitherSideStopsTheWork) {
  const auto ok = [](std::size_t) { return 1; };
  EXPECT_THROW(ForEachOrdered<int>(
                   100, 2, 4,
                   [](std::size_t i) {
                     if (i == 50) throw std::runtime_error("producer");
                     return 1;
                   },
                   [](std::size_t, int) {}),
               std::runtime_error);
  EXPECT_THROW(ForEachOrdered<int>(100, 2, 4, ok,
                                   [](std::size_t i, int) {
                                     if (i == 50) throw std::runtime_error("consumer");
                                   }),
               std::runtime_error);
}

TEST(OrderedParallelTest, NothingToDoIsDone) {
  ForEachOrdered<int>(
      0, 2, 4, [](std::size_t) { return 1; }, [](std::size_t, int) { FAIL(); });
}

}  // namespace
}  // namespace sworn::indexer
