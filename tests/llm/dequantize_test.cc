#include "llm/files/dequantize.h"

#include <bit>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "kernels/kernels.h"
#include "tests/support/model_in_memory.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensor_encoder.h"
#include "tests/support/tiny_model.h"

namespace sworn::llm {
namespace {

using test::Bytes;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Optional;

constexpr std::uint64_t kSeed = 20'240;

TensorView View(DType dtype, std::vector<std::size_t> shape, const Bytes& bytes) {
  return {.name = "blk.0.attn_q.weight", .dtype = dtype, .shape = std::move(shape), .bytes = bytes};
}

std::vector<float> Row(const TensorView& tensor, std::size_t row) {
  std::vector<float> out(tensor.columns());
  WidenRow(tensor, row, *kernels::FindKernels("scalar"), out.data());
  return out;
}

std::vector<std::int8_t> Random(std::mt19937_64& random, std::size_t count, int low, int high) {
  std::vector<std::int8_t> values(count);
  for (auto& value : values) {
    value = static_cast<std::int8_t>(
        low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
  }
  return values;
}

std::uint16_t RandomHalf(std::mt19937_64& random) {  // finite, of any sign and size
  const auto bits = static_cast<std::uint16_t>(random());
  return (bits & 0x7C00) == 0x7C00 ? static_cast<std::uint16_t>(bits & 0x83FF) : bits;
}

TEST(WidenRowTest, Q8IsScaleTimesInteger) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  Bytes bytes;
  std::vector<float> expected;
  for (int block = 0; block < 40; ++block) {
    const std::uint16_t half = RandomHalf(random);
    const auto q = Random(random, 32, -128, 127);
    const Bytes encoded = test::EncodeQ8Block(half, q);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
    for (const std::int8_t value : q) {
      expected.push_back(test::FromHalf(half) * static_cast<float>(value));
    }
  }
  const TensorView tensor = View(DType::kQ8_0, {20, 64}, bytes);
  for (std::size_t row = 0; row < 20; ++row) {
    EXPECT_THAT(Row(tensor, row),
                ElementsAreArray(expected.begin() + row * 64, expected.begin() + (row + 1) * 64));
  }
}

TEST(WidenRowTest, Q6IsScaleTimesSubScaleTimesInteger) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  Bytes bytes;
  std::vector<double> expected;
  for (int block = 0; block < 12; ++block) {
    const std::uint16_t half = RandomHalf(random);
    const auto sub_scales = Random(random, 16, -128, 127);
    const auto q = Random(random, 256, -32, 31);
    const Bytes encoded = test::EncodeQ6Block(half, sub_scales, q);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
    for (std::size_t i = 0; i < 256; ++i) {
      // Exact: 11, 8 and 6 bits fit a float's 24 when the 128 and 32 of them are powers of two.
      expected.push_back(static_cast<double>(test::FromHalf(half)) * sub_scales[i / 16] * q[i]);
    }
  }
  const TensorView tensor = View(DType::kQ6K, {6, 512}, bytes);
  for (std::size_t row = 0; row < 6; ++row) {
    EXPECT_THAT(Row(tensor, row),
                ElementsAreArray(expected.begin() + row * 512, expected.begin() + (row + 1) * 512));
  }
}

TEST(WidenRowTest, TernaryBlocksHaveTheirOwnScales) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  for (const DType dtype : {DType::kTq1_0, DType::kTq2_0}) {
    Bytes bytes;
    std::vector<float> expected;
    for (int block = 0; block < 8; ++block) {
      const std::uint16_t half = RandomHalf(random);
      const auto t = Random(random, 256, -1, 1);
      const Bytes encoded =
          dtype == DType::kTq1_0 ? test::EncodeTq1Block(half, t) : test::EncodeTq2Block(half, t);
      bytes.insert(bytes.end(), encoded.begin(), encoded.end());
      for (const std::int8_t value : t) {
        expected.push_back(test::FromHalf(half) * static_cast<float>(value));
      }
    }
    const TensorView tensor = View(dtype, {4, 512}, bytes);
    for (std::size_t row = 0; row < 4; ++row) {
      EXPECT_THAT(Row(tensor, row), ElementsAreArray(expected.begin() + row * 512,
                                                     expected.begin() + (row + 1) * 512));
    }
  }
}

TEST(WidenRowTest, FloatsComeBackAtAnyAddress) {
  const std::vector<float> values = {0, 1, -2.5F, 0x1p-24F, 65'504, -0x1p-14F, 0.125F, 3};
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBf16}) {
    const std::vector<float> exact =
        dtype == DType::kBf16
            ? std::vector<float>{0, 1, -2.5F, 0x1p-24F, 65'536, -0x1p-14F, 0.125F, 3}
            : values;
    Bytes bytes = dtype == DType::kF32   ? test::EncodeF32(values)
                  : dtype == DType::kF16 ? test::EncodeF16(values)
                                         : test::EncodeBf16(values);
    bytes.insert(bytes.begin(), 0xAA);
    TensorView tensor = View(dtype, {2, 4}, bytes);
    tensor.bytes = tensor.bytes.subspan(1);
    for (std::size_t row = 0; row < 2; ++row) {
      EXPECT_THAT(Row(tensor, row),
                  ElementsAreArray(exact.begin() + row * 4, exact.begin() + (row + 1) * 4));
    }
  }
}

TEST(WidenRowTest, OtherTypesAreRefusedByName) {
  const Bytes bytes(18);
  TensorView tensor = View(DType::kOther, {1, 32}, bytes);
  tensor.stored_type = "Q4_0";
  EXPECT_FALSE(CanWiden(DType::kOther));
  try {
    Row(tensor, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupportedMedia);
    EXPECT_THAT(error.what(), HasSubstr("Q4_0"));
  }
}

