#include "llm/embed/lsa.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "core/crypto.h"
#include "core/error.h"
#include "core/symmetric_eigen.h"
#include "llm/embed/lsa_fit.h"
#include "llm/embed/lsa_state.h"
#include "llm/embed/randomized_svd.h"

namespace sworn::llm {
namespace {

constexpr std::uint64_t kSeed = 20260106;

std::optional<std::string> Fit(const LsaFactory& factory, const TermRows& rows,
                               std::uint64_t seed = kSeed) {
  return factory.Fit(rows, seed);
}

TermKey Key(std::size_t word) { return TermKeyOf("en:word" + std::to_string(word)); }

/// Passages on `topics` subjects; each has 12 of the 30 words of its subject and 4 of 40 that all
/// share.
TermRows Topics(std::size_t passages, std::size_t topics) {
  std::mt19937_64 random(kSeed);
  TermRows rows;
  for (std::size_t i = 0; i < passages; ++i) {
    const std::size_t topic = i % topics;
    std::vector<TermCount> row;
    for (int j = 0; j < 12; ++j) row.push_back({Key(1000 * (topic + 1) + random() % 30), 1});
    for (int j = 0; j < 4; ++j) row.push_back({Key(random() % 40), 1});
    rows.Add(std::move(row));
  }
  return rows;
}

TermRows OneRow(std::vector<TermCount> row) {
  TermRows rows;
  rows.Add(std::move(row));
  return rows;
}

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST(LsaTest, ItsDimensionFollowsTheNumberOfPassages) {
  EXPECT_EQ(LsaDimension(20), 5U);
  EXPECT_EQ(LsaDimension(99), 24U);
  EXPECT_EQ(LsaDimension(100), 16U);
  EXPECT_EQ(LsaDimension(800), 100U);
  EXPECT_EQ(LsaDimension(1000000), 384U);
}

TEST(LsaTest, FitsNothingToFewPassagesOrToNoSharedTerm) {
  const LsaFactory factory(1);
  EXPECT_FALSE(Fit(factory, TermRows{}).has_value());
  EXPECT_FALSE(Fit(factory, Topics(19, 2)).has_value());
  EXPECT_TRUE(Fit(factory, Topics(20, 2)).has_value());
  TermRows strangers;
  for (std::size_t i = 0; i < 30; ++i) strangers.Add({{Key(i), 1}});
  EXPECT_FALSE(Fit(factory, strangers).has_value());
  TermRows empty;
  for (std::size_t i = 0; i < 30; ++i) empty.Add({});
  EXPECT_FALSE(Fit(factory, empty).has_value());
}

TEST(LsaTest, TheStateDoesNotDependOnTheNumberOfThreads) {
  const TermRows rows = Topics(600, 7);
  const auto one = Fit(LsaFactory(1), rows);
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one, Fit(LsaFactory(3), rows));
  EXPECT_EQ(one, Fit(LsaFactory(1), rows));
  EXPECT_NE(one, Fit(LsaFactory(1), rows, kSeed + 1));
}

TEST(LsaTest, WordsThatKeepTheSameCompanyAreNearThoughTheyNeverMeet) {
  const LsaFactory factory(2);
  const auto embedder = factory.Load(*Fit(factory, Topics(127, 4)));
  TermRows questions;
  for (const std::size_t first : {1000U, 1010U, 2000U}) {
    std::vector<TermCount> row;
    for (std::size_t word = first; word < first + 10; ++word) row.push_back({Key(word), 1});
    questions.Add(std::move(row));
  }
  const std::vector<float> vectors = embedder->Embed(questions);
  const auto row = [&vectors](std::size_t i) {
    return std::span(vectors).subspan(i * LsaFactory::kDimension, LsaFactory::kDimension);
  };
  EXPECT_GT(Dot(row(0), row(1)), 0.6);
  EXPECT_LT(Dot(row(0), row(2)), 0.2);
}

TEST(LsaTest, VectorsHaveUnitNormOrAreZeroAndTheSameBitsInAnyBatch) {
  const LsaFactory factory(1);
  const TermRows rows = Topics(120, 3);
  const auto embedder = factory.Load(*Fit(factory, rows));
  const std::vector<float> vectors = embedder->Embed(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = std::span(vectors).subspan(i * LsaFactory::kDimension, LsaFactory::kDimension);
    EXPECT_NEAR(Dot(row, row), 1, 1e-5);
    const auto alone = embedder->Embed(OneRow({rows[i].begin(), rows[i].end()}));
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), row.begin()));
  }
  for (const TermRows& blank : {OneRow({}), OneRow({{Key(99999), 3}})}) {
    const auto vector = embedder->Embed(blank);
    EXPECT_TRUE(std::all_of(vector.begin(), vector.end(), [](float x) { return x == 0; }));
  }
}

TEST(LsaTest, OneRepeatedPassageGivesNoMoreDirectionsThanWords) {
  TermRows rows;
  for (int i = 0; i < 50; ++i) {
    rows.Add({{Key(1), 1}, {Key(2), static_cast<std::uint32_t>(i == 0 ? 2 : 1)}});
  }
  const LsaFactory factory(1);
  const auto state = Fit(factory, rows);
  ASSERT_TRUE(state.has_value());
  EXPECT_LE(DecodeLsaState(*state).dimension, 2U);
  for (const float value : factory.Load(*state)->Embed(rows)) EXPECT_TRUE(std::isfinite(value));
}

