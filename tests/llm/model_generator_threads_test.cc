#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "llm/decode/model_generator.h"
#include "tests/llm/generator_fixture.h"

namespace sworn::llm {
namespace {

using test::ExpectSame;
using test::Generate;
using test::MakePrompt;
using test::ManyOptions;

TEST(ModelGeneratorThreads, TheNumberOfThreadsChangesNothing) {
  const SystemClock clock;
  ThreadTeam one(1);
  ThreadTeam three(3);
  const ModelGenerator alone("tiny", "", test::LoadTiny(one), one, clock, {});
  const ModelGenerator together("tiny", "", test::LoadTiny(three), three, clock, {});
  for (const GenerationOptions& options : ManyOptions()) {
    ExpectSame(Generate(alone, MakePrompt(), options).completion,
               Generate(together, MakePrompt(), options).completion);
  }
}

TEST(ModelGeneratorThreads, GenerationsAtOnceGiveWhatEachGivesAlone) {
  const SystemClock clock;
  ThreadTeam team(2);
  const auto model = test::LoadTiny(team);
  const std::vector<GenerationOptions> all = ManyOptions();
  const auto prompt_of = [](std::size_t i) {
    return MakePrompt(std::string("Question ") + static_cast<char>('a' + i % 3) + "?");
  };
  const ModelGenerator alone("tiny", "", model, team, clock, {.prefix_bytes = 0});
  std::vector<Completion> wanted;
  wanted.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    wanted.push_back(Generate(alone, prompt_of(i), all[i]).completion);
  }
  for (const std::size_t concurrent : {std::size_t{1}, std::size_t{2}}) {
    const ModelGenerator generator("tiny", "", model, team, clock, {.concurrent = concurrent});
    std::vector<Completion> found(all.size());
    std::vector<std::thread> threads;
    threads.reserve(3);
    for (std::size_t first = 0; first < 3; ++first) {
      threads.emplace_back([&, first] {
        for (std::size_t i = first; i < all.size(); i += 3) {
          found[i] = Generate(generator, prompt_of(i), all[i]).completion;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < all.size(); ++i) ExpectSame(found[i], wanted[i]);
  }
}

TEST(ModelGeneratorThreads, IsBusyWhereNobodyMayWait) {
  const SystemClock clock;
  ThreadTeam team(1);
  const ModelGenerator generator("tiny", "", test::LoadTiny(team), team, clock, {.waiting = 0});
  const CancelFlag never;
  std::size_t busy = 0;
  const GenerationOptions options = test::Greedy(2);
  static_cast<void>(generator.Generate(MakePrompt(), options, never, [&](std::string_view) {
    std::thread([&] {
      try {
        static_cast<void>(Generate(generator, MakePrompt(), options));
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kBusy) ++busy;
      }
    }).join();
  }));
  EXPECT_GT(busy, 0U);
  EXPECT_NO_THROW(static_cast<void>(Generate(generator, MakePrompt(), options)));
}

TEST(ModelGeneratorThreads, AnotherThreadCancels) {
  const SystemClock clock;
  ThreadTeam team(2);
  const ModelGenerator generator("tiny", "", test::LoadTiny(team), team, clock, {});
  CancelFlag cancel;
  std::thread canceller;
  GenerationOptions options = test::Sampled(1);
  options.max_tokens = 500;
  const Completion completion =
      generator.Generate(MakePrompt(), options, cancel, [&](std::string_view) {
        if (!canceller.joinable()) canceller = std::thread([&] { cancel.Cancel(); });
      });
  canceller.join();
  EXPECT_LE(completion.completion_tokens, 500U);
  EXPECT_TRUE(completion.stop == StopReason::kCancelled || completion.completion_tokens == 500U ||
              completion.stop == StopReason::kEnd);
}

}  // namespace
}  // namespace sworn::llm
