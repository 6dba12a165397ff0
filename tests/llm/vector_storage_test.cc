#include "llm/embed/vector_storage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace sworn::llm {
namespace {

constexpr std::array kLeveled = {VectorStorage::kInt8, VectorStorage::kInt4, VectorStorage::kInt2,
                                 VectorStorage::kInt1};

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::vector<float> RandomUnit(std::size_t n, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(n);
  for (float& value : vector) value = normal(random);
  const auto length = static_cast<float>(std::sqrt(Dot(vector, vector)));
  for (float& value : vector) value /= length;
  return vector;
}

std::vector<float> Rounded(VectorStorage storage, std::vector<float> vector) {
  RoundToStorage(storage, vector);
  return vector;
}

TEST(VectorStorageTest, NamesLeadBack) {
  for (const char* const name : {"f32", "f16", "i8", "i4", "i2", "i1"}) {
    const auto storage = StorageByName(name);
    ASSERT_TRUE(storage) << name;
    EXPECT_EQ(StorageName(*storage), name);
  }
  EXPECT_FALSE(StorageByName("i3"));
  EXPECT_FALSE(StorageByName(""));
}

TEST(VectorStorageTest, KeepsAsManyDistinctNumbersAsTheBitsCanTell) {
  std::mt19937 random(1);
  const std::vector<float> vector = RandomUnit(4'000, random);
  EXPECT_EQ(Rounded(VectorStorage::kF32, vector), vector);
  const std::size_t most[] = {256, 16, 4, 2};
  for (std::size_t i = 0; i < kLeveled.size(); ++i) {
    const std::vector<float> rounded = Rounded(kLeveled[i], vector);
    const std::set<float> distinct(rounded.begin(), rounded.end());
    EXPECT_LE(distinct.size(), most[i]);
    EXPECT_GT(distinct.size(), most[i] / 2);
    EXPECT_NEAR(Dot(rounded, rounded), 1.0, 1e-5);
  }
}

TEST(VectorStorageTest, MoreBitsStayNearer) {
  const unsigned seed = 2;
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  // Of normal numbers, 1 bit keeps sqrt(2 / pi) of the direction, 2 bits .9 and 4 bits .99 at best.
  const double least[] = {0.9999, 0.993, 0.93, 0.77};
  for (int round = 0; round < 20; ++round) {
    const std::vector<float> vector = RandomUnit(640, random);
    double previous = 1;
    for (std::size_t i = 0; i < kLeveled.size(); ++i) {
      const double cosine = Dot(vector, Rounded(kLeveled[i], vector));
      EXPECT_GT(cosine, least[i]);
      EXPECT_LT(cosine, previous);
      previous = cosine;
    }
  }
}

TEST(VectorStorageTest, ANumberThatSticksOutDoesNotDecideTheLevels) {
  std::mt19937 random(3);
  std::vector<float> vector = RandomUnit(1'024, random);
  vector[7] = 0.5F;  // sixteen times the size of the others
  const double length = std::sqrt(Dot(vector, vector));
  EXPECT_GT(Dot(vector, Rounded(VectorStorage::kInt8, vector)) / length, 0.999);
  EXPECT_GT(Dot(vector, Rounded(VectorStorage::kInt4, vector)) / length, 0.93);
}

TEST(VectorStorageTest, RoundingTwiceChangesNothing) {
  std::mt19937 random(4);
  const std::vector<float> vector = RandomUnit(640, random);
  const std::vector<float> half = Rounded(VectorStorage::kF16, vector);
  EXPECT_EQ(Rounded(VectorStorage::kF16, half), half);
  EXPECT_NE(half, vector);
  for (std::size_t i = 0; i < half.size(); ++i) {
    EXPECT_NEAR(half[i], vector[i], std::fabs(vector[i]) * 0x1p-11 + 0x1p-25);
  }
  const std::vector<float> sign = Rounded(VectorStorage::kInt1, vector);
  EXPECT_EQ(Rounded(VectorStorage::kInt1, sign), sign);
}

TEST(VectorStorageTest, ZerosStayZeros) {
  for (const VectorStorage storage : kLeveled) {
    EXPECT_EQ(Rounded(storage, std::vector<float>(5)), std::vector<float>(5));
  }
  EXPECT_TRUE(Rounded(VectorStorage::kInt4, {}).empty());
}

}  // namespace
}  // namespace sworn::llm