TEST(LsaTest, TheIdentityNamesTheState) {
  const LsaFactory factory(1);
  const std::string state = *Fit(factory, Topics(60, 2));
  EXPECT_EQ(factory.identity().state_sha256, "");
  const auto embedder = factory.Load(state);
  EXPECT_EQ(embedder->identity().state_sha256, ToHex(Sha256(state)));
  EXPECT_EQ(embedder->identity().dimension, LsaFactory::kDimension);
}

// The bits that a state gives on every machine; they change with the identity's version only.
TEST(LsaTest, AStateGivesTheSameBitsOnEveryMachine) {
  LsaState state;
  state.dimension = 3;
  state.terms = {Key(1), Key(2)};
  std::sort(state.terms.begin(), state.terms.end());
  state.weights = {0.75F, 0.3F};
  state.scales = {0.01F, 0.003F};
  state.directions = {127, -5, 64, -127, 90, 3};
  const auto embedder = LsaFactory(1).Load(EncodeLsaState(state));
  const auto vector = embedder->Embed(OneRow({{Key(1), 2}, {Key(2), 100}}));
  std::string bits;
  for (std::size_t i = 0; i < 3; ++i) {
    bits += std::to_string(std::bit_cast<std::uint32_t>(vector[i])) + " ";
  }
  EXPECT_EQ(bits, "1059201832 1053809674 1059629281 ");
}

TEST(LsaTest, DamagedStatesAreRefusedOrStaySane) {
  const LsaFactory factory(1);
  const TermRows rows = Topics(60, 2);
  const std::string state = *Fit(factory, rows);
  const auto refused = [&factory](const std::string& bytes) {
    try {
      (void)factory.Load(bytes);
    } catch (const Error& error) {
      return error.code() == ErrorCode::kIntegrity;
    }
    return false;
  };
  for (std::size_t size = 0; size < state.size(); size += 1 + size / 8) {
    EXPECT_TRUE(refused(state.substr(0, size))) << size;
  }
  EXPECT_TRUE(refused(state + "x"));
  for (std::size_t byte = 0; byte < 24; ++byte) {
    std::string damaged = state;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 0x40);
    EXPECT_TRUE(refused(damaged)) << byte;
  }
  LsaState broken = DecodeLsaState(state);
  std::swap(broken.terms[0], broken.terms[1]);
  EXPECT_TRUE(refused(EncodeLsaState(broken)));
  for (const float bad : {std::nanf(""), -0.5F, 2.0F, std::numeric_limits<float>::infinity()}) {
    broken = DecodeLsaState(state);
    broken.weights[3] = bad;
    EXPECT_TRUE(refused(EncodeLsaState(broken)));
    broken = DecodeLsaState(state);
    broken.scales[3] = bad;
    EXPECT_TRUE(refused(EncodeLsaState(broken)));
  }
}

/// A sparse matrix of a decaying spectrum: topics of unequal size.
SparseMatrix RandomMatrix(std::size_t rows, std::size_t columns) {
  std::mt19937_64 random(kSeed);
  SparseMatrix matrix;
  matrix.columns = columns;
  matrix.row_begins = {0};
  for (std::size_t row = 0; row < rows; ++row) {
    const auto topic = static_cast<std::size_t>(std::countr_zero(random() | 0x80U));
    for (std::uint32_t column = 0; column < columns; ++column) {
      const bool own = column % 8 == topic;
      if (random() % 100 < (own ? 50U : 3U)) matrix.entries.push_back({column, own ? 1.0F : 0.5F});
    }
    matrix.row_begins.push_back(matrix.entries.size());
  }
  return matrix;
}

TEST(RandomizedSvdTest, SpansNearlyWhatTheExactDirectionsSpan) {
  constexpr std::size_t kColumns = 120;
  constexpr std::size_t kCount = 12;
  const SparseMatrix matrix = RandomMatrix(700, kColumns);
  std::vector<double> gram(kColumns * kColumns);
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    for (std::size_t i = matrix.row_begins[row]; i < matrix.row_begins[row + 1]; ++i) {
      for (std::size_t j = matrix.row_begins[row]; j < matrix.row_begins[row + 1]; ++j) {
        gram[matrix.entries[i].column * kColumns + matrix.entries[j].column] +=
            static_cast<double>(matrix.entries[i].value) * matrix.entries[j].value;
      }
    }
  }
  const EigenPairs exact = SymmetricEigen(gram, kColumns);
  ThreadTeam team(2);
  const RightSingularVectors found = RandomizedSvd(matrix, kCount, kSeed, team);
  ASSERT_EQ(found.count, kCount);
  double best = 0;
  double energy = 0;
  for (std::size_t k = 0; k < kCount; ++k) {
    best += exact.values[k];
    for (std::size_t other = 0; other <= k; ++other) {
      double product = 0;
      for (std::size_t i = 0; i < kColumns; ++i) {
        product +=
            static_cast<double>(found.values[i * kCount + k]) * found.values[i * kCount + other];
      }
      EXPECT_NEAR(product, other == k ? 1 : 0, 1e-4);
    }
    for (std::size_t i = 0; i < kColumns; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        energy += gram[i * kColumns + j] * static_cast<double>(found.values[i * kCount + k]) *
                  found.values[j * kCount + k];
      }
    }
  }
  EXPECT_GT(energy, 0.995 * best);
  EXPECT_LT(energy, 1.0001 * best);
}

}  // namespace
}  // namespace sworn::llm
