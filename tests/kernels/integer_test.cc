// The integer products of every table that this machine runs, against the scalar ones.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "kernels/panels.h"

namespace sworn::kernels {
namespace {

constexpr std::uint32_t kSeed = 20260131;
constexpr std::int32_t kGuard = 0x5A5A5A5A;

enum class Kind { kTernary, kInt8 };

struct AlignedPanel {
  explicit AlignedPanel(std::size_t bytes) : storage(bytes + 64) {
    data = storage.data() + (64 - reinterpret_cast<std::uintptr_t>(storage.data()) % 64) % 64;
  }
  std::vector<std::uint8_t> storage;
  std::uint8_t* data;
};

// One product of a panel with `tokens` rows of activations.
struct Product {
  Kind kind;
  std::size_t columns;  // before padding
  std::size_t tokens;
  std::vector<std::int8_t> weights;      // [kPanelRows, columns]
  std::vector<std::int8_t> activations;  // [tokens, columns]
};

// Activations of a padded width in rows of a larger stride, from an odd address on.
struct Activations {
  explicit Activations(const Product& product)
      : stride(PaddedColumns(product.columns) + 24), values(product.tokens * stride + 1, 0x55) {
    for (std::size_t t = 0; t < product.tokens; ++t) {
      const std::int8_t* const from = product.activations.data() + t * product.columns;
      std::int8_t* const row = values.data() + 1 + t * stride;
      std::fill_n(row, PaddedColumns(product.columns), std::int8_t{0});
      std::copy_n(from, product.columns, row);
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < product.columns; ++k) sum += from[k];
      sums.push_back(sum);
    }
  }
  std::size_t stride;
  std::vector<std::int8_t> values;
  std::vector<std::int32_t> sums;
};

std::vector<std::int32_t> Compute(const KernelTable& table, const Product& product) {
  const bool ternary = product.kind == Kind::kTernary;
  const std::size_t columns = product.columns;
  AlignedPanel panel(ternary ? TernaryPanelBytes(columns) : Int8PanelBytes(columns));
  (ternary ? PackTernaryPanel : PackInt8Panel)(product.weights, kPanelRows, columns, panel.data);
  const Activations x(product);
  constexpr std::size_t kMargin = 64;
  std::vector<std::int32_t> out(product.tokens * kPanelRows + 2 * kMargin, kGuard);
  (ternary ? table.ternary_panel : table.int8_panel)(panel.data, PaddedColumns(columns),
                                                     x.values.data() + 1, x.stride, x.sums.data(),
                                                     product.tokens, out.data() + kMargin);
  const auto is_guard = [](std::int32_t value) { return value == kGuard; };
  EXPECT_TRUE(std::all_of(out.begin(), out.begin() + kMargin, is_guard));
  EXPECT_TRUE(std::all_of(out.end() - kMargin, out.end(), is_guard));
  return {out.begin() + kMargin, out.end() - kMargin};
}

// The plain definition, without panels.
std::vector<std::int32_t> Define(const Product& product) {
  std::vector<std::int32_t> out;
  for (std::size_t t = 0; t < product.tokens; ++t) {
    for (std::size_t row = 0; row < kPanelRows; ++row) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < product.columns; ++k) {
        sum += product.weights[row * product.columns + k] *
               product.activations[t * product.columns + k];
      }
      out.push_back(sum);
    }
  }
  return out;
}

Product RandomProduct(Kind kind, std::size_t columns, std::size_t tokens, std::mt19937& random) {
  Product product{kind, columns, tokens, {}, {}};
  std::uniform_int_distribution<int> any(-128, 127);
  std::uniform_int_distribution<int> trit(-1, 1);
  product.weights.resize(kPanelRows * columns);
  product.activations.resize(tokens * columns);
  auto& weight = kind == Kind::kTernary ? trit : any;
  for (std::int8_t& value : product.weights) value = static_cast<std::int8_t>(weight(random));
  for (std::int8_t& value : product.activations) value = static_cast<std::int8_t>(any(random));
  return product;
}

