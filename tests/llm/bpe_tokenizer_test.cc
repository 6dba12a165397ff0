#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "llm/text/tokenizer.h"
#include "tests/llm/fake_model_file.h"
#include "tests/llm/random_text.h"

namespace sworn::llm {
namespace {

using test::ByteLevelFile;
using test::FakeModelFile;
using test::FakeToken;
using Tokens = std::vector<Token>;

// The first merge is token 256, and so on.
std::vector<std::pair<std::string, std::string>> Merges() {
  return {{"l", "o"}, {"lo", "w"}, {"e", "r"}, {" ", "low"}, {"w", "er"}, {"n", "e"}, {"a", "a"}};
}
constexpr Token kLo = 256;
constexpr Token kLow = 257;
constexpr Token kEr = 258;
constexpr Token kSpaceLow = 259;
constexpr Token kWer = 260;
constexpr Token kNe = 261;
constexpr Token kAa = 262;

std::string ErrorOf(const FakeModelFile& file, ErrorCode code) {
  try {
    LoadTokenizer(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no error";
}

Tokens Ends(const Tokenizer& tokenizer) {
  return {tokenizer.ends().begin(), tokenizer.ends().end()};
}

TEST(BpeTokenizer, JoinsTheLowestRankFirst) {
  const auto tokenizer = LoadTokenizer(ByteLevelFile(Merges(), {}, "gpt-2"));
  // l o w e r: lo, then low (rank 1), then er (rank 2); wer (rank 4) finds no w any more.
  EXPECT_EQ(tokenizer->Encode("lower"), (Tokens{kLow, kEr}));
  // n e w e r: er before ne, then wer.
  EXPECT_EQ(tokenizer->Encode("newer"), (Tokens{kNe, kWer}));
  EXPECT_EQ(tokenizer->Encode("low low"), (Tokens{kLow, kSpaceLow}));
  EXPECT_EQ(tokenizer->Encode("lox"), (Tokens{kLo, 'x'}));
  EXPECT_TRUE(tokenizer->Encode("").empty());
}

TEST(BpeTokenizer, JoinsEqualRanksFromTheLeft) {
  const auto tokenizer = LoadTokenizer(ByteLevelFile(Merges(), {}, "gpt-2"));
  EXPECT_EQ(tokenizer->Encode("aaaaa"), (Tokens{kAa, kAa, 'a'}));
}

TEST(BpeTokenizer, TakesAWholeTokenWithoutMergesForLlama3Only) {
  const std::vector<FakeToken> whole = {{"xyz"}};  // no merge leads to it
  EXPECT_EQ(LoadTokenizer(ByteLevelFile(Merges(), whole, "llama-bpe"))->Encode("xyz"), Tokens{263});
  EXPECT_EQ(LoadTokenizer(ByteLevelFile(Merges(), whole, "gpt-2"))->Encode("xyz"),
            (Tokens{'x', 'y', 'z'}));
}

TEST(BpeTokenizer, UserDefinedTokensAreFoundInTextTheLongestFirst) {
  const auto tokenizer =
      LoadTokenizer(ByteLevelFile(Merges(), {{"  ", 4}, {"   ", 4}, {"lo", 4}}, "gpt-2"));
  EXPECT_EQ(tokenizer->Encode("a   low     "), (Tokens{'a', 264, 265, 'w', 264, 263}));
  EXPECT_EQ(tokenizer->Decode(Tokens{'a', 264, 265, 'w'}), "a   low");
}

TEST(BpeTokenizer, NoTextBecomesAControlToken) {
  // One control token by its type, one role marker that the file calls user-defined, and one whose
  // text is the result of merges.
  auto merges = Merges();
  merges.emplace_back("<", "x");
  merges.emplace_back("<x", ">");
  FakeModelFile file = ByteLevelFile(merges, {{"<|eot_id|>", 3}, {"<|user|>", 4}}, "llama-bpe");
  file.Integers("tokenizer.ggml.token_type")[264] = 3;  // "<x>"
  const auto tokenizer = LoadTokenizer(file);
  for (const std::string text : {"<|eot_id|>", "<|user|>", "<x>", "a<|eot_id|><|user|><x>b"}) {
    const Tokens tokens = tokenizer->Encode(text);
    for (const Token token : tokens) EXPECT_LT(token, 264) << text;
    EXPECT_EQ(tokenizer->Decode(tokens), text);
  }
  EXPECT_EQ(tokenizer->Control("<|eot_id|>"), Token{265});
  EXPECT_EQ(tokenizer->Control("<|user|>"), Token{266});
  EXPECT_EQ(tokenizer->Control("<x>"), Token{264});
  EXPECT_EQ(tokenizer->Control("lo"), std::nullopt);
  EXPECT_EQ(tokenizer->Bytes(265), "");
}

TEST(BpeTokenizer, KnowsEveryTokenThatEndsAText) {
  FakeModelFile file = ByteLevelFile(
      Merges(), {{"<|end_of_text|>", 3}, {"<|eot_id|>", 3}, {"<|begin_of_text|>", 3}}, "");
  file.values["general.architecture"] = std::string("bitnet-b1.58");
  file.values["tokenizer.ggml.eos_token_id"] = std::uint64_t{263};
  const auto tokenizer = LoadTokenizer(file);
  EXPECT_EQ(Ends(*tokenizer), (Tokens{263, 264}));
  EXPECT_EQ(tokenizer->bos(), Token{265});
  EXPECT_TRUE(tokenizer->adds_bos());
  file.values["tokenizer.ggml.add_bos_token"] = false;
  EXPECT_FALSE(LoadTokenizer(file)->adds_bos());
}

TEST(BpeTokenizer, AssumesLlama3ForBitnetWithoutAPreTokenizer) {
  FakeModelFile file = ByteLevelFile(Merges(), {{"123"}, {"1234"}}, "");
  for (const char* architecture : {"bitnet-b1.58", "bitnet-25", "bitnet"}) {
    file.values["general.architecture"] = std::string(architecture);
    EXPECT_EQ(LoadTokenizer(file)->Encode("1234"), (Tokens{263, '4'})) << architecture;
  }
  file.values["general.architecture"] = std::string("llama");
  EXPECT_NE(ErrorOf(file, ErrorCode::kUnsupportedMedia).find("tokenizer.ggml.pre"),
            std::string::npos);
  file.values["tokenizer.ggml.pre"] = std::string("chatglm-bpe");
  EXPECT_NE(ErrorOf(file, ErrorCode::kUnsupportedMedia).find("'chatglm-bpe'"), std::string::npos);
}

TEST(BpeTokenizer, RefusesTextThatIsTooLongOrNoUtf8) {
  const auto tokenizer = LoadTokenizer(ByteLevelFile(Merges(), {}, "gpt-2"));
  const auto code = [&](const std::string& text) {
    try {
      tokenizer->Encode(text);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code("a\xFF"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(std::string(kMaxEncodeBytes + 1, 'a')), ErrorCode::kTooLarge);
  EXPECT_THROW((void)tokenizer->Bytes(263), Error);
  EXPECT_THROW((void)tokenizer->Bytes(-1), Error);
}

TEST(BpeTokenizer, AByteWithoutTokenIsUnknownOrRefused) {
  FakeModelFile file = ByteLevelFile(Merges(), {}, "gpt-2");
  file.Integers("tokenizer.ggml.token_type")['q'] = 5;
  EXPECT_THROW((void)LoadTokenizer(file)->Encode("q"), Error);
  file.values["tokenizer.ggml.unknown_token_id"] = std::uint64_t{'?'};
  EXPECT_EQ(LoadTokenizer(file)->Encode("aq"), (Tokens{'a', '?'}));
  file.Integers("tokenizer.ggml.token_type")['?'] = 3;
  EXPECT_THROW((void)LoadTokenizer(file)->Encode("q"), Error);
}

/// The definition: join the leftmost pair of the lowest rank until there is none.
Tokens JoinOneByOne(const std::map<std::pair<std::string, std::string>, int>& ranks,
                    const std::map<std::string, Token>& ids, const std::string& word) {
  std::vector<std::string> parts;
  for (const char c : word) parts.emplace_back(1, c);
  while (true) {
    int best = INT32_MAX;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks.find({parts[i], parts[i + 1]});
      if (found == ranks.end() || found->second >= best) continue;
      best = found->second;
      at = i;
    }
    if (best == INT32_MAX) break;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  Tokens tokens;
  for (const std::string& part : parts) tokens.push_back(ids.at(part));
  return tokens;
}

TEST(BpeTokenizer, AgreesWithJoiningOneByOneForRandomMerges) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<std::string> parts = {"a", "b", "c"};
    std::map<std::string, Token> ids = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
    std::vector<std::pair<std::string, std::string>> merges;
    std::map<std::pair<std::string, std::string>, int> ranks;
    while (merges.size() < 30) {
      const std::string left = parts[random() % parts.size()];
      const std::string right = parts[random() % parts.size()];
      const std::string joined = left + right;
      if (joined.size() > 8 || ids.contains(joined)) continue;
      ids[joined] = static_cast<Token>(256 + merges.size());
      ranks[{left, right}] = static_cast<int>(merges.size());
      merges.emplace_back(left, right);
      parts.push_back(joined);
    }
    const auto tokenizer = LoadTokenizer(ByteLevelFile(merges, {}, "gpt-2"));
    for (int i = 0; i < 100; ++i) {
      std::string word;
      for (std::size_t n = 1 + random() % 40; n > 0; --n) {
        word += static_cast<char>('a' + random() % 3);
      }
      ASSERT_EQ(tokenizer->Encode(word), JoinOneByOne(ranks, ids, word))
          << "seed " << seed << ": " << word;
    }
  }
}

TEST(BpeTokenizer, DecodingGivesEveryTextAgain) {
  for (const char* pre : {"gpt-2", "llama-bpe", "qwen2", "falcon3", "smollm"}) {
    const auto tokenizer =
        LoadTokenizer(ByteLevelFile(Merges(), {{"<|eot_id|>", 3}, {"  ", 4}}, pre));
    std::mt19937_64 random(7);
    for (int i = 0; i < 1'000; ++i) {
      const std::string text = test::RandomText(random, "lower newaa  .<|1\n", 40);
      ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text) << pre << ", seed 7, text " << i;
    }
  }
}

TEST(BpeTokenizer, AMegabyteOfOneCharacterTakesNoLongerThanOtherText) {
  const auto tokenizer =
      LoadTokenizer(ByteLevelFile(Merges(), {{"\xC4\xA0\xC4\xA0"}}, "llama-bpe"));
  constexpr std::size_t kBytes = 1'000'000;
  EXPECT_EQ(tokenizer->Encode(std::string(kBytes, 'a')), Tokens(kBytes / 2, kAa));
  EXPECT_EQ(tokenizer->Encode(std::string(kBytes, ' ')).size(), kBytes);
  EXPECT_EQ(tokenizer->Encode(std::string(kBytes, 'e')).size(), kBytes);
}

TEST(BpeTokenizer, DamagedMetadataIsNamed) {
  const FakeModelFile sound =
      ByteLevelFile(Merges(), {{"<|end_of_text|>", 3}, {"<|begin_of_text|>", 3}}, "gpt-2");
  const auto check = [&](const std::string& expected, const auto& damage) {
    FakeModelFile file = sound;
    damage(file);
    const std::string message = ErrorOf(file, ErrorCode::kIntegrity);
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  };
  const auto merge = [](const std::string& line) {
    return [line](FakeModelFile& f) { f.Strings("tokenizer.ggml.merges")[3] = line; };
  };
  check("merges[3]", merge("alone"));
  check("merges[3]", merge(""));
  check("merges[3]", merge("a "));
  check("merges[3]", merge("q qq"));
  check("merges[3]", merge(std::string(10'000, 'a') + " b"));
  check("tokenizer.ggml.merges", [](auto& f) { f.values.erase("tokenizer.ggml.merges"); });
  check("tokenizer.ggml.merges", [](auto& f) { f.values["tokenizer.ggml.merges"] = true; });
  check("tokenizer.ggml.model", [](auto& f) { f.values.erase("tokenizer.ggml.model"); });
  check("tokenizer.ggml.tokens", [](auto& f) { f.values.erase("tokenizer.ggml.tokens"); });
  check("tokens[7]",
        [](auto& f) { f.Strings("tokenizer.ggml.tokens")[7] = std::string(5'000, 'a'); });
  check("tokenizer.ggml.tokens",
        [](auto& f) { f.Strings("tokenizer.ggml.tokens").resize((std::size_t{1} << 20) + 1); });
  check("token_type has 264", [](auto& f) { f.Integers("tokenizer.ggml.token_type").pop_back(); });
  check("token_type[9]", [](auto& f) { f.Integers("tokenizer.ggml.token_type")[9] = 7; });
  check("scores[5]", [](auto& f) {
    f.Reals("tokenizer.ggml.scores")[5] = std::numeric_limits<double>::quiet_NaN();
  });
  check("eos_token_id is 265",
        [](auto& f) { f.values["tokenizer.ggml.eos_token_id"] = std::uint64_t{265}; });
  check("add_bos_token", [](auto& f) {
    f.Strings("tokenizer.ggml.tokens").back() = "<|other|>";
    f.values["tokenizer.ggml.add_bos_token"] = true;
  });
}

TEST(BpeTokenizer, RandomDamageIsAnErrorOrAnotherVocabulary) {
  const FakeModelFile sound = ByteLevelFile(Merges(), {{"<|eot_id|>", 3}, {"  ", 4}}, "llama-bpe");
  std::mt19937_64 random(17);
  std::size_t loaded = 0;
  for (int i = 0; i < 2'000; ++i) {
    FakeModelFile file = sound;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      auto value = file.values.begin();
      std::advance(value, random() % file.values.size());
      if (auto* texts = std::get_if<std::vector<std::string>>(&value->second)) {
        std::string& text = (*texts)[random() % texts->size()];
        text.insert(random() % (text.size() + 1), 1, static_cast<char>(random()));
      } else if (auto* types = std::get_if<std::vector<std::int64_t>>(&value->second)) {
        // 2 would make a byte unknown, and then it does not come back.
        constexpr std::int64_t kTypes[] = {0, 1, 3, 4, 5, 6, 7};
        (*types)[random() % types->size()] = kTypes[random() % 7];
      } else if (auto* scores = std::get_if<std::vector<double>>(&value->second)) {
        scores->resize(scores->size() - random() % 2);
      } else if (random() % 8 == 0) {
        file.values.erase(value);
      }
    }
    try {
      const auto tokenizer = LoadTokenizer(file);
      ++loaded;
      const std::string text = "lower newaa  <|eot_id|>";
      ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text) << "seed 17, file " << i;
    } catch (const Error& error) {
      ASSERT_NE(error.code(), ErrorCode::kInternal) << error.what();
    }
  }
  EXPECT_GT(loaded, 200U);
}

TEST(BpeTokenizer, AnotherKindOfTokenizerIsRefusedByItsName) {
  FakeModelFile file = ByteLevelFile(Merges(), {}, "gpt-2");
  file.values["tokenizer.ggml.model"] = std::string("rwkv");
  EXPECT_NE(ErrorOf(file, ErrorCode::kUnsupportedMedia).find("'rwkv'"), std::string::npos);
}

}  // namespace
}  // namespace sworn::llm
