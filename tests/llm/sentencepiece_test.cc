#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "llm/text/charsmap.h"
#include "llm/text/tokenizer.h"
#include "tests/llm/fake_model_file.h"
#include "tests/llm/random_text.h"

namespace sworn::llm {
namespace {

using test::FakeModelFile;
using test::FakeToken;
using test::PiecesFile;
using Tokens = std::vector<Token>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kSpace = "\u2581";
constexpr Token kFirst = 259;  // behind <unk>, <s>, </s> and the bytes

Token ByteToken(unsigned char byte) { return 3 + byte; }

std::string ErrorOf(const FakeModelFile& file) {
  try {
    LoadTokenizer(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
    return error.what();
  }
  return "no error";
}

std::vector<FakeToken> Pieces() {
  return {{kSpace, 1, -10}, {"a", 1, -11},  {"b", 1, -12},
          {"ab", 1, -2},    {"aba", 1, -1}, {std::string(kSpace) + "a", 1, -3},
          {"ba", 1, -4}};
}
constexpr Token kBlank = kFirst;
constexpr Token kA = kFirst + 1;
constexpr Token kB = kFirst + 2;
constexpr Token kAb = kFirst + 3;
constexpr Token kAba = kFirst + 4;
constexpr Token kBlankA = kFirst + 5;
constexpr Token kBa = kFirst + 6;

TEST(SpmTokenizer, JoinsTheBestScoreFirst) {
  const auto tokenizer = LoadTokenizer(PiecesFile("llama", Pieces()));
  // _ a b a: ab (-2) before _a (-3), then aba.
  EXPECT_EQ(tokenizer->Encode("aba"), (Tokens{kBlank, kAba}));
  // _ a a b: _a and ab do not overlap.
  EXPECT_EQ(tokenizer->Encode("aab"), (Tokens{kBlankA, kAb}));
  EXPECT_EQ(tokenizer->Encode("bba b"), (Tokens{kBlank, kB, kBa, kBlank, kB}));
  EXPECT_TRUE(tokenizer->Encode("").empty());
}

TEST(SpmTokenizer, WritesWhatIsNoTokenAsBytes) {
  const auto tokenizer = LoadTokenizer(PiecesFile("llama", Pieces()));
  EXPECT_EQ(tokenizer->Encode("\u00e9a"), (Tokens{kBlank, ByteToken(0xC3), ByteToken(0xA9), kA}));
  EXPECT_EQ(tokenizer->Bytes(ByteToken(0xC3)), "\xC3");
}

TEST(SpmTokenizer, WithoutByteTokensThereIsTheUnknownOne) {
  FakeModelFile file = PiecesFile("llama", Pieces());
  for (auto& type : file.Integers("tokenizer.ggml.token_type")) type = type == 6 ? 5 : type;
  EXPECT_EQ(LoadTokenizer(file)->Encode("\u00e9a"), (Tokens{kBlank, 0, kA}));
  EXPECT_EQ(LoadTokenizer(file)->Decode(Tokens{kBlank, 0, kA}), "\ufffda");
}

TEST(SpmTokenizer, PutsASpaceInFrontUnlessTheFileSaysNo) {
  FakeModelFile file = PiecesFile("llama", Pieces());
  EXPECT_EQ(LoadTokenizer(file)->Encode(" a"), (Tokens{kBlank, kBlankA}));
  EXPECT_EQ(LoadTokenizer(file)->Decode(Tokens{kBlank, kBlankA}), " a");
  file.values["tokenizer.ggml.add_space_prefix"] = false;
  EXPECT_EQ(LoadTokenizer(file)->Encode(" a"), Tokens{kBlankA});
  EXPECT_EQ(LoadTokenizer(file)->Decode(Tokens{kBlankA}), " a");
}

TEST(SpmTokenizer, NoTextBecomesAControlToken) {
  std::vector<FakeToken> pieces = Pieces();
  for (const char* text : {"<", "/", "s", ">", "</", "s>", "<s"}) pieces.push_back({text, 1, -1});
  pieces.push_back({"[INST]", 4});
  const auto tokenizer = LoadTokenizer(PiecesFile("llama", pieces));
  const std::string text = "</s><s>[INST]<unk><0x0A>";
  const Tokens tokens = tokenizer->Encode(text);
  EXPECT_EQ(tokenizer->Decode(tokens), text);
  const auto inst = tokenizer->Control("[INST]");
  ASSERT_TRUE(inst.has_value());
  for (const Token token : tokens) {
    EXPECT_TRUE(token > 2 && token != *inst && token != ByteToken('\n')) << token;
  }
  EXPECT_EQ(Tokens(tokenizer->ends().begin(), tokenizer->ends().end()), Tokens{2});
  EXPECT_EQ(tokenizer->bos(), Token{1});
  EXPECT_TRUE(tokenizer->adds_bos());
}

TEST(SpmTokenizer, UserDefinedTokensAreFoundWithTheirSpaces) {
  std::vector<FakeToken> pieces = Pieces();
  pieces.push_back({std::string(kSpace) + kSpace, 4});
  const auto tokenizer = LoadTokenizer(PiecesFile("llama", pieces));
  const Tokens expected = {kBlankA, kFirst + 7, kFirst + 7, kB};
  EXPECT_EQ(tokenizer->Encode("a    b"), expected);
  EXPECT_EQ(tokenizer->Decode(expected), "a    b");
}

using Scores = std::map<std::string, std::pair<double, Token>>;

/// The definition: join the leftmost pair with the best score until there is none.
Tokens JoinOneByOne(const Scores& scores, const std::string& text) {
  std::vector<std::string> parts;
  for (const char c : text) parts.emplace_back(1, c);
  while (true) {
    double best = -kInfinity;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = scores.find(parts[i] + parts[i + 1]);
      if (found == scores.end() || found->second.first <= best) continue;
      best = found->second.first;
      at = i;
    }
    if (std::isinf(best)) break;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  Tokens tokens;
  for (const std::string& part : parts) tokens.push_back(scores.at(part).second);
  return tokens;
}

TEST(SpmTokenizer, AgreesWithJoiningOneByOneForRandomScores) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    const auto random_text = [&](std::size_t length) {
      std::string text;
      while (text.size() < length) text += "ab "[random() % 3];
      return text;
    };
    FakeModelFile file = PiecesFile("llama", {{kSpace}, {"a"}, {"b"}});
    Scores scores = {{" ", {0, kFirst}}, {"a", {0, kFirst + 1}}, {"b", {0, kFirst + 2}}};
    while (scores.size() < 40) {
      const std::string text = random_text(2 + random() % 5);
      const bool reaches_across =
          text.find(' ', std::min(text.find_first_not_of(' '), text.size())) != std::string::npos;
      // The odd vocabularies have no token of two words.
      if (scores.contains(text) || (seed % 2 == 1 && reaches_across)) continue;
      std::string written;
      for (const char c : text) written += c == ' ' ? kSpace : std::string(1, c);
      const double score = -static_cast<double>(random() % 10);
      scores[text] = {score, test::AddToken(file, {written, 1, score})};
    }
    file.values["tokenizer.ggml.add_space_prefix"] = false;
    const auto tokenizer = LoadTokenizer(file);
    for (int i = 0; i < 100; ++i) {
      const std::string text = random_text(1 + random() % 40);
      ASSERT_EQ(tokenizer->Encode(text), JoinOneByOne(scores, text))
          << "seed " << seed << ": " << text;
    }
  }
}

TEST(UnigramTokenizer, FindsTheBestSumOfScores) {
  const auto tokenizer = LoadTokenizer(PiecesFile("t5", {{kSpace, 1, -2},
                                                         {"a", 1, -3},
                                                         {"b", 1, -3},
                                                         {"ab", 1, -4},
                                                         {"abb", 1, -4.5},
                                                         {"bab", 1, -1}}));
  // abb + ab = -8.5, a + b + bab = -7, ab + bab = -5.
  EXPECT_EQ(tokenizer->Encode("abbab"), (Tokens{kFirst, kFirst + 3, kFirst + 5}));
}

TEST(UnigramTokenizer, AgreesWithTryingEveryWay) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<FakeToken> pieces = {{"a", 1, -5}, {"b", 1, -6}};
    std::map<std::string, double> scores = {{"a", -5}, {"b", -6}};
    while (pieces.size() < 14) {
      std::string text;
      for (std::size_t n = 2 + random() % 3; n > 0; --n) text += random() % 2 == 0 ? 'a' : 'b';
      const double score = -static_cast<double>(random() % 1'000) / 64;
      if (scores.try_emplace(text, score).second) pieces.push_back({text, 1, score});
    }
    FakeModelFile file = PiecesFile("t5", pieces);
    file.values["tokenizer.ggml.add_space_prefix"] = false;
    const auto tokenizer = LoadTokenizer(file);
    for (int i = 0; i < 100; ++i) {
      std::string word;
      for (std::size_t n = 1 + random() % 12; n > 0; --n) word += random() % 2 == 0 ? 'a' : 'b';
      std::vector<double> best(word.size() + 1, -kInfinity);
      best[0] = 0;
      for (std::size_t begin = 0; begin < word.size(); ++begin) {
        for (std::size_t end = begin + 1; end <= word.size(); ++end) {
          const auto found = scores.find(word.substr(begin, end - begin));
          if (found != scores.end()) best[end] = std::max(best[end], best[begin] + found->second);
        }
      }
      double sum = 0;
      std::string joined;
      for (const Token token : tokenizer->Encode(word)) {
        joined += tokenizer->Bytes(token);
        sum += scores.at(std::string(tokenizer->Bytes(token)));
      }
      ASSERT_EQ(joined, word) << "seed " << seed;
      ASSERT_EQ(sum, best.back()) << "seed " << seed << ": " << word;
    }
  }
}

