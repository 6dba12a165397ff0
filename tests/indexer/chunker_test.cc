#include "indexer/chunker.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text/sentences.h"
#include "core/text/unicode.h"
#include "indexer/section_heading.h"

namespace sworn::indexer {
namespace {

using ::testing::ElementsAre;

/// A text made of blocks with two line feeds between them.
class TextOfBlocks {
 public:
  TextOfBlocks& Add(std::string_view text, BlockKind kind = BlockKind::kParagraph,
                    std::uint8_t level = 0) {
    if (!result_.text.empty()) result_.text += "\n\n";
    Block block;
    block.kind = kind;
    block.heading_level = level;
    block.location = location_;
    block.range.begin = result_.text.size();
    result_.text += text;
    block.range.end = result_.text.size();
    result_.blocks.push_back(block);
    return *this;
  }
  TextOfBlocks& Heading(std::string_view text, std::uint8_t level) {
    return Add(text, BlockKind::kHeading, level);
  }
  Location& location() { return location_; }
  Block& last() { return result_.blocks.back(); }
  [[nodiscard]] const ExtractedText& extracted() const { return result_; }

 private:
  ExtractedText result_;
  Location location_;
};

std::vector<std::string> Texts(const ExtractedText& extracted, const std::vector<Chunk>& chunks) {
  std::vector<std::string> texts;
  texts.reserve(chunks.size());
  for (const Chunk& chunk : chunks) {
    texts.push_back(extracted.text.substr(chunk.range.begin, chunk.range.end - chunk.range.begin));
  }
  return texts;
}

std::vector<std::string> Headings(const std::vector<Chunk>& chunks) {
  std::vector<std::string> headings;
  headings.reserve(chunks.size());
  for (const Chunk& chunk : chunks) headings.push_back(chunk.heading);
  return headings;
}

/// `count` sentences of 50 bytes each, spaces between them included.
std::string Prose(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    std::string sentence = "The party number " + std::to_string(i) + " shall give notice soon";
    sentence.resize(48, 'x');
    text += (text.empty() ? "" : " ") + sentence + ".";
  }
  return text;
}

TEST(ChunkerTest, AHeadingStartsAChunkAndGivesItsPath) {
  TextOfBlocks text;
  text.Heading("Terms", 1).Heading("Termination", 2).Add("Either party may end it.");
  text.Heading("Fees", 2).Add("Fees are due monthly.").Heading("Annex", 1).Add("None.");
  const auto chunks = MakeChunks(text.extracted(), "en");
  EXPECT_THAT(Headings(chunks), ElementsAre("Terms > Termination", "Terms > Fees", "Annex"));
  EXPECT_THAT(Texts(text.extracted(), chunks),
              ElementsAre("Terms\n\nTermination\n\nEither party may end it.",
                          "Fees\n\nFees are due monthly.", "Annex\n\nNone."));
}

TEST(ChunkerTest, ParagraphsAreGatheredUpToTheTarget) {
  TextOfBlocks text;
  for (int i = 0; i < 5; ++i) text.Add(Prose(8));
  const auto chunks = MakeChunks(text.extracted(), "en");
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_EQ(chunks[0].range.begin, text.extracted().blocks[0].range.begin);
  EXPECT_EQ(chunks[0].range.end, text.extracted().blocks[1].range.end);
  EXPECT_EQ(chunks[1].range.begin, text.extracted().blocks[2].range.begin);
}

TEST(ChunkerTest, ALongParagraphIsCutBetweenSentencesWithAnOverlap) {
  TextOfBlocks text;
  text.Add(Prose(60));
  const auto chunks = MakeChunks(text.extracted(), "en");
  ASSERT_GT(chunks.size(), 2U);
  for (std::size_t i = 1; i < chunks.size(); ++i) {
    ASSERT_LT(chunks[i].range.begin, chunks[i - 1].range.end);
    EXPECT_LE(chunks[i - 1].range.end - chunks[i].range.begin, 200U);
    EXPECT_EQ(text.extracted().text[chunks[i].range.begin], 'T');
    EXPECT_EQ(text.extracted().text[chunks[i].range.end - 1], '.');
  }
}

TEST(ChunkerTest, AnEndlessSentenceIsCutAtWhiteSpaceOrCodePoints) {
  TextOfBlocks words;
  std::string text;
  while (text.size() < 5000) text += "word ";
  words.Add(text);
  for (const std::string& chunk : Texts(words.extracted(), MakeChunks(words.extracted(), "en"))) {
    EXPECT_TRUE(chunk.starts_with("word") && chunk.ends_with("word"));
  }
  TextOfBlocks letters;
  text.clear();
  while (text.size() < 5000) text += "\xE2\x82\xAC";
  letters.Add(text);
  const auto chunks = MakeChunks(letters.extracted(), "en");
  EXPECT_EQ(chunks.size(), 4U);
  for (const std::string& chunk : Texts(letters.extracted(), chunks)) {
    EXPECT_TRUE(text::IsValidUtf8(chunk));
  }
}

TEST(ChunkerTest, ASmallRestJoinsTheChunkBeforeIt) {
  TextOfBlocks text;
  text.Heading("One", 1).Add(Prose(18)).Add(Prose(3)).Heading("Two", 1).Add("Short.");
  const auto chunks = MakeChunks(text.extracted(), "en");
  EXPECT_THAT(Headings(chunks), ElementsAre("One", "Two"));
}

TEST(ChunkerTest, PagesSheetsSlidesAttachmentsAndOcrStayApart) {
  TextOfBlocks text;
  text.location().page = 1;
  text.Add("one");
  text.location().page = 2;
  text.Add("two");
  text.location() = {};
  text.location().sheet = "S";
  text.Add("three");
  text.location() = {};
  text.location().slide = 4;
  text.Add("four");
  text.location() = {};
  text.location().attachment_path = "a.txt";
  text.Add("five");
  text.Add("six").last().ocr = true;
  const auto chunks = MakeChunks(text.extracted(), "en");
  EXPECT_THAT(Texts(text.extracted(), chunks),
              ElementsAre("one", "two", "three", "four", "five", "six"));
  EXPECT_EQ(chunks[1].location.page, 2U);
  EXPECT_EQ(chunks[3].location.slide, 4U);
  EXPECT_EQ(chunks[4].location.attachment_path, "a.txt");
  EXPECT_TRUE(chunks[5].ocr);
}

TEST(ChunkerTest, AParagraphAcrossPagesGivesItsLastPage) {
  TextOfBlocks text;
  text.location().page = 3;
  text.Add("first");
  text.location().page_end = 4;
  text.Add("runs over");
  const auto chunks = MakeChunks(text.extracted(), "en");
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0].location.page, 3U);
  EXPECT_EQ(chunks[0].location.page_end, 4U);
}

