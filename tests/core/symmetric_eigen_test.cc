#include "core/symmetric_eigen.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn {
namespace {

constexpr std::uint64_t kSeed = 20260106;

std::vector<double> RandomSymmetric(std::size_t n, std::size_t rank) {
  std::mt19937_64 random(kSeed + n);
  std::normal_distribution<double> normal;
  std::vector<double> factor(n * rank);
  for (double& value : factor) value = normal(random);
  std::vector<double> matrix(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < rank; ++k) {
        matrix[i * n + j] += factor[i * rank + k] * factor[j * rank + k];
      }
    }
  }
  return matrix;
}

void CheckPairs(const std::vector<double>& matrix, std::size_t n) {
  SCOPED_TRACE("n = " + std::to_string(n) + ", seed " + std::to_string(kSeed));
  const EigenPairs pairs = SymmetricEigen(matrix, n);
  ASSERT_EQ(pairs.values.size(), n);
  ASSERT_EQ(pairs.vectors.size(), n * n);
  double scale = 1;
  for (const double value : pairs.values) scale = std::max(scale, std::abs(value));
  const double tolerance = 1e-12 * scale * static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double* v = &pairs.vectors[i * n];
    if (i > 0) {
      EXPECT_LE(pairs.values[i], pairs.values[i - 1]);
    }
    for (std::size_t row = 0; row < n; ++row) {
      double product = 0;
      for (std::size_t j = 0; j < n; ++j) product += matrix[row * n + j] * v[j];
      ASSERT_NEAR(product, pairs.values[i] * v[row], tolerance);
    }
    for (std::size_t other = 0; other <= i; ++other) {
      double product = 0;
      for (std::size_t j = 0; j < n; ++j) product += v[j] * pairs.vectors[other * n + j];
      ASSERT_NEAR(product, other == i ? 1 : 0, 1e-12 * static_cast<double>(n));
    }
  }
}

TEST(SymmetricEigenTest, VectorsAreOrthonormalAndBelongToTheirValues) {
  for (const std::size_t n : {1U, 2U, 3U, 5U, 17U, 64U, 150U}) CheckPairs(RandomSymmetric(n, n), n);
}

TEST(SymmetricEigenTest, MatricesOfLowRankHaveZeroValues) {
  const std::vector<double> matrix = RandomSymmetric(40, 3);
  CheckPairs(matrix, 40);
  const EigenPairs pairs = SymmetricEigen(matrix, 40);
  EXPECT_GT(pairs.values[2], 1e-3);
  EXPECT_NEAR(pairs.values[3], 0, 1e-10);
}

TEST(SymmetricEigenTest, ZeroIdentityAndEqualRowsConverge) {
  CheckPairs(std::vector<double>(36, 0), 6);
  CheckPairs(std::vector<double>(36, 1), 6);
  std::vector<double> identity(36, 0);
  for (std::size_t i = 0; i < 6; ++i) identity[i * 7] = 1;
  CheckPairs(identity, 6);
  EXPECT_TRUE(SymmetricEigen({}, 0).values.empty());
}

TEST(SymmetricEigenTest, RefusesWhatIsNoFiniteSquareMatrix) {
  EXPECT_THROW((void)SymmetricEigen({1, 2, 3}, 2), Error);
  EXPECT_THROW((void)SymmetricEigen({std::numeric_limits<double>::quiet_NaN()}, 1), Error);
}

}  // namespace
}  // namespace sworn
