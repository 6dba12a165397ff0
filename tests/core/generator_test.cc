#include "core/generator.h"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn {
namespace {

void ExpectRefused(const std::function<void(SamplerOptions&)>& change, std::string_view named) {
  SamplerOptions options;
  change(options);
  try {
    CheckSampler(options);
    ADD_FAILURE() << named << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string_view(error.what()).find(named), std::string_view::npos) << error.what();
  }
}

TEST(SamplerPreset, EveryPresetIsValidAndPreciseIsGreedy) {
  for (const char* name : {"precise", "balanced", "creative"}) {
    EXPECT_NO_THROW(CheckSampler(SamplerPreset(name))) << name;
  }
  EXPECT_EQ(SamplerPreset("precise").temperature, 0);
  EXPECT_EQ(SamplerPreset("precise").repeat_penalty, 1);
  EXPECT_LT(SamplerPreset("balanced").temperature, SamplerPreset("creative").temperature);
}

TEST(SamplerPreset, AnUnknownNameIsRefused) {
  EXPECT_THROW(SamplerPreset("wild"), Error);
  EXPECT_THROW(SamplerPreset(""), Error);
}

TEST(CheckSampler, RefusesEachOptionOutOfItsRangeByName) {
  const double nan = std::nan("");
  ExpectRefused([](SamplerOptions& o) { o.temperature = -0.1; }, "temperature");
  ExpectRefused([](SamplerOptions& o) { o.temperature = 5.1; }, "temperature");
  ExpectRefused([&](SamplerOptions& o) { o.temperature = nan; }, "temperature");
  ExpectRefused([](SamplerOptions& o) { o.top_k = 0; }, "top_k");
  ExpectRefused([](SamplerOptions& o) { o.top_k = 1'001; }, "top_k");
  ExpectRefused([](SamplerOptions& o) { o.top_p = 0; }, "top_p");
  ExpectRefused([&](SamplerOptions& o) { o.top_p = nan; }, "top_p");
  ExpectRefused([](SamplerOptions& o) { o.min_p = 1.5; }, "min_p");
  ExpectRefused([](SamplerOptions& o) { o.repeat_penalty = 0.9; }, "repeat_penalty");
  ExpectRefused([](SamplerOptions& o) { o.repeat_penalty = 2.5; }, "repeat_penalty");
  ExpectRefused([](SamplerOptions& o) { o.repeat_window = 1'025; }, "repeat_window");
}

TEST(CheckSampler, AcceptsTheEndsOfTheRanges) {
  SamplerOptions options;
  options = {.temperature = 5,
             .top_k = 1'000,
             .top_p = 1,
             .min_p = 1,
             .repeat_penalty = 2,
             .repeat_window = 1'024,
             .seed = 0};
  EXPECT_NO_THROW(CheckSampler(options));
  options.top_k = 1;
  options.repeat_window = 0;
  EXPECT_NO_THROW(CheckSampler(options));
}

}  // namespace
}  // namespace sworn