TEST(ChunkerTest, ATablesHeaderStandsInTheHeading) {
  TextOfBlocks text;
  text.Heading("Prices", 1);
  for (int i = 0; i < 40; ++i) {
    text.Add("item " + std::to_string(i) + " | " + std::string(40, 'x'), BlockKind::kTableRow);
    text.last().table_header = "Name | Price";
  }
  const auto chunks = MakeChunks(text.extracted(), "en");
  ASSERT_GT(chunks.size(), 2U);
  for (std::size_t i = 1; i < chunks.size(); ++i) {
    EXPECT_EQ(chunks[i].heading, "Prices > Name | Price");
  }
}

TEST(ChunkerTest, LinesAreThoseOfTheStoredText) {
  TextOfBlocks text;
  text.Heading("A", 1).Add("line three\nline four").Heading("B", 1).Add("line eight");
  const auto chunks = MakeChunks(text.extracted(), "en");
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].location.line_begin, 1U);
  EXPECT_EQ(chunks[0].location.line_end, 4U);
  EXPECT_EQ(chunks[1].location.line_begin, 6U);
  EXPECT_EQ(chunks[1].location.line_end, 8U);
}

TEST(ChunkerTest, NumberingInPlainTextMakesHeadings) {
  TextOfBlocks text;
  text.Add("GENERAL TERMS").Add("Article 7 Termination").Add(Prose(12));
  text.Add("7.1 Notice. " + Prose(12)).Add("Article 8 Fees").Add("None are due.");
  const auto chunks = MakeChunks(text.extracted(), "en");
  EXPECT_THAT(Headings(chunks), ElementsAre("GENERAL TERMS > Article 7 Termination",
                                            "GENERAL TERMS > Article 7 Termination > 7.1",
                                            "GENERAL TERMS > Article 8 Fees"));
}

