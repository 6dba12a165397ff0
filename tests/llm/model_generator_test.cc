#include "llm/decode/model_generator.h"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text/unicode.h"
#include "llm/decode/constraint.h"
#include "llm/decode/sampler.h"
#include "llm/graph/transformer.h"
#include "llm/text/text_stream.h"
#include "tests/llm/generator_fixture.h"
#include "tests/llm/quote_check.h"

namespace sworn::llm {
namespace {

using test::ExpectSame;
using test::Generate;
using test::Greedy;
using test::MakePrompt;
using test::ManyOptions;
using test::Sampled;

ThreadTeam& Team() {
  static ThreadTeam team(1);
  return team;
}

const std::shared_ptr<const Model>& TinyModel() {
  static const std::shared_ptr<const Model> model = test::LoadTiny(Team());
  return model;
}

class ModelGeneratorTest : public testing::Test {
 protected:
  [[nodiscard]] ModelGenerator Make(const ModelGeneratorOptions& options = {}) const {
    return {"tiny", std::string(64, 'a'), TinyModel(), Team(), clock_, options};
  }

  template <typename Call>
  static std::optional<ErrorCode> CodeOf(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  }

  const test::TickingClock clock_{};
};

std::vector<Token> RenderPrompt(const Prompt& prompt) {
  return TinyModel()->chat().Render(
      std::vector<Message>{{Role::kSystem, prompt.system}, {Role::kUser, prompt.turns[0].text}});
}

// One token at a time, every logit of every step, and nothing clever. The bytes of the tokens.
std::string PlainGenerate(const Prompt& prompt, const GenerationOptions& options) {
  const Model& model = *TinyModel();
  const Tokenizer& tokenizer = model.tokenizer();
  const std::vector<Token> tokens = RenderPrompt(prompt);
  KvCache cache(model.config(), tokens.size() + options.max_tokens);
  Transformer transformer(model, Team());
  Sampler sampler(options.sampler);
  for (const Token token : tokens) sampler.Accept(token);
  std::optional<Constraint> constraint;
  if (options.constraint != TextConstraint::kFree) {
    constraint.emplace(options.constraint, prompt.passages);
  }
  const CancelFlag never;
  auto hidden = transformer.Forward(tokens, 1, cache, never);
  std::string text;
  for (std::size_t i = 0; i < options.max_tokens; ++i) {
    std::vector<float> logits(model.head().vocabulary());
    model.head().Logits(hidden, 1, Team(), logits.data());
    std::vector<TokenLogit> allowed;
    for (Token token = 0; token < static_cast<Token>(tokenizer.vocabulary()); ++token) {
      const bool is_end = std::find(tokenizer.ends().begin(), tokenizer.ends().end(), token) !=
                          tokenizer.ends().end();
      const std::string_view bytes = tokenizer.Bytes(token);
      if (constraint && is_end && !constraint->may_end()) continue;
      if (constraint && !is_end && (bytes.empty() || !constraint->Allows(bytes))) continue;
      allowed.push_back({token, logits[static_cast<std::size_t>(token)]});
    }
    const Token token = allowed.size() == 1 ? allowed[0].token : sampler.Choose(allowed);
    if (std::find(tokenizer.ends().begin(), tokenizer.ends().end(), token) !=
        tokenizer.ends().end()) {
      break;
    }
    sampler.Accept(token);
    if (constraint) constraint->Accept(tokenizer.Bytes(token));
    text += tokenizer.Bytes(token);
    hidden = transformer.Forward({&token, 1}, 1, cache, never);
  }
  return text.substr(0, text.size() - (constraint ? constraint->unfinished() : 0));
}

// As TextStream has it.
std::string ValidUtf8(const std::string& bytes) {
  const TextSink none;
  TextStream stream({}, none);
  EXPECT_FALSE(stream.Push(bytes, 0));
  stream.Finish(0);
  return stream.text();
}

TEST_F(ModelGeneratorTest, WritesWhatAPlainLoopWrites) {
  const ModelGenerator generator = Make();
  for (const GenerationOptions& options : ManyOptions()) {
    const auto result = Generate(generator, MakePrompt(), options);
    EXPECT_EQ(result.completion.text, ValidUtf8(PlainGenerate(MakePrompt(), options)));
  }
}

TEST_F(ModelGeneratorTest, DraftingChangesNothingButTheSteps) {
  const ModelGenerator generator = Make();
  std::size_t drafted = 0;
  std::size_t accepted = 0;
  for (GenerationOptions options : ManyOptions()) {
    options.draft_from_passages = true;
    const Completion with = Generate(generator, MakePrompt(), options).completion;
    options.draft_from_passages = false;
    const Completion without = Generate(generator, MakePrompt(), options).completion;
    ExpectSame(with, without);
    EXPECT_EQ(without.drafted_tokens, 0U);
    EXPECT_LE(with.accepted_tokens, with.drafted_tokens);
    drafted += with.drafted_tokens;
    accepted += with.accepted_tokens;
  }
  EXPECT_GT(accepted, 0U);
  EXPECT_GT(drafted, accepted) << "no guess was ever wrong";
}

TEST_F(ModelGeneratorTest, ACachedBeginningChangesNothing) {
  const ModelGenerator cold = Make({.prefix_bytes = 0});
  const ModelGenerator warm = Make();
  EXPECT_EQ(Generate(warm, MakePrompt(), Sampled(9)).completion.cached_tokens, 0U);
  for (const std::string question : {"What is said?", "Who pays?", "What is said?"}) {
    for (const GenerationOptions& options : {Sampled(7), Greedy(40)}) {
      const Completion a = Generate(cold, MakePrompt(question), options).completion;
      const Completion b = Generate(warm, MakePrompt(question), options).completion;
      EXPECT_EQ(a.cached_tokens, 0U);
      EXPECT_GE(b.cached_tokens, kPagePositions);
      EXPECT_LT(b.cached_tokens, b.prompt_tokens);
      ExpectSame(a, b);
    }
  }
}

TEST_F(ModelGeneratorTest, SharesNoBeginningsBetweenPartitions) {
  const ModelGenerator generator = Make();
  Prompt prompt = MakePrompt();
  const GenerationOptions options = Greedy(1);
  EXPECT_EQ(Generate(generator, prompt, options).completion.cached_tokens, 0U);
  EXPECT_GT(Generate(generator, prompt, options).completion.cached_tokens, 0U);
  prompt.cache_partition = "others";
  EXPECT_EQ(Generate(generator, prompt, options).completion.cached_tokens, 0U);
}

TEST_F(ModelGeneratorTest, ACachedBeginningLeavesAtLeastOneToken) {
  // Prompts of all lengths around a page's end.
  const ModelGenerator generator = Make();
  const ModelGenerator cold = Make({.prefix_bytes = 0});
  std::string question;
  for (int i = 0; i < 70; ++i) {
    question += "~";
    const GenerationOptions options = Greedy(2);
    const Completion first = Generate(generator, MakePrompt(question), options).completion;
    const Completion again = Generate(generator, MakePrompt(question), options).completion;
    ExpectSame(first, again);
    ExpectSame(first, Generate(cold, MakePrompt(question), options).completion);
    EXPECT_EQ(again.cached_tokens, (again.prompt_tokens - 1) / kPagePositions * kPagePositions);
  }
}

TEST_F(ModelGeneratorTest, TheKernelTableChangesNothing) {
  const ModelGenerator best = Make();
  for (const kernels::KernelTable* table : kernels::RunnableKernels()) {
    SCOPED_TRACE(table->name);
    const ModelGenerator other("tiny", "", test::LoadTiny(Team(), *table), Team(), clock_, {});
    EXPECT_EQ(other.identity().kernels, table->name);
    for (const GenerationOptions& options : {Greedy(60), Sampled(6)}) {
      ExpectSame(Generate(best, MakePrompt(), options).completion,
                 Generate(other, MakePrompt(), options).completion);
    }
  }
}

TEST_F(ModelGeneratorTest, SeedsReproduce) {
  const ModelGenerator generator = Make();
  const std::string one = Generate(generator, MakePrompt(), Sampled(1)).completion.text;
  EXPECT_EQ(Generate(generator, MakePrompt(), Sampled(1)).completion.text, one);
  EXPECT_NE(Generate(generator, MakePrompt(), Sampled(2)).completion.text, one);
}

TEST_F(ModelGeneratorTest, CitesOnlyPassagesThatExist) {
  const ModelGenerator generator = Make();
  GenerationOptions options = Sampled(0);
  options.constraint = TextConstraint::kCite;
  options.sampler.temperature = 5;
  options.sampler.top_k = 1'000;
  options.max_tokens = 150;
  std::size_t citations = 0;
  for (; options.sampler.seed < 20; ++options.sampler.seed) {
    const std::string text = Generate(generator, MakePrompt(), options).completion.text;
    for (const int number : test::Citations(text)) {
      ++citations;
      EXPECT_TRUE(number >= 1 && number <= 3) << text;
    }
  }
  EXPECT_GT(citations, 0U);
}

TEST_F(ModelGeneratorTest, QuotesVerbatim) {
  const ModelGenerator generator = Make();
  GenerationOptions options = Sampled(0);
  options.constraint = TextConstraint::kQuote;
  std::size_t ended = 0;
  std::size_t citations = 0;
  for (; options.sampler.seed < 20; ++options.sampler.seed) {
    options.max_tokens = 20 + 20 * options.sampler.seed;
    const Completion completion = Generate(generator, MakePrompt(), options).completion;
    test::CheckQuotes(completion.text, MakePrompt().passages);
    citations += test::Citations(completion.text).size();
    const bool says_something = completion.text.find_first_not_of(" \n") != std::string::npos;
    if (completion.stop == StopReason::kEnd && says_something) {
      ++ended;
      EXPECT_FALSE(test::Citations(completion.text).empty());
    }
  }
  EXPECT_GT(citations, 0U);
  EXPECT_GT(ended, 0U);
}

TEST_F(ModelGeneratorTest, StreamsValidTextInWholeCodePoints) {
  const ModelGenerator generator = Make();
  std::size_t replaced = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto result = Generate(generator, MakePrompt(), Sampled(seed));
    std::string joined;
    for (const std::string& piece : result.pieces) {
      EXPECT_TRUE(text::IsValidUtf8(piece));
      EXPECT_FALSE(piece.empty());
      joined += piece;
    }
    EXPECT_EQ(joined, result.completion.text);
    replaced += joined.find("\uFFFD") != std::string::npos ? 1U : 0U;
  }
  EXPECT_GT(replaced, 0U) << "the model never wrote an invalid byte";
}

TEST_F(ModelGeneratorTest, StopsBeforeAStopText) {
  const ModelGenerator generator = Make();
  GenerationOptions options = Sampled(0);
  std::string whole;  // the first that is long enough
  for (; whole.size() < 60 && options.sampler.seed < 100; ++options.sampler.seed) {
    whole = Generate(generator, MakePrompt(), options).completion.text;
  }
  --options.sampler.seed;
  ASSERT_GE(whole.size(), 60U);
  for (std::size_t begin = 5; begin < 30; ++begin) {
    const std::size_t from = text::CutAtCodePoint(whole, begin);
    const std::size_t to = text::CutAtCodePoint(whole, from + 7);
    options.stop = {whole.substr(from, to - from), "never written"};
    const auto result = Generate(generator, MakePrompt(), options);
    EXPECT_EQ(result.completion.text, whole.substr(0, whole.find(options.stop[0])));
    EXPECT_EQ(result.completion.stop, StopReason::kStopText);
  }
}

TEST_F(ModelGeneratorTest, StopsWithinOneTokenOfACancellation) {
  const ModelGenerator generator = Make();
  for (const bool drafting : {false, true}) {
    GenerationOptions options = Greedy(60);
    options.draft_from_passages = drafting;
    const auto whole = Generate(generator, MakePrompt(), options);
    ASSERT_GT(whole.pieces.size(), 10U);
    for (std::size_t after = 1; after < 10; ++after) {
      CancelFlag cancel;
      std::size_t pieces = 0;
      const Completion cut =
          generator.Generate(MakePrompt(), options, cancel, [&](std::string_view) {
            if (++pieces == after) cancel.Cancel();
          });
      EXPECT_EQ(cut.stop, StopReason::kCancelled);
      EXPECT_EQ(pieces, after);
      EXPECT_TRUE(whole.completion.text.starts_with(cut.text));
      EXPECT_EQ(cut.prompt_tokens, whole.completion.prompt_tokens);
    }
  }
  CancelFlag cancelled;
  cancelled.Cancel();
  const Completion none = generator.Generate(MakePrompt(), Sampled(1), cancelled, nullptr);
  EXPECT_EQ(none.stop, StopReason::kCancelled);
  EXPECT_EQ(none.text, "");
  EXPECT_EQ(none.completion_tokens, 0U);
}

TEST_F(ModelGeneratorTest, ReportsUsageAndTimes) {
  const ModelGenerator generator = Make({.context = 900});
  EXPECT_EQ(generator.identity().id, "tiny");
  EXPECT_EQ(generator.identity().sha256, std::string(64, 'a'));
  EXPECT_EQ(generator.identity().kernels, kernels::RunnableKernels().front()->name);
  EXPECT_EQ(generator.identity().context, 900U);
  EXPECT_EQ(generator.CountTokens("abc"), TinyModel()->tokenizer().Encode("abc").size());
  const Completion completion = Generate(generator, MakePrompt(), Greedy(7)).completion;
  EXPECT_EQ(completion.prompt_tokens, generator.CountTokens(MakePrompt()));
  EXPECT_EQ(completion.prompt_tokens, RenderPrompt(MakePrompt()).size());
  EXPECT_EQ(completion.completion_tokens, 7U);
  EXPECT_EQ(completion.stop, StopReason::kLength);
  EXPECT_EQ(completion.prefill_seconds, 1.0);
  EXPECT_EQ(completion.decode_seconds, 1.0);
}

TEST_F(ModelGeneratorTest, RefusesWhatDoesNotFit) {
  const std::size_t prompt_tokens = Make().CountTokens(MakePrompt());
  const ModelGenerator tight = Make({.context = prompt_tokens + 5});
  const auto code = [&](const ModelGenerator& generator, const Prompt& prompt,
                        const GenerationOptions& options) {
    return CodeOf([&] { static_cast<void>(Generate(generator, prompt, options)); });
  };
  EXPECT_EQ(code(tight, MakePrompt(), Greedy(5)), std::nullopt);
  EXPECT_EQ(code(tight, MakePrompt(), Greedy(6)), ErrorCode::kTooLarge);
  EXPECT_EQ(code(tight, MakePrompt(), Greedy(SIZE_MAX)), ErrorCode::kTooLarge);
  EXPECT_EQ(code(tight, MakePrompt(), Greedy(0)), ErrorCode::kInvalidArgument);

  Prompt prompt = MakePrompt();
  prompt.turns.push_back({false, "An answer."});
  const GenerationOptions one = Greedy(1);
  EXPECT_EQ(code(tight, prompt, one), ErrorCode::kInvalidArgument);
  prompt.turns.clear();
  EXPECT_EQ(code(tight, prompt, one), ErrorCode::kInvalidArgument);
  GenerationOptions stops = one;
  stops.stop = {""};
  EXPECT_EQ(code(tight, MakePrompt(), stops), ErrorCode::kInvalidArgument);
  GenerationOptions hot = one;
  hot.sampler.temperature = 9;
  EXPECT_EQ(code(tight, MakePrompt(), hot), ErrorCode::kInvalidArgument);

  EXPECT_EQ(CodeOf([&] { static_cast<void>(Make({.context = 1'000'000})); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf([&] { static_cast<void>(Make({.concurrent = 0})); }),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sworn::llm