class IntegerProducts : public testing::TestWithParam<const KernelTable*> {};

std::string TableName(const testing::TestParamInfo<const KernelTable*>& info) {
  return std::string(info.param->name);
}

TEST_P(IntegerProducts, AreTheDefinitionForEveryTokenCount) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  for (const Kind kind : {Kind::kTernary, Kind::kInt8}) {
    for (std::size_t tokens = 1; tokens <= 40; ++tokens) {
      const std::size_t columns = 64 * (1 + tokens % 7);
      const Product product = RandomProduct(kind, columns, tokens, random);
      ASSERT_EQ(Compute(*GetParam(), product), Define(product)) << tokens << " tokens";
    }
  }
}

TEST_P(IntegerProducts, AreTheDefinitionForEveryWidth) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  for (const Kind kind : {Kind::kTernary, Kind::kInt8}) {
    for (std::size_t columns = 1; columns <= 700; columns += columns < 140 ? 1 : 37) {
      const Product product = RandomProduct(kind, columns, 1 + columns % 9, random);
      ASSERT_EQ(Compute(*GetParam(), product), Define(product)) << columns << " columns";
    }
  }
}

TEST_P(IntegerProducts, AreThoseOfTheScalarTableAtTheWidthsOfModels) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  for (const Kind kind : {Kind::kTernary, Kind::kInt8}) {
    for (const std::size_t columns : {2560U, 6912U, 8640U}) {
      for (const std::size_t tokens : {1U, 6U, 19U, 33U}) {
        const Product product = RandomProduct(kind, columns, tokens, random);
        ASSERT_EQ(Compute(*GetParam(), product), Compute(*FindKernels("scalar"), product))
            << columns << " columns, " << tokens << " tokens";
      }
    }
  }
}

// Every sum as large as it can be, in both directions: no narrower sum on the way may wrap.
TEST_P(IntegerProducts, AreExactAtTheExtremes) {
  for (const Kind kind : {Kind::kTernary, Kind::kInt8}) {
    const bool ternary = kind == Kind::kTernary;
    for (const int weight : {ternary ? -1 : -128, ternary ? 1 : 127}) {
      for (const int x : {-128, 127}) {
        for (const std::size_t columns : {64U, 4096U, 8640U}) {
          for (const std::size_t tokens : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 16U, 17U, 32U}) {
            const Product product{
                kind, columns, tokens,
                std::vector<std::int8_t>(kPanelRows * columns, static_cast<std::int8_t>(weight)),
                std::vector<std::int8_t>(tokens * columns, static_cast<std::int8_t>(x))};
            const auto expected = static_cast<std::int32_t>(columns) * weight * x;
            ASSERT_THAT(Compute(*GetParam(), product), testing::Each(expected))
                << columns << " columns, " << tokens << " tokens, " << weight << " * " << x;
          }
        }
      }
    }
  }
}

TEST_P(IntegerProducts, OfTokensDoNotDependOnEachOther) {
  std::mt19937 random(kSeed);
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const Product all = RandomProduct(Kind::kTernary, 320, 40, random);
  const std::vector<std::int32_t> together = Compute(*GetParam(), all);
  for (std::size_t t = 0; t < all.tokens; ++t) {
    Product one{all.kind, all.columns, 1, all.weights, {}};
    const std::int8_t* const row = all.activations.data() + t * all.columns;
    one.activations.assign(row, row + all.columns);
    const std::int32_t* const sums = together.data() + t * kPanelRows;
    const std::vector<std::int32_t> expected(sums, sums + kPanelRows);
    ASSERT_EQ(Compute(*GetParam(), one), expected) << "token " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, IntegerProducts,
                         testing::ValuesIn(RunnableKernels().begin(), RunnableKernels().end()),
                         TableName);

}  // namespace
}  // namespace sworn::kernels