TEST(ChunkerTest, RejectsBadOptionsAndBadBlocks) {
  TextOfBlocks text;
  text.Add("one").Add("two");
  EXPECT_THROW(MakeChunks(text.extracted(), "en", {100, 50, 10}), Error);
  EXPECT_THROW(MakeChunks(text.extracted(), "en", {1, 50, 0}), Error);
  EXPECT_THROW(MakeChunks(text.extracted(), "en", {100, 200, 100}), Error);
  ExtractedText bad = text.extracted();
  bad.blocks[1].range.end = 100;
  EXPECT_THROW(MakeChunks(bad, "en"), Error);
  bad = text.extracted();
  std::swap(bad.blocks[0], bad.blocks[1]);
  EXPECT_THROW(MakeChunks(bad, "en"), Error);
}

TEST(ChunkerTest, AnEmptyTextHasNoChunk) { EXPECT_TRUE(MakeChunks({}, "en").empty()); }

// Any text: everything is covered in order, sizes hold, and neighbours share whole sentences only.
TEST(ChunkerTest, ChunksOfAnyTextCoverIt) {
  std::mt19937 generator(5);
  const auto draw = [&generator](int limit) {
    return std::uniform_int_distribution<int>(0, limit - 1)(generator);
  };
  static constexpr std::string_view kPieces[] = {
      "word",    "Satz",  "\xC3\xA9t\xC3\xA9",        ". ",          "? ",   " ",
      "\n",      "  ",    "\xF0\x9F\x98\x80",         "(a) ",        "3.2 ", "\xC2\xA7 4 ",
      "Art. 7 ", "TITLE", "\xE4\xBD\xA0\xE5\xA5\xBD", "\xE3\x80\x82"};
  for (int round = 0; round < 300; ++round) {
    TextOfBlocks text;
    const int blocks = draw(12);
    for (int b = 0; b < blocks; ++b) {
      std::string piece = "x";
      const int pieces = draw(8) == 0 ? draw(400) : draw(40);
      for (int i = 0; i < pieces; ++i) piece += kPieces[draw(std::size(kPieces))];
      piece += "x";
      if (draw(6) == 0) text.location().page = 1 + text.location().page.value_or(0);
      const auto kind = static_cast<BlockKind>(draw(7));
      text.Add(text::Normalize(piece).text, kind,
               static_cast<std::uint8_t>(kind == BlockKind::kHeading ? 1 + draw(6) : 0));
    }
    const ExtractedText& extracted = text.extracted();
    const ChunkOptions options = round % 2 == 0 ? ChunkOptions{} : ChunkOptions{60, 100, 30};
    const auto chunks = MakeChunks(extracted, "en", options);
    std::uint64_t covered = 0;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const ByteRange& range = chunks[i].range;
      ASSERT_LT(range.begin, range.end);
      ASSERT_LE(range.end - range.begin, options.max_bytes);
      ASSERT_LE(range.end, extracted.text.size());
      const std::string slice = extracted.text.substr(range.begin, range.end - range.begin);
      ASSERT_TRUE(text::IsValidUtf8(slice));
      ASSERT_GT(range.end, covered);
      for (std::uint64_t at = covered; at < range.begin; ++at) {
        ASSERT_TRUE(std::isspace(static_cast<unsigned char>(extracted.text[at])));
      }
      if (i > 0 && range.begin < covered) {
        ASSERT_LE(covered - range.begin, options.overlap_bytes);
        ASSERT_GT(range.begin, chunks[i - 1].range.begin);
        const auto block = std::find_if(
            extracted.blocks.begin(), extracted.blocks.end(), [&range](const Block& candidate) {
              return candidate.range.begin <= range.begin && range.begin < candidate.range.end;
            });
        ASSERT_NE(block, extracted.blocks.end());
        const auto sentences = text::SplitSentences(
            std::string_view(extracted.text)
                .substr(block->range.begin, block->range.end - block->range.begin),
            "en");
        const auto starts = [&](std::uint64_t at) {
          return std::any_of(sentences.begin(), sentences.end(), [&](const ByteRange& sentence) {
            return sentence.begin + block->range.begin == at;
          });
        };
        const auto ends = [&](std::uint64_t at) {
          return std::any_of(sentences.begin(), sentences.end(), [&](const ByteRange& sentence) {
            return sentence.end + block->range.begin == at;
          });
        };
        ASSERT_TRUE(starts(range.begin));
        ASSERT_TRUE(ends(covered));
      }
      covered = range.end;
    }
    for (std::uint64_t at = covered; at < extracted.text.size(); ++at) {
      ASSERT_TRUE(std::isspace(static_cast<unsigned char>(extracted.text[at])));
    }
    const auto again = MakeChunks(extracted, "en", options);
    ASSERT_EQ(again.size(), chunks.size());
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      ASSERT_EQ(again[i].range, chunks[i].range);
      ASSERT_EQ(again[i].heading, chunks[i].heading);
      ASSERT_EQ(again[i].location, chunks[i].location);
    }
  }
}

