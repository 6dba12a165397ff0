#include "core/text/sentences.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "core/text/unicode.h"

namespace sworn::text {
namespace {

std::vector<std::string> Sentences(std::string_view text, std::string_view language) {
  std::vector<std::string> sentences;
  for (const ByteRange& range : SplitSentences(text, language)) {
    sentences.emplace_back(text.substr(range.begin, range.end - range.begin));
  }
  return sentences;
}

using Strings = std::vector<std::string>;

TEST(SentencesTest, EndsAtPeriodsQuestionsAndExclamations) {
  EXPECT_EQ(Sentences("It works. Does it? Yes! \"Quite so.\" He left.", "en"),
            (Strings{"It works.", "Does it?", "Yes!", "\"Quite so.\"", "He left."}));
  EXPECT_EQ(Sentences("¿Qué es esto? ¡Un ejemplo! Fin.", "es"),
            (Strings{"¿Qué es esto?", "¡Un ejemplo!", "Fin."}));
}

TEST(SentencesTest, AbbreviationsDoNotEndASentence) {
  EXPECT_EQ(Sentences("Dr. Smith saw Mr. J. Doe, e.g. on Monday. He was well.", "en"),
            (Strings{"Dr. Smith saw Mr. J. Doe, e.g. on Monday.", "He was well."}));
  EXPECT_EQ(Sentences("See Art. 7 and No. 12 of the U.S. Code. The rest is void.", "en"),
            (Strings{"See Art. 7 and No. 12 of the U.S. Code.", "The rest is void."}));
  EXPECT_EQ(Sentences("She works for Acme Inc. The firm is old.", "en"),
            (Strings{"She works for Acme Inc.", "The firm is old."}));
  EXPECT_EQ(
      Sentences("Das gilt z. B. Abs. 2 nach. Am 3. Mai endet die Frist. Der Rest folgt.", "de"),
      (Strings{"Das gilt z. B. Abs. 2 nach.", "Am 3. Mai endet die Frist.", "Der Rest folgt."}));
  EXPECT_EQ(Sentences("La Sra. Ruiz, p. ej. Ana, firmó el núm. 5. Luego se fue.", "es"),
            (Strings{"La Sra. Ruiz, p. ej. Ana, firmó el núm. 5.", "Luego se fue."}));
}

TEST(SentencesTest, NumberingStaysWithWhatItNumbers) {
  EXPECT_EQ(Sentences("3.2.1. The fee is due. (A) It is paid.", "en"),
            (Strings{"3.2.1. The fee is due.", "(A) It is paid."}));
  EXPECT_EQ(Sentences("Version 3.2.1 is out. Use it.", "en"),
            (Strings{"Version 3.2.1 is out.", "Use it."}));
}

TEST(SentencesTest, ABareLineBreakDoesNotEndASentenceButABlankLineDoes) {
  EXPECT_EQ(Sentences("One long\nline. Two", "en"), (Strings{"One long\nline.", "Two"}));
  EXPECT_EQ(Sentences("A heading\n\nand text\f next page", "en"),
            (Strings{"A heading", "and text", "next page"}));
  EXPECT_EQ(Sentences("We need:\n- apples\n- pears\n1. first\n2. second", "en"),
            (Strings{"We need:", "- apples", "- pears", "1. first", "2. second"}));
}

TEST(SentencesTest, OtherScriptsAreSplitByTheirOwnMarks) {
  EXPECT_EQ(Sentences("你好。再见。", "zh"), (Strings{"你好。", "再见。"}));
  EXPECT_EQ(Sentences("Это да. А это нет.", "ru"), (Strings{"Это да.", "А это нет."}));
}

TEST(SentencesTest, EmptyAndBlankTextsHaveNoSentence) {
  EXPECT_TRUE(SplitSentences("", "en").empty());
  EXPECT_TRUE(SplitSentences(" \n\f\t\xC2\xA0", "en").empty());
}

TEST(SentencesTest, ATextLargerThanOnePieceIsStillCovered) {
  std::string text;
  while (text.size() < 3'000'000) text += "no end in sight \xC3\xA9 ";
  std::size_t at = 0;
  for (const ByteRange& range : SplitSentences(text, "en")) {
    EXPECT_EQ(text.find_first_not_of(' ', at), range.begin);
    at = range.end;
  }
  EXPECT_EQ(text.find_first_not_of(' ', at), std::string::npos);
}

// A plain model of the contract: in order, on code points, without outer space, covering the rest.
TEST(SentencesTest, SentencesOfAnyTextCoverIt) {
  static constexpr std::string_view kPieces[] = {"a",
                                                 "B",
                                                 "the ",
                                                 "The ",
                                                 ".",
                                                 ". ",
                                                 "? ",
                                                 "!",
                                                 "\n",
                                                 "\n\n",
                                                 "\f",
                                                 " ",
                                                 "\xC2\xA0",
                                                 "3",
                                                 "Dr.",
                                                 "\xC3\xA9",
                                                 "\xE2\x80\x9D",
                                                 "\xE3\x80\x82",
                                                 "\xF0\x9F\x98\x80",
                                                 "(",
                                                 ")",
                                                 "- ",
                                                 "\xE2\x80\x83",
                                                 "z. B.",
                                                 "\xE4\xBD\xA0",
                                                 "U.S. ",
                                                 "\xE2\x80"};
  std::mt19937 generator(99);
  std::uniform_int_distribution<std::size_t> piece(0, std::size(kPieces) - 1);
  for (int round = 0; round < 3000; ++round) {
    std::string raw;
    for (int i = 0; i < 30; ++i) raw += kPieces[piece(generator)];
    const std::string text = Normalize(raw).text;
    std::string covered(text.size(), ' ');
    std::size_t at = 0;
    for (const ByteRange& range : SplitSentences(text, round % 2 == 0 ? "de" : "und")) {
      ASSERT_LE(at, range.begin);
      ASSERT_LT(range.begin, range.end);
      at = range.end;
      ASSERT_LE(at, text.size());
      const std::string sentence = text.substr(range.begin, range.end - range.begin);
      ASSERT_TRUE(IsValidUtf8(sentence));
      ASSERT_FALSE(std::isspace(static_cast<unsigned char>(sentence.front())));
      ASSERT_FALSE(std::isspace(static_cast<unsigned char>(sentence.back())));
      covered.replace(range.begin, sentence.size(), sentence);
    }
    // What is left uncovered is white space.
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (covered[i] != ' ' || text[i] == ' ') continue;
      const std::string_view rest = std::string_view(text).substr(i);
      if (rest.starts_with("\xC2\xA0")) {
        i += 1;
      } else if (rest.starts_with("\xE2\x80\x83")) {
        i += 2;
      } else {
        ASSERT_TRUE(std::isspace(static_cast<unsigned char>(text[i]))) << text;
      }
    }
  }
}

}  // namespace
}  // namespace sworn::text