TEST(UnigramTokenizer, UnknownCharactersInARowAreOneToken) {
  FakeModelFile file = PiecesFile("t5", {{"a", 1, -1}});
  file.values["tokenizer.ggml.add_space_prefix"] = false;
  EXPECT_EQ(LoadTokenizer(file)->Encode("a\u00e9"),
            (Tokens{kFirst, ByteToken(0xC3), ByteToken(0xA9)}));
  for (auto& type : file.Integers("tokenizer.ggml.token_type")) type = type == 6 ? 5 : type;
  EXPECT_EQ(LoadTokenizer(file)->Encode("xyaz"), (Tokens{0, kFirst, 0}));
}

TEST(UnigramTokenizer, RemovesExtraSpacesIfTheFileSaysSo) {
  FakeModelFile file = PiecesFile("t5", {{kSpace, 1, -1}, {"a", 1, -1}});
  file.values["tokenizer.ggml.remove_extra_whitespaces"] = true;
  EXPECT_EQ(LoadTokenizer(file)->Encode("  a   a "),
            (Tokens{kFirst, kFirst + 1, kFirst, kFirst + 1}));
  EXPECT_TRUE(LoadTokenizer(file)->Encode("   ").empty());
}

TEST(SentencePiece, DecodingGivesEveryTextAgain) {
  for (const char* model : {"llama", "t5"}) {
    for (const bool space : {true, false}) {
      std::vector<FakeToken> pieces = Pieces();
      pieces.push_back({std::string(kSpace) + kSpace, 4});
      FakeModelFile file = PiecesFile(model, pieces);
      file.values["tokenizer.ggml.add_space_prefix"] = space;
      const auto tokenizer = LoadTokenizer(file);
      std::mt19937_64 random(3);
      for (int i = 0; i < 1'000; ++i) {
        std::string text = test::RandomText(random, "abab  </s>\n", 40);
        if (i % 10 == 0) text += kSpace;
        ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text)
            << model << ", seed 3, text " << i;
      }
    }
  }
}

