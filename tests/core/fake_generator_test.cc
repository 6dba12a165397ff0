#include "tests/support/fake_generator.h"

#include <gtest/gtest.h>

namespace sworn {
namespace {

Prompt TwoPassages() {
  Prompt prompt;
  prompt.system = "Quote.";
  prompt.turns = {{true, "What is it?"}};
  prompt.passages = {"Tea is hot. Ice is cold.", "Snow is white."};
  return prompt;
}

TEST(FakeGenerator, CopiesASentenceOfThePassageAndCitesIt) {
  test::FakeGenerator generator;
  std::string streamed;
  const CancelFlag cancel;
  const TextSink sink = [&](std::string_view piece) { streamed += piece; };
  Completion completion = generator.Generate(TwoPassages(), {}, cancel, sink);
  EXPECT_EQ(completion.text, "Tea is hot. [1]");
  EXPECT_EQ(streamed, completion.text);
  EXPECT_EQ(completion.stop, StopReason::kEnd);
  EXPECT_EQ(completion.completion_tokens, 4U);

  generator.set_passage(2);
  EXPECT_EQ(generator.Generate(TwoPassages(), {}, cancel, nullptr).text, "Snow is white. [2]");
  GenerationOptions warm;
  warm.sampler.temperature = 1;
  warm.sampler.seed = 3;
  generator.set_passage(1);
  EXPECT_EQ(generator.Generate(TwoPassages(), warm, cancel, nullptr).text, "Ice is cold. [1]");
  EXPECT_EQ(generator.calls().size(), 3U);
}

TEST(FakeGenerator, StopsAsAModelDoes) {
  test::FakeGenerator generator;
  const CancelFlag never;
  GenerationOptions options;
  options.max_tokens = 2;
  Completion completion = generator.Generate(TwoPassages(), options, never, nullptr);
  EXPECT_EQ(completion.text, "Tea is");
  EXPECT_EQ(completion.stop, StopReason::kLength);

  options = {};
  options.stop = {" hot"};
  completion = generator.Generate(TwoPassages(), options, never, nullptr);
  EXPECT_EQ(completion.text, "Tea is");
  EXPECT_EQ(completion.stop, StopReason::kStopText);

  CancelFlag cancel;
  const TextSink cancels = [&](std::string_view) { cancel.Cancel(); };
  completion = generator.Generate(TwoPassages(), {}, cancel, cancels);
  EXPECT_EQ(completion.text, "Tea");
  EXPECT_EQ(completion.stop, StopReason::kCancelled);

  generator.set_context(10);
  EXPECT_THROW(static_cast<void>(generator.Generate(TwoPassages(), {}, never, nullptr)), Error);
}

}  // namespace
}  // namespace sworn
