// The float functions against their contract in kernels/kernels.h: the scalar table against plain
// code, every other table against the scalar one.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "tests/kernels/table_cases.h"

namespace sworn::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr unsigned kSeed = 20'240;

const KernelTable& Scalar() { return *FindKernels("scalar"); }
const KernelTable& Best() { return *RunnableKernels().front(); }

std::vector<float> NormalFloats(std::mt19937& random, std::size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

std::int64_t UlpsBetween(float a, float b) {
  return std::abs(static_cast<std::int64_t>(std::bit_cast<std::int32_t>(a)) -
                  std::bit_cast<std::int32_t>(b));
}

class TableCaseTest : public testing::TestWithParam<TableCase> {};

TEST_P(TableCaseTest, EveryTableGivesTheBytesOfTheScalarOne) {
  const std::vector<std::uint8_t> expected = GetParam().run(Scalar());
  for (const KernelTable* table : RunnableKernels()) {
    EXPECT_TRUE(table == &Scalar() || GetParam().run(*table) == expected) << "on " << table->name;
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, TableCaseTest,
                         testing::ValuesIn(TableCases().begin(), TableCases().end()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ExpTest, IsWithinTwoUlpsOfTheRoundedOne) {
  std::vector<float> x;
  for (std::uint32_t bits = 0; std::bit_cast<float>(bits) <= 88.7F; bits += 2'003) {
    x.push_back(std::bit_cast<float>(bits));
    if (x.back() <= 87.3F) x.push_back(-x.back());
  }
  std::vector<float> out(x.size());
  Best().exp(x.data(), x.size(), out.data());
  std::int64_t worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto expected = static_cast<float>(std::exp(static_cast<double>(x[i])));
    const std::int64_t ulps = UlpsBetween(out[i], expected);
    ASSERT_LE(ulps, 2) << "exp(" << x[i] << ")";
    worst = std::max(worst, ulps);
  }
  RecordProperty("worst_ulps", std::to_string(worst));
}

TEST(ExpTest, EndsInZeroAndInfinity) {
  const std::vector<float> x = {-87.3F,    -87.30001F, -1e30F,    -kInfinity, 88.7F,
                                88.70001F, 1e30F,      kInfinity, 0.0F,       -0.0F};
  std::vector<float> out(x.size());
  Scalar().exp(x.data(), x.size(), out.data());
  EXPECT_GT(out[0], 0.0F);
  EXPECT_EQ(out[1], 0.0F);
  EXPECT_EQ(out[2], 0.0F);
  EXPECT_EQ(out[3], 0.0F);
  EXPECT_LT(out[4], kInfinity);
  EXPECT_EQ(out[5], kInfinity);
  EXPECT_EQ(out[6], kInfinity);
  EXPECT_EQ(out[7], kInfinity);
  EXPECT_EQ(out[8], 1.0F);
  EXPECT_EQ(out[9], 1.0F);
}

TEST(HalfTest, WidensEveryValueExactlyAndBack) {
  for (std::uint32_t bits = 0; bits < 65'536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    float wide = 0;
    Scalar().widen_f16(&half, 1, &wide);
    std::uint16_t back = 0;
    Scalar().narrow_f16(&wide, 1, &back);
    const int exponent = static_cast<int>(bits >> 10 & 31U);
    const int mantissa = static_cast<int>(bits & 1023U);
    ASSERT_EQ(std::signbit(wide), bits >= 0x8000U) << bits;
    if (exponent == 31 && mantissa != 0) {
      ASSERT_TRUE(std::isnan(wide)) << bits;
      ASSERT_EQ(back, bits | 0x200U);
      continue;
    }
    const double expected = exponent == 31  ? static_cast<double>(kInfinity)
                            : exponent == 0 ? std::ldexp(mantissa, -24)
                                            : std::ldexp(1024 + mantissa, exponent - 25);
    ASSERT_EQ(std::fabs(static_cast<double>(wide)), expected) << bits;
    ASSERT_EQ(back, bits);
  }
}

TEST(HalfTest, NarrowsTiesToEvenAndTheRestToTheNearest) {
  const auto narrow = [](float x) {
    std::uint16_t out = 0;
    Scalar().narrow_f16(&x, 1, &out);
    return out;
  };
  for (std::uint16_t half = 0; half < 0x7C00; ++half) {
    const auto next = static_cast<std::uint16_t>(half + 1);
    float low = 0;
    float high = 65'536.0F;  // what infinity stands for in rounding
    Scalar().widen_f16(&half, 1, &low);
    if (next < 0x7C00) Scalar().widen_f16(&next, 1, &high);
    const float middle = (low + high) / 2;  // exact
    ASSERT_EQ(narrow(middle), half % 2 == 0 ? half : next) << half;
    ASSERT_EQ(narrow(-middle), (half % 2 == 0 ? half : next) | 0x8000) << half;
    ASSERT_EQ(narrow(std::nextafter(middle, 0.0F)), half) << half;
    ASSERT_EQ(narrow(std::nextafter(middle, kInfinity)), next) << half;
  }
  EXPECT_EQ(narrow(std::numeric_limits<float>::max()), 0x7C00);
  EXPECT_EQ(narrow(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Bfloat16Test, IsTheUpperHalfOfAFloat) {
  for (std::uint32_t bits = 0; bits < 65'536; ++bits) {
    const auto in = static_cast<std::uint16_t>(bits);
    float out = 0;
    Scalar().widen_bf16(&in, 1, &out);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(out), bits << 16);
  }
}

TEST(QuantizeTest, RoundsHalvesToEvenAndPadsWithZeros) {
  const std::vector<float> x = {127.0F, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 126.5F, -126.5F};
  std::vector<std::int8_t> q(64, 9);
  std::int32_t sum = 0;
  EXPECT_EQ(Scalar().quantize(x.data(), x.size(), q.size(), q.data(), &sum), 1.0F);
  std::vector<std::int8_t> expected = {127, 0, 2, 2, 0, -2, -2, 126, -126};
  expected.resize(64);
  EXPECT_EQ(q, expected);
  EXPECT_EQ(sum, 127);
}

TEST(QuantizeTest, TakesTheLargestMagnitudeButAtLeastAHundredThousandth) {
  std::vector<std::int8_t> q(3);
  std::int32_t sum = 0;
  const std::vector<float> tiny = {0.0F, 4e-6F, -0.0F};
  EXPECT_EQ(Scalar().quantize(tiny.data(), 3, 3, q.data(), &sum), 127.0F / 1e-5F);
  EXPECT_EQ(q, (std::vector<std::int8_t>{0, 51, 0}));
  EXPECT_EQ(sum, 51);
  const std::vector<float> negative = {1.0F, -4.0F, 0.0F};
  EXPECT_EQ(Scalar().quantize(negative.data(), 3, 3, q.data(), &sum), 31.75F);
  EXPECT_EQ(q, (std::vector<std::int8_t>{32, -127, 0}));
  EXPECT_EQ(sum, -95);
}

TEST(QuantizeTest, NeverLeavesTheRangeOfTheLargestValue) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (int i = 0; i < 2'000; ++i) {
    const std::vector<float> x = NormalFloats(random, 17);
    std::vector<std::int8_t> q(17);
    std::int32_t sum = 0;
    const float scale = Scalar().quantize(x.data(), 17, 17, q.data(), &sum);
    std::int32_t expected_sum = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      ASSERT_GE(q[k], -127);
      ASSERT_EQ(q[k], static_cast<int>(std::nearbyint(x[k] * scale)));
      expected_sum += q[k];
    }
    ASSERT_EQ(sum, expected_sum);
  }
}

/// Lane l of sixteen takes elements l, l + 16, ... by fma; then they are added in halves.
float LaneSumOfProducts(const float* a, const float* b, std::size_t n) {
  float lane[16] = {};
  for (std::size_t i = 0; i < n; ++i) lane[i % 16] = std::fma(a[i], b[i], lane[i % 16]);
  for (const std::size_t width : {8, 4, 2, 1}) {
    for (std::size_t l = 0; l < width; ++l) lane[l] += lane[l + width];
  }
  return lane[0];
}

TEST(DotTest, AddsInSixteenLanes) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (const std::size_t n : std::vector<std::size_t>{1, 15, 16, 17, 64, 100, 640, 2560}) {
    const std::vector<float> row = NormalFloats(random, n);
    const std::vector<float> x = NormalFloats(random, 9 * n);
    std::vector<float> out(18, -1.0F);
    Scalar().dot(row.data(), n, x.data(), n, 9, out.data(), 2);
    for (std::size_t t = 0; t < 9; ++t) {
      EXPECT_EQ(out[2 * t], LaneSumOfProducts(row.data(), x.data() + t * n, n)) << n;
      EXPECT_EQ(out[2 * t + 1], -1.0F);
    }
  }
}