TEST(SentencePiece, AMegabyteOfOneCharacterTakesNoLongerThanOtherText) {
  constexpr std::size_t kBytes = 1'000'000;
  for (const char* model : {"llama", "t5"}) {
    const auto tokenizer = LoadTokenizer(
        PiecesFile(model, {{kSpace, 1, -10}, {"a", 1, -10}, {"aa", 1, -2}, {"aaaa", 1, -1}}));
    EXPECT_EQ(tokenizer->Encode(std::string(kBytes, 'a')).size(), 1 + kBytes / 4) << model;
    EXPECT_EQ(tokenizer->Encode(std::string(kBytes, ' ')).size(), 1 + kBytes) << model;
    EXPECT_EQ(tokenizer->Encode(std::string(kBytes, 'z')).size(), 1 + kBytes) << model;
  }
}

TEST(SentencePiece, DamagedMetadataIsNamed) {
  FakeModelFile file = PiecesFile("llama", Pieces());
  file.Strings("tokenizer.ggml.tokens")[20] = "<0xZZ>";
  EXPECT_NE(ErrorOf(file).find("tokens[20]"), std::string::npos);
  file.Strings("tokenizer.ggml.tokens")[20] = "";
  EXPECT_NE(ErrorOf(file).find("tokens[20]"), std::string::npos);
  file = PiecesFile("t5", Pieces());
  file.Reals("tokenizer.ggml.scores").pop_back();
  EXPECT_NE(ErrorOf(file).find("tokenizer.ggml.scores"), std::string::npos);
  file.values.erase("tokenizer.ggml.scores");
  EXPECT_NE(ErrorOf(file).find("tokenizer.ggml.scores"), std::string::npos);
  file = PiecesFile("t5", Pieces());
  file.values["tokenizer.ggml.precompiled_charsmap"] = std::vector<std::int64_t>{1, 2, 3, 300};
  EXPECT_NE(ErrorOf(file).find("precompiled_charsmap[3]"), std::string::npos);
}

