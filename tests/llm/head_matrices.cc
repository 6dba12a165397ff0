#include "tests/llm/head_matrices.h"

#include <cmath>
#include <functional>
#include <random>
#include <utility>

#include "tests/support/tensor_encoder.h"

namespace sworn::llm {
namespace {

constexpr unsigned kSeed = 41;
constexpr std::size_t kRows = 4'105;  // the last panel is not full

using Values = std::vector<float>;
using Change = std::function<void(Values& weights, Values& hidden)>;

Values Normal(std::mt19937& random, std::size_t count, float scale) {
  std::normal_distribution<float> normal(0, scale);
  Values values(count);
  for (float& value : values) value = normal(random);
  return values;
}

NamedHeadCase Case(const std::string& name, std::size_t columns, DType dtype,
                   const Change& change = {}) {
  return {name, [=] {
            std::mt19937 random(kSeed);
            Values weights = Normal(random, kRows * columns, 0.02F);
            Values hidden = Normal(random, kHeadStates * columns, 1);
            if (change) change(weights, hidden);
            return MakeHeadCase(name, weights, columns, dtype, std::move(hidden));
          }};
}

std::vector<std::uint8_t> Encode(const std::vector<float>& values, DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return test::EncodeF16(values);
    case DType::kBf16:
      return test::EncodeBf16(values);
    case DType::kQ8_0:
      return test::QuantizeQ8(values);
    case DType::kQ6K:
      return test::QuantizeQ6(values);
    default:
      return test::EncodeF32(values);
  }
}

}  // namespace

std::unique_ptr<HeadCase> MakeHeadCase(const std::string& name, const std::vector<float>& values,
                                       std::size_t columns, DType dtype,
                                       std::vector<float> hidden) {
  auto made = std::make_unique<HeadCase>();
  made->name = name;
  made->rows = values.size() / columns;
  made->columns = columns;
  made->dtype = dtype;
  made->file.Add("output.weight", dtype, {made->rows, columns}, Encode(values, dtype));
  made->hidden = std::move(hidden);
  return made;
}

const std::vector<NamedHeadCase>& HeadCases() {
  static const std::vector<NamedHeadCase> kCases = {
      Case("random F16", 320, DType::kF16),
      Case("random F16, the last block not full", 300, DType::kF16),
      Case("random F32", 256, DType::kF32),
      Case("random BF16", 256, DType::kBf16),
      Case("random Q8_0", 256, DType::kQ8_0),
      Case("random Q6_K", 256, DType::kQ6K),
      Case("a few rows far above the others", 256, DType::kF16,
           [](Values& w, Values& x) {
             std::mt19937 random(kSeed);
             for (std::size_t i = 0; i < 20; ++i) {
               const std::size_t row = random() % kRows;
               const std::size_t state = i % kHeadStates;
               for (std::size_t c = 0; c < 256; ++c) w[row * 256 + c] += 0.03F * x[state * 256 + c];
             }
           }),
      Case("all rows equal", 256, DType::kF16,
           [](Values& w, Values&) {
             for (std::size_t i = 256; i < w.size(); ++i) w[i] = w[i - 256];
           }),
      Case("all weights zero", 256, DType::kF16, [](Values& w, Values&) { w.assign(w.size(), 0); }),
      Case("half of the rows zero", 256, DType::kF16,
           [](Values& w, Values&) {
             for (std::size_t i = 0; i < w.size(); ++i) w[i] = i / 256 % 2 == 0 ? 0 : w[i];
           }),
      Case("huge weights", 256, DType::kF32,
           [](Values& w, Values&) {
             for (float& weight : w) weight *= 1e17F;
           }),
      Case("weights beyond the range of the bounds", 256, DType::kF32,
           [](Values& w, Values&) {
             for (float& weight : w) weight *= 1e35F;
           }),
      Case("tiny weights", 256, DType::kF32,
           [](Values& w, Values&) {
             for (float& weight : w) weight *= 1e-36F;
           }),
      Case("subnormal weights", 256, DType::kF32,
           [](Values& w, Values&) {
             for (float& weight : w) weight *= 1e-42F;
           }),
      Case("rows that differ in one last bit", 256, DType::kF32,
           [](Values& w, Values&) {
             std::mt19937 random(kSeed);
             for (std::size_t row = 1; row < kRows; ++row) {
               for (std::size_t c = 0; c < 256; ++c) w[row * 256 + c] = w[c];
               float& weight = w[row * 256 + random() % 256];
               weight = std::nextafter(weight, random() % 2 == 0 ? -1.0F : 1.0F);
             }
           }),
      Case("an outlier column and an outlier in the state", 320, DType::kF16,
           [](Values& w, Values& x) {
             for (std::size_t i = 17; i < w.size(); i += 320) w[i] *= 40;
             for (std::size_t i = 17; i < x.size(); i += 320) x[i] *= 200;
             for (std::size_t i = 100; i < x.size(); i += 320) x[i] *= 50;
           }),
      Case("rows of very different size", 256, DType::kF32,
           [](Values& w, Values&) {
             for (std::size_t i = 0; i < w.size(); ++i)
               w[i] *= std::exp(static_cast<float>(i / 256 % 40));
           }),
      Case("one weight in each row", 256, DType::kF16,
           [](Values& w, Values&) {
             for (std::size_t i = 0; i < w.size(); ++i) {
               if (i % 256 != i / 256 * 7 % 256) w[i] = 0;
             }
           }),
      Case("states of zero, tiny, huge and two signs", 256, DType::kF16, [](Values&, Values& x) {
        const float factors[kHeadStates] = {0, 1e-30F, 1e30F, 1e-9F, 1e9F, -1};
        for (std::size_t i = 0; i < x.size(); ++i) x[i] *= factors[i / 256];
      })};
  return kCases;
}

std::unique_ptr<HeadCase> RandomHeadCase() { return HeadCases().front().make(); }

}  // namespace sworn::llm
