#include "llm/embed/batching.h"

#include <algorithm>
#include <iostream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sworn::llm {
namespace {

using testing::ElementsAre;

TEST(PackBatchesTest, TakesTheLongestFirstAndKeepsTheOrderOfEqualOnes) {
  const std::vector<std::size_t> lengths = {3, 9, 3, 5, 9};
  EXPECT_THAT(PackBatches(lengths, 14),
              ElementsAre(ElementsAre(1), ElementsAre(4, 3), ElementsAre(0, 2)));
}

TEST(PackBatchesTest, GivesATextThatIsTooLongABatchOfItsOwn) {
  const std::vector<std::size_t> lengths = {2, 50, 40, 1};
  EXPECT_THAT(PackBatches(lengths, 10),
              ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(0, 3)));
}

TEST(PackBatchesTest, CutsByTheNumberOfTextsToo) {
  const std::vector<std::size_t> lengths = {1, 1, 1, 1, 0};
  EXPECT_THAT(PackBatches(lengths, 10, 2),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4)));
}

TEST(PackBatchesTest, HasNoBatchForNoTexts) { EXPECT_TRUE(PackBatches({}, 10).empty()); }

TEST(PackBatchesTest, CoversEveryTextOnceWithinTheLimits) {
  const unsigned seed = 7;
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::size_t> lengths(random() % 40);
    for (std::size_t& length : lengths) length = random() % 30;
    const std::size_t max_tokens = 1 + random() % 60;
    const std::size_t max_texts = random() % 5;
    std::vector<std::size_t> seen;
    std::size_t previous_tokens = max_tokens + 1;
    for (const auto& batch : PackBatches(lengths, max_tokens, max_texts)) {
      ASSERT_FALSE(batch.empty());
      std::size_t tokens = 0;
      for (const std::size_t text : batch) tokens += lengths[text];
      EXPECT_TRUE(tokens <= max_tokens || batch.size() == 1);
      EXPECT_TRUE(max_texts == 0 || batch.size() <= max_texts);
      // No batch could have taken the first text of the next one.
      if (max_texts == 0) {
        EXPECT_GT(previous_tokens + lengths[batch.front()], max_tokens);
      }
      previous_tokens = tokens;
      seen.insert(seen.end(), batch.begin(), batch.end());
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), lengths.size());
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  }
}

}  // namespace
}  // namespace sworn::llm
