#include "llm/text/wordpiece_tokenizer.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text/bert_words.h"
#include "tests/llm/fake_model_file.h"

namespace sworn::llm {
namespace {

using test::FakeModelFile;
using testing::ElementsAre;

// U+2581 before what begins a word; the specials as BERT has them.
FakeModelFile WordPieceFile(const std::vector<std::string>& pieces) {
  FakeModelFile file;
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
  for (const std::string& piece : pieces) {
    tokens.push_back(piece.starts_with("##") ? piece.substr(2) : "\xE2\x96\x81" + piece);
  }
  file.values["tokenizer.ggml.model"] = std::string("bert");
  file.values["tokenizer.ggml.tokens"] = std::move(tokens);
  return file;
}

std::vector<std::string> Words(std::string_view text, const text::BertWordRules& rules = {}) {
  return text::BertWords(text, rules);
}

TEST(BertWordsTest, PunctuationStandsAloneAndWhiteSpaceGoes) {
  EXPECT_THAT(Words("Hello,  world!\tcan't\n$5 a_b"),
              ElementsAre("hello", ",", "world", "!", "can", "'", "t", "$", "5", "a", "_", "b"));
  EXPECT_THAT(Words("« ¿qué? »"), ElementsAre("«", "¿", "que", "?", "»"));
  EXPECT_THAT(Words("\xC2\xA0 \xE2\x80\xA8"), ElementsAre());
}

TEST(BertWordsTest, AccentsCaseAndInvisibleCharactersGoAsTheRulesSay) {
  // Zero-width joiner, soft hyphen and U+FFFD vanish without ending the word.
  EXPECT_THAT(Words("a\xE2\x80\x8D"
                    "b\xC2\xAD"
                    "c\xEF\xBF\xBD"),
              ElementsAre("abc"));
  EXPECT_THAT(Words("ÀÉîöÜ ñ"), ElementsAre("aeiou", "n"));
  EXPECT_THAT(Words("ÀÉ", {.strip_accents = false}), ElementsAre("àé"));
  EXPECT_THAT(Words("ÀÉ", {.lowercase = false}), ElementsAre("AE"));
  EXPECT_THAT(Words("ΟΔΟΣ"), ElementsAre("οδοσ"));  // no final sigma
}

TEST(BertWordsTest, EveryIdeographIsAWord) {
  EXPECT_THAT(Words("ab漢字cd"), ElementsAre("ab", "漢", "字", "cd"));
  EXPECT_THAT(Words("ab漢字cd", {.cjk = false}), ElementsAre("ab漢字cd"));
  EXPECT_THAT(Words("ひらがな"), ElementsAre("ひらかな"));  // kana is none; the mark of "ga" goes
}

TEST(WordPieceTest, TakesTheLongestTokenFromTheFront) {
  const auto tokenizer =
      MakeWordPieceTokenizer(WordPieceFile({"un", "##aff", "##able", "##a", "unaff", "##ff", ","}));
  EXPECT_THAT(tokenizer->Encode("unaffable, UN"), ElementsAre(8, 6, 10, 4));
}

TEST(WordPieceTest, AWordThatIsNotCoveredIsUnknownAsAWhole) {
  const auto tokenizer = MakeWordPieceTokenizer(WordPieceFile({"un", "##a", "x"}));
  EXPECT_THAT(tokenizer->Encode("unaz x unz"), ElementsAre(1, 6, 1));
}

TEST(WordPieceTest, WordsOfMoreThanAHundredCharactersAreUnknown) {
  const auto tokenizer = MakeWordPieceTokenizer(WordPieceFile({"ö", "##ö"}));
  auto file = WordPieceFile({"ö", "##ö"});
  file.values["sworn.tokenizer.strip_accents"] = false;
  const auto accents = MakeWordPieceTokenizer(file);
  std::string word;
  for (int i = 0; i < 100; ++i) word += "ö";
  EXPECT_EQ(accents->Encode(word).size(), 100U);
  EXPECT_THAT(accents->Encode(word + "ö"), ElementsAre(1));
  EXPECT_THAT(tokenizer->Encode(word), ElementsAre(1));  // "ooo..." is not in the vocabulary
}

TEST(WordPieceTest, NoTextBecomesASpecialToken) {
  const auto tokenizer = MakeWordPieceTokenizer(WordPieceFile({"[", "]", "cls", "sep"}));
  EXPECT_THAT(tokenizer->Encode("[CLS] [SEP]"), ElementsAre(4, 6, 5, 4, 7, 5));
  EXPECT_EQ(tokenizer->Bytes(2), "");
  EXPECT_EQ(tokenizer->bos(), 2);
  EXPECT_THAT(tokenizer->ends(), ElementsAre(3));
  EXPECT_EQ(tokenizer->Control("[SEP]"), 3);
}

TEST(WordPieceTest, AVocabularyWithoutItsSpecialTokensIsRefused) {
  for (const char* const missing : {"[UNK]", "[CLS]", "[SEP]"}) {
    FakeModelFile file = WordPieceFile({"a"});
    for (std::string& text : file.Strings("tokenizer.ggml.tokens")) {
      if (text == missing) text = "[other]";
    }
    EXPECT_THROW(MakeWordPieceTokenizer(file), Error) << missing;
  }
  FakeModelFile file = WordPieceFile({"a"});
  file.values["tokenizer.ggml.cls_token_id"] = std::uint64_t{99};
  EXPECT_THROW(MakeWordPieceTokenizer(file), Error);
}

TEST(WordPieceTest, RandomWordsComeBack) {
  std::vector<std::string> pieces;
  for (char c = 'a'; c <= 'z'; ++c) {
    pieces.emplace_back(1, c);
    pieces.push_back(std::string("##") + c);
  }
  const std::uint64_t seed = 20261121;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto letters = [&](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>('a' + random() % 26);
    return text;
  };
  for (int i = 0; i < 300; ++i) pieces.push_back((i % 2 == 0 ? "" : "##") + letters(2 + i % 4));
  const auto tokenizer = MakeWordPieceTokenizer(WordPieceFile(pieces));
  for (int round = 0; round < 200; ++round) {
    std::string text = letters(1 + random() % 30);
    for (std::size_t words = random() % 8; words > 0; --words) {
      text += " " + letters(1 + random() % 100);
    }
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text);
  }
}

}  // namespace
}  // namespace sworn::llm
