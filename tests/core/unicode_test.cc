#include "core/text/unicode.h"

#include <random>

#include <gtest/gtest.h>

namespace sworn::text {
namespace {

std::string RandomBytes(std::mt19937& generator, std::size_t max_size) {
  // Bytes that are likely to meet: ASCII, controls, and parts of the sequences that matter here.
  static constexpr std::string_view kPieces[] = {"a",
                                                 "Z",
                                                 " ",
                                                 "\n",
                                                 "\r",
                                                 "\r\n",
                                                 "\t",
                                                 "\f",
                                                 "\x01",
                                                 "\x7F",
                                                 "\xC2\x85",
                                                 "\xC2\xAD",
                                                 "e\xCC\x81",
                                                 "\xC3\xA9",
                                                 "\xE2\x80\x8B",
                                                 "\xEF\xBB\xBF",
                                                 "\xE2\x80\xAE",
                                                 "\xF3\xA0\x80\x81",
                                                 "\xF0\x9F\x98\x80",
                                                 "\xED\xA0\x80",
                                                 "\xC0\x80",
                                                 "\xFF",
                                                 "\xE2\x84\xAB",
                                                 "\xE1\x84\x80\xE1\x85\xA1",
                                                 "\xCC\xA3\xCC\x87",
                                                 "\xE2\x80"};
  std::uniform_int_distribution<std::size_t> piece(0, std::size(kPieces) + 2);
  std::uniform_int_distribution<int> byte(0, 255);
  const std::size_t size = std::uniform_int_distribution<std::size_t>(0, max_size)(generator);
  std::string bytes;
  while (bytes.size() < size) {
    const std::size_t choice = piece(generator);
    if (choice < std::size(kPieces)) {
      bytes += kPieces[choice];
    } else {
      bytes += static_cast<char>(byte(generator));
    }
  }
  return bytes;
}

TEST(UnicodeTest, NormalizeComposesAndKeepsWhatIsComposed) {
  EXPECT_EQ(Normalize("Ame\xCC\x81lie na\xC3\xAFve").text, "Am\xC3\xA9lie na\xC3\xAFve");
  EXPECT_EQ(Normalize("\xE2\x84\xAB").text, "\xC3\x85");      // the angstrom sign is a letter
  EXPECT_EQ(Normalize("\xEF\xAC\x81").text, "\xEF\xAC\x81");  // no compatibility mapping
}

TEST(UnicodeTest, NormalizeUnifiesLineEndsAndKeepsPageBreaks) {
  EXPECT_EQ(Normalize("a\r\nb\rc\n\r\nd\fe\tf\r").text, "a\nb\nc\n\nd\fe\tf\n");
}

TEST(UnicodeTest, NormalizeCountsWhatItRemoves) {
  const NormalizedText result = Normalize(
      "a\x01\x7F\xC2\x85"
      "b\xE2\x80\x8B\xEF\xBB\xBF\xC2\xAD"
      "c\xE2\x80\xAE\xD8\x9C"
      "d\xF3\xA0\x81\x81"
      "e\xFFg\xE2\x80");
  EXPECT_EQ(result.text, "abcde\xEF\xBF\xBDg\xEF\xBF\xBD");
  EXPECT_EQ(result.removed, (RemovedCharacters{2, 3, 3, 2, 1}));
  EXPECT_EQ(Normalize("a\xCC\xB1").removed, RemovedCharacters{});
}

TEST(UnicodeTest, CharactersHeldApartByARemovedOneCompose) {
  EXPECT_EQ(Normalize("e\xE2\x80\x8B\xCC\x81").text, "\xC3\xA9");
}

TEST(UnicodeTest, NormalizeOfAnyBytesIsValidAndIdempotent) {
  std::mt19937 generator(20240101);
  for (int round = 0; round < 5000; ++round) {
    const std::string bytes = RandomBytes(generator, 60);
    const NormalizedText once = Normalize(bytes);
    ASSERT_TRUE(IsValidUtf8(once.text));
    const NormalizedText twice = Normalize(once.text);
    ASSERT_EQ(twice.text, once.text);
    ASSERT_EQ(twice.removed, RemovedCharacters{});
    ASSERT_EQ(once.removed.invalid == 0, IsValidUtf8(bytes));
  }
}

TEST(UnicodeTest, ValidityFollowsTheStandard) {
  for (const std::string_view good :
       {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9 1234567"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const std::string_view bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "12345678\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << bad;
  }
}

TEST(UnicodeTest, ACutNeverSplitsACodePoint) {
  const std::string_view text = "a\xC3\xA9\xE2\x82\xAC";
  EXPECT_EQ(CutAtCodePoint(text, 0), 0U);
  EXPECT_EQ(CutAtCodePoint(text, 1), 1U);
  EXPECT_EQ(CutAtCodePoint(text, 2), 1U);
  EXPECT_EQ(CutAtCodePoint(text, 3), 3U);
  EXPECT_EQ(CutAtCodePoint(text, 5), 3U);
  EXPECT_EQ(CutAtCodePoint(text, 6), 6U);
  EXPECT_EQ(CutAtCodePoint(text, 100), 6U);
}

TEST(UnicodeTest, FoldingMakesCaseVariantsEqual) {
  EXPECT_EQ(FoldCase("NCT01234567"), "nct01234567");
  EXPECT_EQ(FoldCase("Stra\xC3\x9F"
                     "e"),
            FoldCase("STRASSE"));
  EXPECT_EQ(FoldCase("\xC3\x89T\xC3\x89"), "\xC3\xA9t\xC3\xA9");
  EXPECT_EQ(FoldCase("\xCE\xA3\xCE\x8A\xCE\xA3\xCE\xA5\xCE\xA6\xCE\x9F\xCE\xA3"),
            FoldCase("\xCF\x83\xCE\xAF\xCF\x83\xCF\x85\xCF\x86\xCE\xBF\xCF\x82"));
}

TEST(UnicodeTest, NothingReachesTheTerminalAsACommand) {
  EXPECT_EQ(ForTerminal("\x1B[31mred\x1B[0m\tand\n\xC2\x9B"
                        "2Jclear"),
            "red\tand\nclear");
  EXPECT_EQ(ForTerminal("\x1B]0;title\atext \x1B]8;;http://x\x1B\\link"), "text link");
  EXPECT_EQ(ForTerminal("a\x1B]open end"), "a\xE2\x90\x9B]open end");
  EXPECT_EQ(ForTerminal("over\rwrite\b\x7F"), "over\nwrite\xE2\x90\x88\xE2\x90\xA1");
  EXPECT_EQ(ForTerminal("safe\xE2\x80\xAE"
                        "exe.txt\xFF"),
            "safeexe.txt\xEF\xBF\xBD");
  std::mt19937 generator(7);
  for (int round = 0; round < 2000; ++round) {
    const std::string out = ForTerminal("\x1B" + RandomBytes(generator, 40) + "\x1B[");
    ASSERT_TRUE(IsValidUtf8(out));
    for (const char c : out) {
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
      ASSERT_NE(c, '\x7F');
    }
  }
}

}  // namespace
}  // namespace sworn::text
