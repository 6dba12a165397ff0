#include "llm/decode/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::llm {
namespace {

constexpr int kDraws = 20'000;

SamplerOptions Options(double temperature) {
  SamplerOptions options;
  options.temperature = temperature;
  options.seed = 7;
  return options;
}

std::map<Token, double> Shares(const SamplerOptions& options, std::span<const TokenLogit> logits,
                               std::span<const Token> accepted = {}) {
  Sampler sampler(options);
  for (const Token token : accepted) sampler.Accept(token);
  std::map<Token, double> shares;
  for (int i = 0; i < kDraws; ++i) shares[sampler.Choose(logits)] += 1.0 / kDraws;
  return shares;
}

// Five standard deviations of a share of kDraws draws.
void ExpectShares(const std::map<Token, double>& shares, const std::map<Token, double>& expected) {
  double total = 0;
  for (const auto& [token, share] : expected) {
    const double found = shares.contains(token) ? shares.at(token) : 0;
    EXPECT_NEAR(found, share, 5 * std::sqrt(share * (1 - share) / kDraws) + 1e-9)
        << "token " << token;
    total += found;
  }
  EXPECT_NEAR(total, 1, 1e-9) << "a token was chosen that must not be";
}

std::map<Token, double> Softmax(const std::map<Token, double>& logits) {
  double total = 0;
  for (const auto& entry : logits) total += std::exp(entry.second);
  std::map<Token, double> shares;
  for (const auto& [token, logit] : logits) shares[token] = std::exp(logit) / total;
  return shares;
}

// Random logits of a vocabulary in the order that OutputHead::Best gives them.
std::vector<TokenLogit> RandomLogits(std::mt19937& random, std::size_t vocabulary) {
  std::normal_distribution<float> normal(0, 2);
  std::vector<TokenLogit> logits(vocabulary);
  for (std::size_t i = 0; i < vocabulary; ++i) {
    // Rounded, so that there are ties.
    logits[i] = {static_cast<Token>(i), std::round(normal(random) * 8) / 8};
  }
  std::sort(logits.begin(), logits.end(), [](const TokenLogit& a, const TokenLogit& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  });
  return logits;
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  SamplerOptions options;
  options.top_k = 0;
  EXPECT_THROW(Sampler{options}, Error);
}

TEST(Sampler, GreedyTakesTheLargestAndOfTiesTheSmallerId) {
  Sampler sampler(Options(0));
  const std::vector<TokenLogit> logits = {{9, 2.F}, {4, 3.F}, {2, 3.F}, {7, -1.F}};
  EXPECT_EQ(sampler.Choose(logits), 2);
}

TEST(Sampler, GreedyRepeatsItsChoiceUntilThePenaltyLowersIt) {
  SamplerOptions options = Options(0);
  options.repeat_penalty = 2;
  Sampler sampler(options);
  const std::vector<TokenLogit> logits = {{1, 3.F}, {2, 2.F}, {3, -1.F}};
  EXPECT_EQ(sampler.Choose(logits), 1);
  EXPECT_EQ(sampler.Choose(logits), 1);
  sampler.Accept(1);
  EXPECT_EQ(sampler.Choose(logits), 2);
}

TEST(Sampler, DrawsWithTheProbabilitiesOfTheSoftmax) {
  const std::vector<TokenLogit> logits = {{5, 2.F}, {6, 1.F}, {7, 0.5F}, {8, -3.F}};
  ExpectShares(Shares(Options(1), logits), Softmax({{5, 2}, {6, 1}, {7, 0.5}, {8, -3}}));
}

TEST(Sampler, TemperatureDividesTheLogits) {
  const std::vector<TokenLogit> logits = {{5, 2.F}, {6, 1.F}, {7, -1.F}};
  ExpectShares(Shares(Options(2), logits), Softmax({{5, 1}, {6, 0.5}, {7, -0.5}}));
  ExpectShares(Shares(Options(0.5), logits), Softmax({{5, 4}, {6, 2}, {7, -2}}));
}

TEST(Sampler, TopKKeepsTheMostProbable) {
  SamplerOptions options = Options(1);
  options.top_k = 2;
  const std::vector<TokenLogit> logits = {{1, 0.F}, {2, 1.F}, {3, 1.F}, {4, 1.F}};
  ExpectShares(Shares(options, logits), {{2, 0.5}, {3, 0.5}});
}

TEST(Sampler, TopPKeepsTheSmallestSetWithThatProbability) {
  // Shares 0.5, 0.25, 0.125, 0.125.
  const float ln2 = std::log(2.F);
  const std::vector<TokenLogit> logits = {{1, 3 * ln2}, {2, 2 * ln2}, {3, ln2}, {4, ln2}};
  SamplerOptions options = Options(1);
  options.top_p = 0.7;
  ExpectShares(Shares(options, logits), {{1, 2.0 / 3}, {2, 1.0 / 3}});
  options.top_p = 0.8;
  ExpectShares(Shares(options, logits), {{1, 4.0 / 7}, {2, 2.0 / 7}, {3, 1.0 / 7}});
  options.top_p = 0.01;  // never less than one token
  ExpectShares(Shares(options, logits), {{1, 1}});
}

TEST(Sampler, MinPDropsWhatIsFarBelowTheBest) {
  const float ln2 = std::log(2.F);
  const std::vector<TokenLogit> logits = {{1, 3 * ln2}, {2, 2 * ln2}, {3, 0.9F * ln2}};
  SamplerOptions options = Options(1);
  options.min_p = 0.3;
  ExpectShares(Shares(options, logits), {{1, 2.0 / 3}, {2, 1.0 / 3}});
  options.min_p = 1;
  ExpectShares(Shares(options, logits), {{1, 1}});
}

TEST(Sampler, ThePenaltyDividesPositiveAndMultipliesNegativeLogitsOnce) {
  SamplerOptions options = Options(1);
  options.repeat_penalty = 2;
  const std::vector<TokenLogit> logits = {{1, 2.F}, {2, 1.F}, {3, -1.F}};
  const std::vector<Token> accepted = {1, 3, 1, 1};
  ExpectShares(Shares(options, logits, accepted), Softmax({{1, 1}, {2, 1}, {3, -2}}));
}

TEST(Sampler, ThePenaltyForgetsWhatLeftTheWindow) {
  SamplerOptions options = Options(0);
  options.repeat_penalty = 2;
  options.repeat_window = 2;
  Sampler sampler(options);
  const std::vector<TokenLogit> logits = {{1, 3.F}, {2, 2.F}};
  sampler.Accept(1);
  sampler.Accept(8);
  EXPECT_EQ(sampler.Choose(logits), 2);
  sampler.Accept(9);
  EXPECT_EQ(sampler.Choose(logits), 1);
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  std::mt19937 random(1);
  const std::vector<TokenLogit> logits = RandomLogits(random, 200);
  SamplerOptions options = Options(1);
  Sampler first(options);
  Sampler second(options);
  options.seed = 8;
  Sampler other(options);
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    const Token token = first.Choose(logits);
    EXPECT_EQ(token, second.Choose(logits));
    different += token != other.Choose(logits) ? 1 : 0;
  }
  EXPECT_GT(different, 50);
}

