#include "llm/graph/kv_cache.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::llm {
namespace {

ModelConfig SmallConfig() {
  ModelConfig config;
  config.layers = 2;
  config.kv_heads = 3;
  config.head_dim = 8;
  return config;
}

// Marks a position so that pages can be told apart.
void Write(KvCache& cache, std::size_t count, std::uint16_t mark) {
  cache.Reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t position = cache.length() + i;
    KvPage& page = cache.writable_page(position / kPagePositions);
    page.keys(1, 2)[position % kPagePositions] = mark;
    page.values(0, 1)[position % kPagePositions * 8] = mark;
  }
  cache.Advance(count);
}

std::uint16_t Mark(const KvCache& cache, std::size_t position) {
  const KvPage& page = cache.page(position / kPagePositions);
  EXPECT_EQ(page.keys(1, 2)[position % kPagePositions],
            page.values(0, 1)[position % kPagePositions * 8]);
  return page.keys(1, 2)[position % kPagePositions];
}

TEST(KvPageTest, HoldsZerosAndGivesEveryHeadItsOwnAlignedPlace) {
  const ModelConfig config = SmallConfig();
  KvPage page(config);
  constexpr std::size_t kHeadElements = 8 * 64;
  EXPECT_EQ(page.bytes(), 2U * 3 * 2 * kHeadElements * 2);
  std::uint16_t mark = 0;
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (std::size_t head = 0; head < 3; ++head) {
      for (std::uint16_t* place : {page.keys(layer, head), page.values(layer, head)}) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(place) % 64, 0U);
        for (std::size_t i = 0; i < kHeadElements; ++i) ASSERT_EQ(place[i], 0);
        ++mark;
        for (std::size_t i = 0; i < kHeadElements; ++i) place[i] = mark;
      }
    }
  }
  const KvPage copy(page);
  EXPECT_EQ(copy.keys(0, 0)[0], 1);
  EXPECT_EQ(copy.values(1, 2)[kHeadElements - 1], mark);
}

TEST(KvCacheTest, TakesPagesAsTheyAreNeededUpToItsCapacity) {
  const ModelConfig config = SmallConfig();
  KvCache cache(config, 130);
  Write(cache, 64, 1);
  Write(cache, 1, 2);
  Write(cache, 65, 3);
  EXPECT_EQ(cache.length(), 130U);
  EXPECT_EQ(Mark(cache, 63), 1);
  EXPECT_EQ(Mark(cache, 64), 2);
  EXPECT_EQ(Mark(cache, 129), 3);
  try {
    cache.Reserve(1);
    FAIL() << "beyond the capacity";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
  }
  EXPECT_EQ(cache.length(), 130U);
}

TEST(KvCacheTest, CopiesDivergeWithoutSeeingEachOther) {
  const ModelConfig config = SmallConfig();
  KvCache first(config, 256);
  Write(first, 100, 1);
  KvCache second = first;
  EXPECT_EQ(&first.page(0), &second.page(0));
  Write(first, 20, 2);
  Write(second, 20, 3);
  EXPECT_EQ(&first.page(0), &second.page(0)) << "a full page stays shared";
  EXPECT_NE(&first.page(1), &second.page(1));
  for (std::size_t position = 0; position < 100; ++position) {
    ASSERT_EQ(Mark(first, position), 1);
    ASSERT_EQ(Mark(second, position), 1);
  }
  EXPECT_EQ(Mark(first, 119), 2);
  EXPECT_EQ(Mark(second, 119), 3);
  first = second;
  EXPECT_EQ(Mark(first, 119), 3);
}

TEST(KvCacheTest, WritesAgainAfterTruncation) {
  const ModelConfig config = SmallConfig();
  KvCache cache(config, 256);
  Write(cache, 200, 1);
  cache.Truncate(70);
  EXPECT_EQ(cache.length(), 70U);
  Write(cache, 100, 2);
  EXPECT_EQ(Mark(cache, 69), 1);
  EXPECT_EQ(Mark(cache, 70), 2);
  EXPECT_EQ(Mark(cache, 169), 2);
  cache.Truncate(0);
  Write(cache, 1, 3);
  EXPECT_EQ(Mark(cache, 0), 3);
}

TEST(KvCacheTest, ASharedPageNeverChanges) {
  const ModelConfig config = SmallConfig();
  KvCache cache(config, 256);
  Write(cache, 128, 1);
  const std::shared_ptr<const KvPage> shared = cache.SharePage(0);
  cache.Truncate(10);
  Write(cache, 100, 2);
  EXPECT_EQ(shared->keys(1, 2)[63], 1);
  EXPECT_EQ(Mark(cache, 9), 1);
  EXPECT_EQ(Mark(cache, 63), 2);
}

TEST(KvCacheTest, AdoptsFullPagesAndGoesOnBehindThem) {
  const ModelConfig config = SmallConfig();
  KvCache source(config, 256);
  Write(source, 130, 1);
  const std::vector<std::shared_ptr<const KvPage>> pages = {source.SharePage(0),
                                                            source.SharePage(1)};
  KvCache cache(config, 256);
  Write(cache, 200, 9);
  cache.Adopt(pages);
  EXPECT_EQ(cache.length(), 128U);
  Write(cache, 10, 2);
  EXPECT_EQ(Mark(cache, 127), 1);
  EXPECT_EQ(Mark(cache, 137), 2);
  EXPECT_EQ(&cache.page(1), pages[1].get());
  cache.Truncate(100);
  Write(cache, 1, 3);
  EXPECT_EQ(Mark(cache, 100), 3);
  EXPECT_EQ(pages[1]->keys(1, 2)[100 - 64], 1);

  KvCache narrow(config, 127);
  EXPECT_THROW(narrow.Adopt(pages), Error);
}

}  // namespace
}  // namespace sworn::llm