// Every type, from its own encoder.
class TernaryTest : public testing::TestWithParam<DType> {
 protected:
  static Bytes Encode(const std::vector<std::int8_t>& t, std::size_t rows, float scale) {
    switch (GetParam()) {
      case DType::kI2S:
        return test::EncodeI2s(t, scale);
      case DType::kTq1_0:
        return test::EncodeTq1(t, scale);
      case DType::kTq2_0:
        return test::EncodeTq2(t, scale);
      case DType::kPackedUint8:
        return test::EncodePackedUint8(t, rows);
      default:
        return test::EncodePanels(t, rows);
    }
  }
};

TEST_P(TernaryTest, RowsComeBackFromAnyFirstRow) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  const std::size_t rows = 132;
  const std::size_t columns = 256;
  const auto t = Random(random, rows * columns, -1, 1);
  const Bytes bytes = Encode(t, rows, 0.25F);
  const TensorView tensor = View(GetParam(), {rows, columns}, bytes);
  for (const auto& [first, count] :
       {std::pair<std::size_t, std::size_t>{0, rows}, {1, 1}, {63, 2}, {60, 70}, {131, 1}}) {
    std::vector<std::int8_t> out(count * columns);
    TernaryRows(tensor, first, count, out.data());
    EXPECT_THAT(
        out, ElementsAreArray(t.begin() + first * columns, t.begin() + (first + count) * columns));
  }
}

TEST_P(TernaryTest, TheScaleOfTheTypeAndOfTheTensorMultiply) {
  const std::vector<std::int8_t> t(64 * 256, 1);
  const Bytes bytes = Encode(t, 64, 0.25F);
  test::ModelInMemory file;
  file.Add("blk.0.attn_q.weight", GetParam(), {64, 256}, bytes);
  const bool has_own = GetParam() != DType::kPackedUint8 && GetParam() != DType::kPanels;
  if (has_own) {
    EXPECT_THAT(TernaryScale(file, *file.Find("blk.0.attn_q.weight")), Optional(0.25F));
  } else {
    EXPECT_THROW(TernaryScale(file, *file.Find("blk.0.attn_q.weight")), Error);
  }
  file.Add("blk.0.attn_q.scale", DType::kF32, {1}, test::EncodeF32(std::vector<float>{3}));
  EXPECT_THAT(TernaryScale(file, *file.Find("blk.0.attn_q.weight")),
              Optional(has_own ? 0.75F : 3.0F));
}

TEST_P(TernaryTest, AnInvalidCodeIsRefused) {
  const std::vector<std::int8_t> t(64 * 256, 1);
  Bytes bytes = Encode(t, 64, 1);
  bytes[40] = 0xFF;
  std::vector<std::int8_t> out(t.size());
  if (GetParam() == DType::kTq1_0) {  // every byte of it stands for weights
    TernaryRows(View(GetParam(), {64, 256}, bytes), 0, 64, out.data());
    EXPECT_THAT(out, testing::Each(testing::AllOf(testing::Ge(-1), testing::Le(1))));
    return;
  }
  try {
    TernaryRows(View(GetParam(), {64, 256}, bytes), 0, 64, out.data());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
    EXPECT_THAT(error.what(), HasSubstr("blk.0.attn_q.weight"));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, TernaryTest,
                         testing::Values(DType::kI2S, DType::kTq1_0, DType::kTq2_0,
                                         DType::kPackedUint8, DType::kPanels),
                         [](const auto& type) { return std::string(DTypeName(type.param)); });

TEST(TernaryScaleTest, BlocksThatDifferHaveNoCommonScale) {
  const std::vector<std::int8_t> ones(256, 1);
  Bytes bytes = test::EncodeTq2Block(test::ToHalf(1), ones);
  const Bytes other = test::EncodeTq2Block(test::ToHalf(2), ones);
  bytes.insert(bytes.end(), other.begin(), other.end());
  const test::ModelInMemory file;
  EXPECT_EQ(TernaryScale(file, View(DType::kTq2_0, {1, 512}, bytes)), std::nullopt);
}

TEST(TernaryScaleTest, ABlockOfScaleZeroIsZerosAndDoesNotCount) {
  const std::vector<std::int8_t> ones(256, 1);
  Bytes bytes = test::EncodeTq2Block(test::ToHalf(0), ones);
  const Bytes other = test::EncodeTq2Block(test::ToHalf(2), ones);
  bytes.insert(bytes.end(), other.begin(), other.end());
  const test::ModelInMemory file;
  const TensorView tensor = View(DType::kTq2_0, {2, 256}, bytes);
  EXPECT_THAT(TernaryScale(file, tensor), Optional(2.0F));
  std::vector<std::int8_t> out(512);
  TernaryRows(tensor, 0, 2, out.data());
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[256], 1);
}

TEST(TernaryScaleTest, AScaleThatIsNotAboveZeroIsRefused) {
  const std::vector<std::int8_t> ones(128, 1);
  const test::ModelInMemory file;
  for (const float scale : {0.0F, -1.0F, std::bit_cast<float>(0x7FC0'0000), 1.0F / 0.0F}) {
    const Bytes bytes = test::EncodeI2s(ones, scale);
    EXPECT_THROW(TernaryScale(file, View(DType::kI2S, {1, 128}, bytes)), Error) << scale;
  }
}

}  // namespace
}  // namespace sworn::llm
