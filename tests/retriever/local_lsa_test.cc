#include "retriever/local_lsa.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/symmetric_eigen.h"
#include "retriever/local_matrix.h"
#include "retriever/question_row.h"
#include "tests/support/fake_snapshot.h"

namespace sworn::retriever {
namespace {

using test::FakeSnapshot;

constexpr std::uint64_t kSeed = 20260107;

/// Passages of two subjects in turn; "fever" stands in every other one of the first.
void AddSubjects(std::size_t passages, FakeSnapshot& snapshot) {
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> medicine = {"nurse", "ward",  "patient", "dose", "clinic",
                                             "drug",  "pulse", "surgeon", "vein", "nerve"};
  const std::vector<std::string> law = {"court", "tenant", "lease",  "clause", "judge",
                                        "claim", "appeal", "notice", "breach", "deed"};
  for (std::size_t i = 0; i < passages; ++i) {
    std::string text = i % 4 == 0 ? "fever " : "";
    for (int word = 0; word < 8; ++word) {
      text += (i % 2 == 0 ? medicine : law)[random() % medicine.size()] + " ";
    }
    snapshot.Add("", {text});
  }
}

std::vector<ChunkId> FirstChunks(std::size_t count) {
  std::vector<ChunkId> ids(count);
  std::iota(ids.begin(), ids.end(), ChunkId{1});
  return ids;
}

TermRows Row(std::string_view question) {
  const std::vector<std::string> languages = {"en"};
  text::Analyzer analyzer;
  return QuestionRow(analyzer.AnalyzeQuestion(question, languages));
}

TEST(QuestionRowTest, CountsWordsIdentifiersAndPhrases) {
  const std::vector<std::string> languages = {"en"};
  text::Analyzer analyzer;
  const TermRows row =
      QuestionRow(analyzer.AnalyzeQuestion("the dose of doses in trial NCT01234567", languages));
  const auto count = [&row](std::string_view term) -> std::uint32_t {
    for (const TermCount& entry : row[0]) {
      if (entry.term == TermKeyOf(term)) return entry.count;
    }
    return 0;
  };
  EXPECT_EQ(count("en:dose"), 2U);
  EXPECT_EQ(count("#nct01234567"), 1U);
  EXPECT_EQ(count("en:the"), 0U);
  EXPECT_EQ(QuestionRow({}).size(), 1U);
}

TEST(LocalMatrixTest, MultipliesByTheGramMatrixOfTheRows) {
  FakeSnapshot snapshot;
  AddSubjects(40, snapshot);
  const std::vector<ChunkId> hits = FirstChunks(40);
  const LocalMatrix matrix(snapshot, hits, Row("fever")[0]);
  Block block(hits.size(), BlockRow{});
  block[7][3] = 1;
  const Block product = matrix.TimesGram(block);
  const TermRows rows = snapshot.LoadTermRows(hits);
  const auto weigh = [&snapshot](std::span<const TermCount> row) {
    std::map<TermKey, double> values;
    double square = 0;
    for (const TermCount& entry : row) {
      const double value = CountWeight(entry.count) * snapshot.TermWeights({&entry.term, 1})[0];
      values[entry.term] = value;
      square += value * value;
    }
    for (auto& [term, value] : values) value /= std::sqrt(square);
    return values;
  };
  const auto seventh = weigh(rows[7]);
  for (std::size_t hit = 0; hit < hits.size(); ++hit) {
    double expected = 0;
    for (const auto& [term, value] : weigh(rows[hit])) {
      const auto other = seventh.find(term);
      if (other != seventh.end()) expected += value * other->second;
    }
    EXPECT_NEAR(product[hit][3], expected, 1e-5);
    EXPECT_EQ(product[hit][4], 0);
    EXPECT_EQ(matrix.question_products()[hit] > 0, hit % 4 == 0);
  }
}

TEST(LocalSpaceTest, FindsTheSubjectWhereTheWordIsMissing) {
  FakeSnapshot snapshot;
  AddSubjects(64, snapshot);
  const LocalSpace space(snapshot, FirstChunks(64), Row("fever"));
  const std::vector<double> scores = space.Scores({});
  ASSERT_EQ(scores.size(), 64U);
  double own = 0;  // of the subject, without the word
  double other = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    EXPECT_LE(std::abs(scores[i]), 1 + 1e-9);
    if (i % 4 == 2) own += scores[i] / 16;
    if (i % 2 == 1) other += scores[i] / 32;
  }
  EXPECT_GT(own, other + 0.05);
}

TEST(LocalSpaceTest, FeedbackMovesTheQuestionTowardsThosePassages) {
  FakeSnapshot snapshot;
  AddSubjects(64, snapshot);
  const LocalSpace space(snapshot, FirstChunks(64), Row("fever"));
  const std::size_t feedback[] = {1, 3};
  const std::vector<double> before = space.Scores({});
  const std::vector<double> after = space.Scores(feedback);
  EXPECT_GT(after[1], before[1]);
  EXPECT_GT(after[3], before[3]);
}

// A few steps of subspace iteration against the whole decomposition.
TEST(LocalSpaceTest, ItsScoresAreCloseToThoseOfTheExactSpace) {
  FakeSnapshot snapshot;
  AddSubjects(64, snapshot);
  const std::vector<ChunkId> hits = FirstChunks(64);
  const TermRows question = Row("fever dose clinic");
  const LocalMatrix matrix(snapshot, hits, question[0]);
  constexpr std::size_t kCount = 64;
  std::vector<double> gram(kCount * kCount);
  for (std::size_t begin = 0; begin < kCount; begin += 32) {
    Block block(kCount, BlockRow{});
    for (std::size_t i = 0; i < 32; ++i) block[begin + i][i] = 1;
    const Block product = matrix.TimesGram(block);
    for (std::size_t row = 0; row < kCount; ++row) {
      for (std::size_t i = 0; i < 32; ++i) gram[row * kCount + begin + i] = product[row][i];
    }
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t j = 0; j < i; ++j) gram[i * kCount + j] = gram[j * kCount + i];
  }
  const EigenPairs exact = SymmetricEigen(gram, kCount);
  constexpr std::size_t kDimension = kCount / 4;
  std::vector<double> target(kDimension);
  std::vector<double> rows(kCount * kDimension);
  for (std::size_t k = 0; k < kDimension; ++k) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const double component = exact.vectors[k * kCount + i];
      rows[i * kDimension + k] = component * std::sqrt(exact.values[k]);
      target[k] += component * matrix.question_products()[i] / std::sqrt(exact.values[k]);
    }
  }
  const auto norm = [](std::span<const double> v) {
    return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
  };
  const std::vector<double> scores = LocalSpace(snapshot, hits, question).Scores({});
  double difference = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto row = std::span(rows).subspan(i * kDimension, kDimension);
    const double cosine = std::inner_product(row.begin(), row.end(), target.begin(), 0.0) /
                          (norm(row) * norm(target));
    difference += std::abs(cosine - scores[i]) / kCount;
  }
  EXPECT_LT(difference, 0.05);
}

TEST(LocalSpaceTest, AQuestionWithoutAWordInTheHitsScoresNothing) {
  FakeSnapshot snapshot;
  AddSubjects(20, snapshot);
  for (const double score : LocalSpace(snapshot, FirstChunks(20), Row("zebra")).Scores({})) {
    EXPECT_EQ(score, 0);
  }
}

TEST(LocalSpaceTest, TakesEmptyAndEqualPassages) {
  FakeSnapshot snapshot;
  for (int i = 0; i < 20; ++i) snapshot.Add("", {i % 2 == 0 ? "the same words" : "..."});
  snapshot.Add("", {"other words"});
  for (const double score : LocalSpace(snapshot, FirstChunks(21), Row("same")).Scores({})) {
    EXPECT_TRUE(std::isfinite(score));
  }
}

TEST(LocalSpaceTest, RefusesTooFewOrTooManyHits) {
  FakeSnapshot snapshot;
  AddSubjects(301, snapshot);
  EXPECT_THROW(LocalSpace(snapshot, FirstChunks(15), Row("fever")), Error);
  EXPECT_THROW(LocalSpace(snapshot, FirstChunks(301), Row("fever")), Error);
}

}  // namespace
}  // namespace sworn::retriever
