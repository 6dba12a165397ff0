// The bits of a hidden state depend on the tokens up to it and on nothing else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/llm/engine_fixture.h"

namespace sworn::llm {
namespace {

using sworn::test::MakeTinyModel;
using sworn::test::TempFolder;
using sworn::test::TinyModel;
using test::Bits;
using test::ForwardAll;
using test::LoadTiny;
using test::RandomTokens;

constexpr std::size_t kHidden = 128;
constexpr std::size_t kContext = 512;
using States = std::vector<std::uint32_t>;  // [tokens, kHidden]

// Rows begin to end - 1.
States Rows(const States& states, std::size_t begin, std::size_t end) {
  return {states.begin() + static_cast<std::ptrdiff_t>(begin * kHidden),
          states.begin() + static_cast<std::ptrdiff_t>(end * kHidden)};
}

class TransformerBitsTest : public testing::Test {
 protected:
  TransformerBitsTest() : model_(Load(*kernels::FindKernels(""))) {}

  std::shared_ptr<const Model> Load(const kernels::KernelTable& kernels) {
    return LoadTiny(tiny_, folder_, kernels, team_);
  }
  // All states of `tokens`, computed cold in one call.
  States Cold(std::span<const Token> tokens) {
    KvCache cache(model_->config(), kContext);
    return ForwardAll(transformer_, tokens, cache);
  }
  std::vector<Token> Tokens(std::size_t count, std::uint64_t seed) {
    return RandomTokens(count, model_->config().vocabulary, seed);
  }