void AppendWord(std::string& out, std::uint32_t word) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(word >> (8 * i) & 0xFF);
}

/// A charsmap that replaces the keys. Every node of the trie has a block of 256 units for its
/// children, which is wasteful and easy to see through.
std::string MakeCharsmap(const std::map<std::string, std::string>& replacements) {
  struct Node {
    std::map<unsigned char, std::size_t> children;
    std::int64_t value = -1;
  };
  std::vector<Node> nodes(1);
  std::string texts;
  for (const auto& [from, to] : replacements) {
    std::size_t at = 0;
    for (const char c : from) {
      const auto byte = static_cast<unsigned char>(c);
      if (!nodes[at].children.contains(byte)) {
        nodes[at].children[byte] = nodes.size();
        nodes.emplace_back();
      }
      at = nodes[at].children[byte];
    }
    nodes[at].value = static_cast<std::int64_t>(texts.size());
    texts += to + '\0';
  }
  std::vector<std::uint32_t> units((nodes.size() + 1) * 256);
  const auto place = [&](std::size_t self, std::size_t node, std::uint32_t label) {
    const auto base = static_cast<std::uint32_t>((node + 1) * 256);
    const std::uint32_t leaf = nodes[node].value >= 0 ? 1U << 8 : 0;
    units[self] = (static_cast<std::uint32_t>(self) ^ base) << 10 | leaf | label;
    if (leaf != 0) units[base] = 1U << 31 | static_cast<std::uint32_t>(nodes[node].value);
  };
  place(0, 0, 0);
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    for (const auto& [byte, child] : nodes[node].children) {
      place((node + 1) * 256 ^ byte, child, byte);
    }
  }
  std::string bytes;
  AppendWord(bytes, static_cast<std::uint32_t>(units.size() * 4));
  for (const std::uint32_t unit : units) AppendWord(bytes, unit);
  return bytes + texts;
}

TEST(Charsmap, ReplacesTheLongestMatch) {
  const Charsmap map(MakeCharsmap({{"\ufb01", "fi"}, {"a", "b"}, {"ab", "X"}, {"\t", " "}}));
  EXPECT_EQ(map.Rewrite("\ufb01sh\taba\u00e9"), "fish Xb\u00e9");
  EXPECT_EQ(Charsmap().Rewrite("a\u00e9"), "a\u00e9");
  EXPECT_EQ(Charsmap("").Rewrite("a"), "a");
}

TEST(Charsmap, IsAppliedBeforeEncoding) {
  FakeModelFile file = PiecesFile("t5", Pieces());
  std::vector<std::int64_t> bytes;
  for (const char c : MakeCharsmap({{"A", "a"}})) bytes.push_back(c);
  file.values["tokenizer.ggml.precompiled_charsmap"] = bytes;
  EXPECT_EQ(LoadTokenizer(file)->Encode("A"), LoadTokenizer(file)->Encode("a"));
}

TEST(Charsmap, DamageIsAnErrorOrAnotherText) {
  EXPECT_THROW(Charsmap("abc"), Error);
  EXPECT_THROW(Charsmap(std::string("\x08\0\0\0abcd", 8)), Error);
  EXPECT_THROW(Charsmap(std::string("\x03\0\0\0abcd", 8)), Error);
  const std::string sound = MakeCharsmap({{"\ufb01", "fi"}, {"a", "b"}, {"ab", "X"}});
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = sound;
    for (int flips = 0; flips < 20; ++flips) {
      damaged[4 + random() % (damaged.size() - 4)] = static_cast<char>(random());
    }
    try {
      EXPECT_LT(Charsmap(damaged).Rewrite("ab\ufb01aab").size(), 1'000U) << "seed 5";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
    }
  }
}

}  // namespace
}  // namespace sworn::llm
