#include "core/generator.h"

#include <string>

#include "core/error.h"

namespace sworn {
namespace {

constexpr double kMaxTemperature = 5;
constexpr std::size_t kMaxTopK = 1'000;
constexpr double kMaxRepeatPenalty = 2;
constexpr std::size_t kMaxRepeatWindow = 1'024;

// Written so that NaN fails.
void Check(bool in_range, std::string_view rule) {
  if (!in_range) throw Error(ErrorCode::kInvalidArgument, "the sampler's " + std::string(rule));
}

}  // namespace

SamplerOptions SamplerPreset(std::string_view name) {
  SamplerOptions options;
  if (name == "precise") return options;
  options.repeat_penalty = 1.1;
  if (name == "balanced") {
    options.temperature = 0.7;
    options.top_k = 40;
    options.top_p = 0.9;
    options.min_p = 0.05;
    return options;
  }
  if (name == "creative") {
    options.temperature = 1;
    options.top_k = 100;
    options.top_p = 0.95;
    options.min_p = 0.02;
    return options;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown preset '" + std::string(name) + "': use precise, balanced or creative");
}

void CheckSampler(const SamplerOptions& options) {
  Check(options.temperature >= 0 && options.temperature <= kMaxTemperature,
        "temperature must be 0 to 5");
  Check(options.top_k >= 1 && options.top_k <= kMaxTopK, "top_k must be 1 to 1000");
  Check(options.top_p > 0 && options.top_p <= 1, "top_p must be above 0 and at most 1");
  Check(options.min_p >= 0 && options.min_p <= 1, "min_p must be 0 to 1");
  Check(options.repeat_penalty >= 1 && options.repeat_penalty <= kMaxRepeatPenalty,
        "repeat_penalty must be 1 to 2");
  Check(options.repeat_window <= kMaxRepeatWindow, "repeat_window must be at most 1024");
}

}  // namespace sworn
