// Attention against its contract in kernels/kernels.h, and against attention in double precision.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "tests/kernels/float_support.h"

namespace sworn::kernels {
namespace {

/// Queries, and the state that they carry from block to block.
struct Attention {
  Attention(std::mt19937& random, std::size_t row_count, std::size_t dim)
      : rows(row_count),
        head_dim(dim),
        queries(NormalFloats(random, row_count * dim)),
        max(row_count, -kInfinity),
        sum(row_count),
        accumulator(row_count * dim) {}

  void Step(const KernelTable& table, const std::vector<std::uint16_t>& keys,
            const std::vector<std::uint16_t>& values, const std::vector<std::uint32_t>& visible,
            std::size_t first, std::size_t count) {
    table.attend({.queries = queries.data() + first * head_dim,
                  .rows = count,
                  .head_dim = head_dim,
                  .keys = keys.data(),
                  .values = values.data(),
                  .visible = visible.data() + first,
                  .scale = scale,
                  .max = max.data() + first,
                  .sum = sum.data() + first,
                  .accumulator = accumulator.data() + first * head_dim});
  }

  std::size_t rows;
  std::size_t head_dim;
  float scale = 0.3F;
  std::vector<float> queries;
  std::vector<float> max;
  std::vector<float> sum;
  std::vector<float> accumulator;
};

std::vector<std::uint16_t> NormalHalves(std::mt19937& random, std::size_t n) {
  std::vector<std::uint16_t> out(n);
  Scalar().narrow_f16(NormalFloats(random, n).data(), n, out.data());
  return out;
}

std::vector<float> Widened(const std::vector<std::uint16_t>& halves) {
  std::vector<float> out(halves.size());
  Scalar().widen_f16(halves.data(), halves.size(), out.data());
  return out;
}

float ExpOf(float x) {
  Scalar().exp(&x, 1, &x);
  return x;
}

/// The contract of `attend` for one row, word by word.
void AttendRow(Attention& attention, std::size_t row, const std::vector<float>& keys,
               const std::vector<float>& values, std::size_t visible) {
  const float* query = attention.queries.data() + row * attention.head_dim;
  std::vector<float> scores(visible);
  const float old_max = attention.max[row];
  float max = old_max;
  for (std::size_t j = 0; j < visible; ++j) {
    float chain = 0;
    for (std::size_t d = 0; d < attention.head_dim; ++d) {
      chain = std::fma(query[d], keys[d * kAttentionBlock + j], chain);
    }
    scores[j] = chain * attention.scale;
    max = std::max(max, scores[j]);
  }
  const float correction = ExpOf(old_max - max);
  float lane[16] = {};
  for (std::size_t j = 0; j < visible; ++j) {
    scores[j] = ExpOf(scores[j] - max);
    lane[j % 16] += scores[j];
  }
  for (const std::size_t width : {8, 4, 2, 1}) {
    for (std::size_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  attention.max[row] = max;
  attention.sum[row] = std::fma(attention.sum[row], correction, lane[0]);
  for (std::size_t d = 0; d < attention.head_dim; ++d) {
    float& out = attention.accumulator[row * attention.head_dim + d];
    out = out * correction;
    for (std::size_t j = 0; j < visible; ++j) {
      out = std::fma(scores[j], values[j * attention.head_dim + d], out);
    }
  }
}

TEST(AttendTest, FollowsItsContractForEveryVisibleCount) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (const std::size_t head_dim : {16, 100}) {
    Attention attention(random, 65, head_dim);
    Attention expected = attention;
    std::vector<std::uint32_t> visible(65);
    for (std::uint32_t r = 0; r < 65; ++r) visible[r] = r * 27 % 65;  // every count from 0 to 64
    for (int block = 0; block < 2; ++block) {
      const std::vector<std::uint16_t> keys = NormalHalves(random, head_dim * kAttentionBlock);
      const std::vector<std::uint16_t> values = NormalHalves(random, head_dim * kAttentionBlock);
      attention.Step(Scalar(), keys, values, visible, 0, 65);
      for (std::size_t r = 0; r < 65; ++r) {
        if (visible[r] > 0) {
          AttendRow(expected, r, Widened(keys), Widened(values), visible[r]);
        }
      }
    }
    EXPECT_EQ(attention.max, expected.max);
    EXPECT_EQ(attention.sum, expected.sum);
    EXPECT_EQ(attention.accumulator, expected.accumulator);
  }
}

TEST(AttendTest, GivesTheSameBitsHoweverRowsAreGrouped) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  constexpr std::size_t kRows = 60;
  constexpr std::size_t kDim = 128;
  for (const KernelTable* table : RunnableKernels()) {
    Attention together(random, kRows, kDim);
    Attention apart = together;
    for (int block = 0; block < 2; ++block) {
      const std::vector<std::uint16_t> keys = NormalHalves(random, kDim * kAttentionBlock);
      const std::vector<std::uint16_t> values = NormalHalves(random, kDim * kAttentionBlock);
      std::vector<std::uint32_t> visible(kRows, 64);
      if (block == 1) {
        for (std::size_t r = 0; r < kRows; ++r) visible[r] = static_cast<std::uint32_t>(r / 4);
      }
      together.Step(*table, keys, values, visible, 0, kRows);
      for (std::size_t first = 0, count = 1; first < kRows; first += count, ++count) {
        count = std::min(count, kRows - first);
        apart.Step(*table, keys, values, visible, first, count);
      }
    }
    EXPECT_EQ(together.max, apart.max) << table->name;
    EXPECT_EQ(together.sum, apart.sum) << table->name;
    EXPECT_EQ(together.accumulator, apart.accumulator) << table->name;
  }
}

// Against attention in double precision over all blocks at once.
TEST(AttendTest, OverSeveralBlocksIsAttentionWithinItsRoundingError) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  constexpr std::size_t kRows = 8;
  constexpr std::size_t kDim = 128;
  constexpr std::size_t kBlocks = 5;
  constexpr double kUnit = 0x1p-24;  // rounding error of one operation
  Attention attention(random, kRows, kDim);
  attention.scale = 1.0F / std::sqrt(static_cast<float>(kDim));
  const std::vector<std::uint32_t> visible(kRows, 64);
  std::vector<std::vector<float>> keys;
  std::vector<std::vector<float>> values;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const std::vector<std::uint16_t> k = NormalHalves(random, kDim * kAttentionBlock);
    const std::vector<std::uint16_t> v = NormalHalves(random, kDim * kAttentionBlock);
    attention.Step(Best(), k, v, visible, 0, kRows);
    keys.push_back(Widened(k));
    values.push_back(Widened(v));
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    std::vector<double> expected(kDim);
    double total = 0;
    double score_error = 0;
    double largest_value = 0;
    for (std::size_t block = 0; block < kBlocks; ++block) {
      for (std::size_t j = 0; j < kAttentionBlock; ++j) {
        double score = 0;
        double magnitude = 0;
        for (std::size_t d = 0; d < kDim; ++d) {
          const double product = static_cast<double>(attention.queries[r * kDim + d]) *
                                 keys[block][d * kAttentionBlock + j];
          score += product;
          magnitude += std::fabs(product);
        }
        const double weight = std::exp(score * attention.scale);
        total += weight;
        // A chain of n fma errs by at most n units of the sum of magnitudes; scaling and the
        // subtraction of the maximum add one each.
        score_error = std::max(score_error, (kDim + 3) * kUnit * magnitude * attention.scale);
        for (std::size_t d = 0; d < kDim; ++d) {
          const double value = values[block][j * kDim + d];
          expected[d] += weight * value;
          largest_value = std::max(largest_value, std::fabs(value));
        }
      }
    }
    // Each weight errs relatively by twice the score's error (its own and the maximum's), the exp
    // by 4 units, each of the corrections and of the additions by a few; and so does their sum.
    const double relative = 2 * score_error + (kBlocks * (kAttentionBlock + 8) + 4) * kUnit;
    const double tolerance = 2 * relative * largest_value;
    ASSERT_LT(tolerance, 2e-3);
    for (std::size_t d = 0; d < kDim; ++d) {
      EXPECT_NEAR(attention.accumulator[r * kDim + d] / attention.sum[r], expected[d] / total,
                  tolerance);
    }
  }
}

TEST(AttendTest, LeavesRowsThatSeeNothingAlone) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (const KernelTable* table : RunnableKernels()) {
    Attention attention(random, 9, 64);
    for (float& x : attention.accumulator) x = -0.0F;
    const std::vector<std::uint32_t> visible = {0, 3, 0, 0, 64, 1, 0, 5, 0};
    attention.Step(*table, NormalHalves(random, 64 * kAttentionBlock),
                   NormalHalves(random, 64 * kAttentionBlock), visible, 0, 9);
    for (std::size_t r = 0; r < 9; ++r) {
      EXPECT_EQ(attention.max[r] == -kInfinity, visible[r] == 0) << table->name;
      EXPECT_EQ(attention.sum[r] == 0.0F, visible[r] == 0) << table->name;
      if (visible[r] == 0) {
        EXPECT_TRUE(std::signbit(attention.accumulator[r * 64])) << table->name;
      }
    }
  }
}

}  // namespace
}  // namespace sworn::kernels
