// A tiny random model behind a ModelGenerator, and what its tests ask of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/generator.h"
#include "kernels/kernels.h"
#include "llm/decode/model_generator.h"
#include "llm/files/model_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace sworn::test {

/// Every look at it is a second later.
class TickingClock : public Clock {
 public:
  [[nodiscard]] std::int64_t UtcMillis() const override { return 0; }
  [[nodiscard]] std::int64_t MonotonicNanos() const override { return now_ += 1'000'000'000; }

 private:
  mutable std::int64_t now_ = 0;
};

inline std::shared_ptr<const llm::Model> LoadTiny(
    llm::ThreadTeam& team,
    const kernels::KernelTable& table = *kernels::RunnableKernels().front()) {
  const TempFolder folder;
  TinyModelOptions options;
  options.hidden = 128;
  options.ffn = 256;
  options.vocabulary = 600;
  options.seed = 5;
  TinyModel model = MakeTinyModel(options);
  // The unused tokens become some that no constraint allows.
  for (std::size_t i = 0; i < model.vocabulary.tokens.size(); ++i) {
    if (model.vocabulary.types[i] != 5) continue;
    model.vocabulary.types[i] = 1;
    model.vocabulary.tokens[i] = "[w" + std::to_string(i);
  }
  WriteTinyGguf(model, folder.path() / "tiny.gguf");
  return llm::Model::Load(llm::OpenModelFile(folder.path() / "tiny.gguf"), table, team);
}

inline Prompt MakePrompt(const std::string& question = "What is said?") {
  Prompt prompt;
  prompt.system = "Answer from the passages and cite them as [n].";
  prompt.passages = {
      "The rent is due on the first day of the month. It is paid in advance.",
      "The tenant keeps the flat clean. The landlord repairs the roof, and that in time!",
      "A notice is in writing. Nothing else counts as a notice.",
  };
  std::string text;
  for (std::size_t i = 0; i < prompt.passages.size(); ++i) {
    text += "[" + std::to_string(i + 1) + "] " + prompt.passages[i] + "\n";
  }
  prompt.turns = {{true, text + question}};
  prompt.cache_partition = "all";
  return prompt;
}

inline GenerationOptions Greedy(std::size_t max_tokens) {
  GenerationOptions options;
  options.max_tokens = max_tokens;
  return options;
}

/// Random weights say little; that makes them choose among many tokens.
inline GenerationOptions Sampled(std::uint64_t seed) {
  GenerationOptions options = Greedy(60);
  options.sampler.temperature = 2;
  options.sampler.top_k = 200;
  options.sampler.seed = seed;
  return options;
}

struct Result {
  Completion completion;
  std::vector<std::string> pieces;
};

inline Result Generate(const Generator& generator, const Prompt& prompt,
                       const GenerationOptions& options) {
  Result result;
  const CancelFlag never;
  result.completion = generator.Generate(
      prompt, options, never, [&](std::string_view piece) { result.pieces.emplace_back(piece); });
  return result;
}

inline void ExpectSame(const Completion& a, const Completion& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.stop, b.stop);
  EXPECT_EQ(a.prompt_tokens, b.prompt_tokens);
  EXPECT_EQ(a.completion_tokens, b.completion_tokens);
}

/// Greedy, with penalty, sampled; each free, citing and quoting.
inline std::vector<GenerationOptions> ManyOptions() {
  std::vector<GenerationOptions> all;
  for (const TextConstraint constraint :
       {TextConstraint::kFree, TextConstraint::kCite, TextConstraint::kQuote}) {
    const GenerationOptions greedy = Greedy(60);
    GenerationOptions penalised = greedy;
    penalised.sampler.repeat_penalty = 2;
    penalised.sampler.repeat_window = 500;
    GenerationOptions cool = Sampled(1);
    cool.sampler.temperature = 0.3;
    cool.sampler.repeat_penalty = 1.5;
    GenerationOptions hot = Sampled(3);
    hot.sampler.temperature = 5;
    for (GenerationOptions options : {greedy, penalised, cool, Sampled(2), hot}) {
      options.constraint = constraint;
      all.push_back(options);
    }
  }
  return all;
}

}  // namespace sworn::test