TEST(Sampler, DrawsTheKnownNumbersOfItsGenerator) {
  // Shares 1/2 each: the token tells the first bit of each number of xoshiro256** after splitmix64
  // of seed 0 (99ec5f36cb75f2b4, bf6e1f784956452a, 1a5f849d4933e6e0, 6aa594f1262d2d2c, ...).
  const std::vector<TokenLogit> logits = {{0, 1.F}, {1, 1.F}};
  SamplerOptions options = Options(1);
  options.seed = 0;
  Sampler sampler(options);
  std::vector<Token> tokens;
  for (int i = 0; i < 4; ++i) tokens.push_back(sampler.Choose(logits));
  EXPECT_EQ(tokens, (std::vector<Token>{1, 1, 0, 0}));
}

TEST(Sampler, DecidesFromItsCandidatesAsFromAllLogits) {
  constexpr unsigned kSeed = 20'261'121;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const auto step = [&](unsigned count) { return static_cast<int>(random() % count); };
  for (int round = 0; round < 300; ++round) {
    const std::vector<TokenLogit> logits = RandomLogits(random, 400);
    SamplerOptions options = Options(round % 3 == 0 ? 0 : 0.5 + round % 5);
    options.top_k = 1 + random() % 30;
    options.top_p = 1 - step(3) * 0.2;
    options.min_p = step(3) * 0.1;
    options.repeat_penalty = 1 + step(5) * 0.25;
    options.repeat_window = random() % 40;
    options.seed = random();
    Sampler whole(options);
    Sampler part(options);
    // Mostly tokens that would be chosen, so that the penalty matters.
    for (int i = 0; i < 50; ++i) {
      const Token token = logits[random() % 60].token;
      whole.Accept(token);
      part.Accept(token);
    }
    for (int i = 0; i < 20; ++i) {
      const std::size_t count = part.candidates();
      ASSERT_LE(count, logits.size());
      const Token token = whole.Choose(logits);
      ASSERT_EQ(token, part.Choose(std::span(logits).first(count))) << "round " << round;
      whole.Accept(token);
      part.Accept(token);
    }
  }
}

TEST(Sampler, WhatIsNoNumberOrInfiniteDecidesNothing) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  const std::vector<TokenLogit> damaged = {{1, nan}, {2, 1.F}, {3, -kInfinity}};
  EXPECT_EQ(Sampler(Options(0)).Choose(damaged), 2);
  ExpectShares(Shares(Options(1), damaged), {{2, 1}});
  const std::vector<TokenLogit> infinite = {{1, kInfinity}, {2, 1.F}};
  ExpectShares(Shares(Options(1), infinite), {{1, 1}});
  const std::vector<TokenLogit> nothing = {{1, nan}, {2, -kInfinity}};
  ExpectShares(Shares(Options(1), nothing), {{1, 0.5}, {2, 0.5}});
}

}  // namespace
}  // namespace sworn::llm
