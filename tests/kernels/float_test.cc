// The float functions but attention against their contract in kernels/kernels.h: the scalar table
// against plain code, every other table against the scalar one.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "tests/kernels/float_support.h"
#include "tests/kernels/table_cases.h"

namespace sworn::kernels {
namespace {

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

TEST(GeluTest, IsCloseToTheErrorFunctionsOne) {
  std::vector<float> x;
  for (int i = -120'001; i <= 120'001; i += 2) x.push_back(static_cast<float>(i) * 1e-4F);
  std::vector<float> out(x.size());
  Best().gelu(x.data(), x.size(), out.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto v = static_cast<double>(x[i]);
    const double expected = 0.5 * v * std::erfc(-v / std::sqrt(2.0));
    ASSERT_NEAR(out[i], expected, 3e-7 * std::fabs(v)) << "gelu(" << x[i] << ")";
    // The tail keeps its digits, too.
    if (v > -8) {
      ASSERT_NEAR(out[i] / expected, 1, 1e-5) << "gelu(" << x[i] << ")";
    }
  }
}

TEST(GeluTest, OfGreatMagnitudesIsItsLimit) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {-infinity, infinity, -3e38F, 3e38F, -40.0F, 40.0F};
  std::vector<float> out(x.size());
  Best().gelu(x.data(), x.size(), out.data());
  EXPECT_EQ(out, (std::vector<float>{0.0F, infinity, 0.0F, 3e38F, 0.0F, 40.0F}));
}

TEST(LayerNormTest, HasMeanZeroAndVarianceOneBeforeWeightAndBias) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(3.0F, 2.0F);
  for (const std::size_t n : {1, 7, 16, 33, 384}) {
    std::vector<float> x(n);
    std::vector<float> weight(n);
    std::vector<float> bias(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = normal(random);
      weight[i] = normal(random);
      bias[i] = normal(random);
    }
    double mean = 0;
    for (const float v : x) mean += static_cast<double>(v) / static_cast<double>(n);
    double variance = 0;
    for (const float v : x) {
      variance += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
    }
    variance /= static_cast<double>(n);
    std::vector<float> out(n);
    Best().layer_norm(x.data(), weight.data(), bias.data(), n, 1e-5F, out.data());
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = (static_cast<double>(x[i]) - mean) / std::sqrt(variance + 1e-5) *
                                  static_cast<double>(weight[i]) +
                              static_cast<double>(bias[i]);
      EXPECT_NEAR(out[i], expected, 2e-5) << n << " " << i;
    }
  }
}

TEST(ScaleRowsTest, MultipliesBothScalesAndAddsTheBias) {
  const std::vector<std::int32_t> in = {4, -8, 100};
  const std::vector<float> scales = {2, 0.5F, -1};
  const std::vector<float> bias = {1, 0, -3};
  std::vector<float> out(3);
  Best().scale_rows(in.data(), 3, 0.25F, scales.data(), bias.data(), out.data());
  EXPECT_EQ(out, (std::vector<float>{3, -1, -28}));
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

TEST(ElementsTest, GeluIsItsTanhForm) {
  std::vector<float> gate;
  for (int i = -800; i <= 800; ++i) gate.push_back(static_cast<float>(i) / 100.0F);
  const std::vector<float> up(gate.size(), 3.0F);
  std::vector<float> out(gate.size());
  Scalar().gelu_gate(gate.data(), up.data(), gate.size(), out.data());
  for (std::size_t i = 0; i < gate.size(); ++i) {
    const double x = gate[i];
    const double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    // 1 + tanh cancels for negative x, in double too: the logistic form is the same number.
    const double exact = x / (1 + std::exp(-2 * inner)) * 3.0;
    EXPECT_NEAR(exact, 1.5 * x * (1 + std::tanh(inner)), 1e-12);
    // The exponent is rounded to 2^-24 of itself, and it reaches 50.
    EXPECT_NEAR(out[i], exact, 1e-5 * std::fabs(exact)) << x;
  }
}

TEST(ElementsTest, GeluOfGreatMagnitudesIsItsLimit) {
  const std::vector<float> gate = {-1e20F, 1e20F, -100.0F, 100.0F, 0.0F};
  const std::vector<float> up(5, 2.0F);
  std::vector<float> out(5);
  Scalar().gelu_gate(gate.data(), up.data(), 5, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.0F, 2e20F, 0.0F, 200.0F, 0.0F}));
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

}  // namespace
}  // namespace sworn::kernels