TEST(RmsNormTest, DividesByTheRootOfTheMeanSquare) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (const std::size_t n : {1, 16, 77, 2560}) {
    const std::vector<float> x = NormalFloats(random, n);
    const std::vector<float> weight = NormalFloats(random, n);
    std::vector<float> out(n);
    Scalar().rms_norm(x.data(), weight.data(), n, 1e-5F, out.data());
    const float mean = LaneSumOfProducts(x.data(), x.data(), n) / static_cast<float>(n);
    const float r = 1.0F / std::sqrt(mean + 1e-5F);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], (x[i] * r) * weight[i]);
  }
}

TEST(ElementsTest, FollowTheirFormulas) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  constexpr std::size_t kN = 83;
  const std::vector<float> a = NormalFloats(random, kN);
  const std::vector<float> b = NormalFloats(random, kN);
  std::vector<float> sum = a;
  Scalar().add(sum.data(), b.data(), kN);
  std::vector<float> relu2(kN);
  Scalar().relu2_gate(a.data(), b.data(), kN, relu2.data());
  std::vector<float> silu(kN);
  Scalar().silu_gate(a.data(), b.data(), kN, silu.data());
  for (std::size_t i = 0; i < kN; ++i) {
    EXPECT_EQ(sum[i], a[i] + b[i]);
    const float positive = a[i] > 0.0F ? a[i] : 0.0F;
    EXPECT_EQ(relu2[i], positive * positive * b[i]);
    const float negative = -a[i];
    float power = 0;
    Scalar().exp(&negative, 1, &power);
    EXPECT_EQ(silu[i], a[i] / (1.0F + power) * b[i]);
    const double exact = a[i] / (1.0 + std::exp(-static_cast<double>(a[i]))) * b[i];
    EXPECT_NEAR(silu[i], exact, 1e-6 * std::fabs(exact));
  }
}