void CheckHeading(std::string_view paragraph, int rank, std::string_view label, bool is_title) {
  const auto heading = FindSectionHeading(paragraph);
  ASSERT_TRUE(heading.has_value()) << paragraph;
  EXPECT_EQ(heading->rank, rank) << paragraph;
  EXPECT_EQ(heading->label, label);
  EXPECT_EQ(heading->is_title, is_title) << paragraph;
}

TEST(SectionHeadingTest, ReadsLegalNumbering) {
  CheckHeading("\xC2\xA7 12 K\xC3\xBCndigung", kSectionRank, "\xC2\xA7 12 K\xC3\xBCndigung", true);
  CheckHeading("\xC2\xA7 12 Der Mieter zahlt.\nEr zahlt viel.", kSectionRank, "\xC2\xA7 12", false);
  CheckHeading("Art. 7", kSectionRank, "Art. 7", true);
  CheckHeading(
      "Art\xC3\xAD"
      "culo 7. El plazo es de un mes, y no m\xC3\xA1s.",
      kSectionRank,
      "Art\xC3\xAD"
      "culo 7",
      false);
  CheckHeading("Section 4", kSectionRank, "Section 4", true);
  CheckHeading("Schedule IV", kSectionRank, "Schedule IV", true);
  CheckHeading("3.2.1 Fees", kNumberRank + 2, "3.2.1 Fees", true);
  CheckHeading("3.2 The supplier shall deliver on time.", kNumberRank + 1, "3.2", false);
  CheckHeading("4. Liability", kNumberRank, "4. Liability", true);
  CheckHeading("(a) the first of them; and", kItemRank, "(a)", false);
  CheckHeading("LIMITATION OF LIABILITY", kCapitalsRank, "LIMITATION OF LIABILITY", true);
}

TEST(SectionHeadingTest, LeavesOrdinaryParagraphsAlone) {
  for (const std::string_view paragraph :
       {"The fee is due.", "12 men were seen.", "2020 was a year.",
        "Section 4 applies to all fees.", "Part of it is lost.", "(see above) it is", "A", "",
        "3.5 million people live there.", "USA is short.", "In 1998 it ended."}) {
    EXPECT_FALSE(FindSectionHeading(paragraph).has_value()) << paragraph;
  }
}

}  // namespace
}  // namespace sworn::indexer