  TempFolder folder_;
  TinyModel tiny_ = MakeTinyModel({.hidden = kHidden, .ffn = 384, .seed = 11});
  ThreadTeam team_{2};
  std::shared_ptr<const Model> model_;
  Transformer transformer_{*model_, team_};
  CancelFlag cancel_;
};

TEST_F(TransformerBitsTest, StayInEverySplitIntoCallsOnEveryNumberOfThreads) {
  const auto tokens = Tokens(200, 1);
  const States expected = Cold(tokens);
  for (const std::size_t threads : {1U, 2U, 3U}) {
    ThreadTeam team(threads);
    Transformer transformer(*model_, team);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE("threads " + std::to_string(threads) + ", seed " + std::to_string(seed));
      std::mt19937_64 random(seed);
      const std::size_t largest = std::vector<std::size_t>{1, 7, 70, 150}[seed];
      KvCache cache(model_->config(), kContext);
      States states;
      while (cache.length() < tokens.size()) {
        const std::size_t count =
            std::min<std::size_t>(1 + random() % largest, tokens.size() - cache.length());
        const States part =
            ForwardAll(transformer, std::span(tokens).subspan(cache.length(), count), cache);
        states.insert(states.end(), part.begin(), part.end());
      }
      ASSERT_EQ(states, expected);
    }
  }
}

TEST_F(TransformerBitsTest, StayAcrossTheBlocksOfALongPrompt) {
  const auto tokens = Tokens(420, 2);
  const States expected = Cold(tokens);
  KvCache cache(model_->config(), kContext);
  States states = ForwardAll(transformer_, std::span(tokens).first(100), cache);
  const States rest = ForwardAll(transformer_, std::span(tokens).subspan(100), cache);
  states.insert(states.end(), rest.begin(), rest.end());
  EXPECT_EQ(states, expected);
}

TEST_F(TransformerBitsTest, StayForTheLastStatesWhenFewAreWanted) {
  const auto tokens = Tokens(310, 3);
  const States expected = Cold(tokens);
  for (const std::size_t want : {0U, 1U, 3U, 21U, 22U, 23U, 100U, 309U}) {
    KvCache cache(model_->config(), kContext);
    EXPECT_EQ(Bits(transformer_.Forward(tokens, want, cache, cancel_)),
              Rows(expected, tokens.size() - want, tokens.size()))
        << want;
    // What the cache holds does not depend on it either.
    const std::vector<Token> next = {7};
    auto longer = tokens;
    longer.push_back(7);
    EXPECT_EQ(ForwardAll(transformer_, next, cache), Rows(Cold(longer), 310, 311)) << want;
  }
}

TEST_F(TransformerBitsTest, AreTheSameOnEveryKernelTable) {
  const auto tokens = Tokens(100, 4);
  const States expected = Cold(tokens);
  for (const kernels::KernelTable* table : kernels::RunnableKernels()) {
    SCOPED_TRACE(table->name);
    const auto model = Load(*table);
    Transformer transformer(*model, team_);
    KvCache cache(model->config(), kContext);
    States states = ForwardAll(transformer, std::span(tokens).first(93), cache);
    for (std::size_t t = 93; t < tokens.size(); ++t) {
      const States one = ForwardAll(transformer, std::span(tokens).subspan(t, 1), cache);
      states.insert(states.end(), one.begin(), one.end());
    }
    ASSERT_EQ(states, expected);
  }
}

TEST_F(TransformerBitsTest, StayBehindAdoptedPages) {
  const auto tokens = Tokens(180, 5);
  const States expected = Cold(tokens);
  KvCache source(model_->config(), kContext);
  ForwardAll(transformer_, std::span(tokens).first(150), source);
  for (const std::size_t pages : {1U, 2U}) {
    std::vector<std::shared_ptr<const KvPage>> shared;
    for (std::size_t page = 0; page < pages; ++page) shared.push_back(source.SharePage(page));
    KvCache cache(model_->config(), kContext);
    cache.Adopt(shared);
    EXPECT_EQ(ForwardAll(transformer_, std::span(tokens).subspan(64 * pages), cache),
              Rows(expected, 64 * pages, tokens.size()));
  }
}

TEST_F(TransformerBitsTest, StayAfterTruncation) {
  const auto tokens = Tokens(180, 6);
  const auto other = Tokens(180, 7);
  const States expected = Cold(tokens);
  for (const std::size_t keep : {0U, 1U, 63U, 64U, 65U, 127U, 150U}) {
    KvCache cache(model_->config(), kContext);
    ForwardAll(transformer_, std::span(tokens).first(keep), cache);
    ForwardAll(transformer_, std::span(other).subspan(keep), cache);
    cache.Truncate(keep);
    EXPECT_EQ(ForwardAll(transformer_, std::span(tokens).subspan(keep), cache),
              Rows(expected, keep, tokens.size()))
        << keep;
  }
}

TEST_F(TransformerBitsTest, StayInCopiesOfACacheThatDiverge) {
  const auto first = Tokens(170, 8);
  auto second = Tokens(170, 9);
  std::copy_n(first.begin(), 100, second.begin());
  const States expected_first = Cold(first);
  const States expected_second = Cold(second);

  KvCache cache(model_->config(), kContext);
  ForwardAll(transformer_, std::span(first).first(100), cache);
  KvCache copy = cache;
  for (std::size_t t = 100; t < 170; t += 14) {
    EXPECT_EQ(ForwardAll(transformer_, std::span(first).subspan(t, 14), cache),
              Rows(expected_first, t, t + 14));
    EXPECT_EQ(ForwardAll(transformer_, std::span(second).subspan(t, 14), copy),
              Rows(expected_second, t, t + 14));
  }
}

TEST_F(TransformerBitsTest, StayWhenGenerationsShareAModelAndATeam) {
  const auto first = Tokens(120, 10);
  const auto second = Tokens(120, 11);
  const States expected[] = {Cold(first), Cold(second)};
  std::vector<States> states(2);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      const std::span<const Token> tokens = i == 0 ? first : second;
      Transformer transformer(*model_, team_);
      KvCache cache(model_->config(), kContext);
      for (std::size_t t = 0; t < tokens.size(); t += 8) {
        const States part = ForwardAll(transformer, tokens.subspan(t, 8), cache);
        states[i].insert(states[i].end(), part.begin(), part.end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(states[0], expected[0]);
  EXPECT_EQ(states[1], expected[1]);
}

TEST_F(TransformerBitsTest, StayInDenseLayersToo) {
  model_ = LoadTiny(MakeTinyModel({.architecture = "llama",
                                   .hidden = kHidden,
                                   .ffn = 300,
                                   .linear = DType::kF16,
                                   .seed = 12}),
                    folder_, *kernels::FindKernels(""), team_);
  Transformer transformer(*model_, team_);
  const auto tokens = Tokens(130, 12);
  KvCache whole(model_->config(), kContext);
  const States expected = ForwardAll(transformer, tokens, whole);
  KvCache parts(model_->config(), kContext);
  States states;
  for (const std::size_t count : {1U, 50U, 6U, 73U}) {
    const States part =
        ForwardAll(transformer, std::span(tokens).subspan(parts.length(), count), parts);
    states.insert(states.end(), part.begin(), part.end());
  }
  EXPECT_EQ(states, expected);
}

}  // namespace
}  // namespace sworn::llm
