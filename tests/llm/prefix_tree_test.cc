#include "llm/decode/prefix_tree.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace sworn::llm {
namespace {

ModelConfig TinyConfig() {
  ModelConfig config;
  config.layers = 1;
  config.kv_heads = 1;
  config.head_dim = 4;
  return config;
}

std::vector<Token> Tokens(std::size_t count, Token first = 0) {
  std::vector<Token> tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

class PrefixTreeTest : public testing::Test {
 protected:
  [[nodiscard]] PrefixTree::Pages NewPages(std::size_t count) const {
    PrefixTree::Pages pages;
    for (std::size_t i = 0; i < count; ++i) pages.push_back(std::make_shared<KvPage>(config_));
    return pages;
  }

  const ModelConfig config_ = TinyConfig();
  const std::size_t page_bytes_ = KvPage(config_).bytes();
};

TEST_F(PrefixTreeTest, FindsTheLongestStoredBeginning) {
  PrefixTree tree(100 * page_bytes_);
  const auto tokens = Tokens(200);
  const auto pages = NewPages(3);
  EXPECT_TRUE(tree.Find("p", tokens).empty());
  tree.Insert("p", tokens, pages);
  EXPECT_EQ(tree.Find("p", tokens), pages);
  EXPECT_EQ(tree.Find("p", std::span(tokens).first(191)).size(), 2U);
  EXPECT_EQ(tree.Find("p", std::span(tokens).first(63)).size(), 0U);
  EXPECT_EQ(tree.bytes(), 3 * page_bytes_);

  // One token that differs ends the match at the page before it.
  auto other = tokens;
  other[130] = -1;
  EXPECT_EQ(tree.Find("p", other).size(), 2U);
  other[0] = -1;
  EXPECT_EQ(tree.Find("p", other).size(), 0U);
}

TEST_F(PrefixTreeTest, SharesNothingBetweenPartitions) {
  PrefixTree tree(100 * page_bytes_);
  const auto tokens = Tokens(64);
  tree.Insert("alice", tokens, NewPages(1));
  EXPECT_TRUE(tree.Find("bob", tokens).empty());
  EXPECT_TRUE(tree.Find("", tokens).empty());
  EXPECT_EQ(tree.Find("alice", tokens).size(), 1U);
}

TEST_F(PrefixTreeTest, KeepsTheFirstOfEqualPages) {
  PrefixTree tree(100 * page_bytes_);
  const auto tokens = Tokens(128);
  const auto first = NewPages(1);
  tree.Insert("p", tokens, first);
  tree.Insert("p", tokens, NewPages(2));
  EXPECT_EQ(tree.Find("p", tokens)[0], first[0]);
  EXPECT_EQ(tree.bytes(), 2 * page_bytes_);
}

TEST_F(PrefixTreeTest, DropsWhatWasLongestUnusedFromTheEnd) {
  PrefixTree tree(4 * page_bytes_);
  const auto a = Tokens(128, 0);
  const auto b = Tokens(128, 1'000);
  const auto c = Tokens(64, 2'000);
  tree.Insert("p", a, NewPages(2));
  tree.Insert("p", b, NewPages(2));
  EXPECT_EQ(tree.Find("p", a).size(), 2U);  // now b is older
  tree.Insert("p", c, NewPages(1));
  EXPECT_EQ(tree.Find("p", a).size(), 2U);
  EXPECT_EQ(tree.Find("p", b).size(), 1U);
  EXPECT_EQ(tree.Find("p", c).size(), 1U);
  EXPECT_EQ(tree.bytes(), 4 * page_bytes_);
}

TEST_F(PrefixTreeTest, LeavesOutTheEndOfWhatDoesNotFit) {
  PrefixTree tree(3 * page_bytes_ + 1);
  const auto tokens = Tokens(640);
  tree.Insert("p", tokens, NewPages(10));
  EXPECT_EQ(tree.Find("p", tokens).size(), 3U);
  EXPECT_EQ(tree.bytes(), 3 * page_bytes_);
  PrefixTree none(0);
  none.Insert("p", tokens, NewPages(10));
  EXPECT_TRUE(none.Find("p", tokens).empty());
  EXPECT_EQ(none.bytes(), 0U);
}

TEST_F(PrefixTreeTest, AgreesWithItselfUnderRandomUse) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  PrefixTree tree(20 * page_bytes_);
  for (int round = 0; round < 2'000; ++round) {
    // Prompts that share beginnings: each page is one of two.
    std::vector<Token> tokens;
    const std::size_t count = random() % 8;
    for (std::size_t page = 0; page < count; ++page) {
      tokens.insert(tokens.end(), kPagePositions, static_cast<Token>(random() % 2));
    }
    const std::string partition = random() % 3 == 0 ? "a" : "b";
    auto pages = tree.Find(partition, tokens);
    ASSERT_LE(pages.size(), count);
    const auto missing = NewPages(count - pages.size());
    pages.insert(pages.end(), missing.begin(), missing.end());
    tree.Insert(partition, tokens, pages);
    ASSERT_EQ(tree.Find(partition, tokens), pages);
    ASSERT_LE(tree.bytes(), 20 * page_bytes_);
  }
}

using PrefixTreeThreads = PrefixTreeTest;

TEST_F(PrefixTreeThreads, ServesSeveralThreads) {
  PrefixTree tree(6 * page_bytes_);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        const auto tokens = Tokens(192, (i + round) % 3);
        const auto found = tree.Find("p", tokens);
        if (found.size() < 3) tree.Insert("p", tokens, NewPages(3));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(tree.bytes(), 6 * page_bytes_);
}

}  // namespace
}  // namespace sworn::llm