TEST(ElementsTest, SiluOfGreatMagnitudesIsTheirLimit) {
  const std::vector<float> gate = {-1e4F, 1e4F, -100.0F, 0.0F};
  const std::vector<float> up = {2.0F, 2.0F, 2.0F, 2.0F};
  std::vector<float> out(4);
  Scalar().silu_gate(gate.data(), up.data(), 4, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.0F, 2e4F, 0.0F, 0.0F}));
}

TEST(RotateTest, TurnsThePairsOfBothHalves) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE(kSeed);
  for (const std::size_t half : {2, 16, 50, 64}) {
    const std::vector<float> x = NormalFloats(random, 2 * half);
    std::vector<float> cosines(half);
    std::vector<float> sines(half);
    for (std::size_t i = 0; i < half; ++i) {
      cosines[i] = std::cos(static_cast<float>(i));
      sines[i] = std::sin(static_cast<float>(i));
    }
    std::vector<float> turned = x;
    Scalar().rotate(turned.data(), half, cosines.data(), sines.data());
    for (std::size_t i = 0; i < half; ++i) {
      const float a = x[i];
      const float b = x[i + half];
      EXPECT_EQ(turned[i], std::fma(a, cosines[i], -(b * sines[i])));
      EXPECT_EQ(turned[i + half], std::fma(b, cosines[i], a * sines[i]));
    }
  }
}

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
