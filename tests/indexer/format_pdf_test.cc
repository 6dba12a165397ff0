#include "indexer/extract/pdf_layout.h"
#include "tests/indexer/format_samples.h"

namespace sworn::indexer {
namespace {

std::vector<test::PdfText> Lines(double x, double y, const std::vector<std::string>& lines) {
  std::vector<test::PdfText> texts;
  for (const std::string& line : lines) {
    texts.push_back({x, y, 11, line});
    y -= 13;
  }
  return texts;
}

TEST(PdfFormat, JoinsLinesToParagraphsAndKeepsPages) {
  std::vector<test::PdfText> first = Lines(72, 650,
                                           {
                                               "The tenant shall pay the rent on the first day",
                                               "of each month.",
                                           });
  const std::vector<test::PdfText> second = Lines(72, 600, {"The landlord keeps the roof."});
  first.insert(first.end(), second.begin(), second.end());
  first.insert(first.begin(), {72, 720, 18, "Lease"});
  const Extraction extraction = Extract(
      test::BuildPdf({{first}, {Lines(72, 720, {"On the second page."})}}, "A lease"), media::kPdf);
  const ExtractedText& text = extraction.text;
  EXPECT_EQ(text.text,
            "Lease\n\nThe tenant shall pay the rent on the first day\nof each month.\n\n"
            "The landlord keeps the roof.\fOn the second page.");
  EXPECT_EQ(BlockOf(text, "Lease").kind, BlockKind::kHeading);
  EXPECT_EQ(BlockOf(text, "Lease").heading_level, 1);
  EXPECT_EQ(BlockOf(text, "On the").location.page, 2U);
  EXPECT_EQ(BlockOf(text, "On the").location.page_label, "2");
  EXPECT_EQ(text.page_count, 2U);
  EXPECT_EQ(text.title, "A lease");
  EXPECT_EQ(text.metadata.at("date"), "2024-01-31T09:05:00.000Z");
  EXPECT_TRUE(extraction.ocr_pages.empty());
}

TEST(PdfFormat, DoesNotInterleaveColumns) {
  std::vector<test::PdfText> page =
      Lines(72, 700, {"Left one goes on here", "left two goes on here", "left three ends."});
  const std::vector<test::PdfText> right =
      Lines(320, 700, {"Right one goes on here", "right two goes on here", "right three ends."});
  page.insert(page.end(), right.begin(), right.end());
  EXPECT_EQ(Extract(test::BuildPdf({{page}}), media::kPdf).text.text,
            "Left one goes on here\nleft two goes on here\nleft three ends.\n\n"
            "Right one goes on here\nright two goes on here\nright three ends.");
}

TEST(PdfFormat, AsksForOcrWhereAPageShowsSomethingButHasNoText) {
  const Extraction extraction =
      Extract(test::BuildPdf({{Lines(72, 700, {"Text"})}, {{}, true}, {{}, false}}), media::kPdf);
  EXPECT_EQ(extraction.ocr_pages, std::vector<std::uint32_t>{2});
  EXPECT_EQ(extraction.text.page_count, 3U);
}

TEST(PdfFormat, RefusesWhatNeedsAPassword) {
  const Error error =
      ErrorOf(test::BuildPdf({{Lines(72, 700, {"Secret"})}}, "", true), media::kPdf);
  EXPECT_EQ(error.code(), ErrorCode::kDenied);
  EXPECT_NE(std::string(error.what()).find("encrypted"), std::string::npos);
}

TEST(PdfFormat, RefusesMorePagesThanTheLimit) {
  ExtractLimits limits;
  limits.max_pages = 1;
  const Error error = ErrorOf(test::BuildPdf({{}, {}}), media::kPdf, limits);
  EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
  EXPECT_NE(std::string(error.what()).find("max_pages"), std::string::npos);
}

TEST(PdfFormat, EveryPrefixOfAFileIsReadOrRefusedByName) {
  const std::string pdf = test::BuildPdf({{Lines(72, 700, {"Some words"})}});
  for (std::size_t size = 0; size < pdf.size(); size += 7) {
    try {
      Extract(std::string_view(pdf).substr(0, size), media::kPdf);
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == ErrorCode::kIntegrity || error.code() == ErrorCode::kDenied)
          << size << ": " << error.what();
    }
  }
}

TEST(PdfFormat, DrawsAPageAsAGreyMap) {
  const std::string pdf = test::BuildPdf({{{}, true}});
  const std::string map = RenderPdfPage(pdf, 1, 36);
  EXPECT_TRUE(map.starts_with("P5\n306 396\n255\n")) << map.substr(0, 20);
  EXPECT_EQ(map.size(), std::string("P5\n306 396\n255\n").size() + 306 * 396);
  EXPECT_NE(map.find('\0'), std::string::npos);  // black
  EXPECT_THROW(RenderPdfPage(pdf, 2, 36), Error);
  EXPECT_THROW(RenderPdfPage(pdf, 1, 4000), Error);
}

TEST(PdfLayout, KnowsClauseNumbersAndListItems) {
  EXPECT_EQ(ClauseDepth("3.2.1 Scope"), 3U);
  EXPECT_EQ(ClauseDepth("3. Scope"), 1U);
  EXPECT_EQ(ClauseDepth("\u00a7 12 Miete"), 1U);
  EXPECT_EQ(ClauseDepth("Article 7 Erasure"), 1U);
  EXPECT_EQ(ClauseDepth("2024 was a year"), 0U);
  EXPECT_EQ(ClauseDepth("12.5.2024.1.1.1 x"), 0U);
  EXPECT_TRUE(StartsListItem("(a) the tenant"));
  EXPECT_TRUE(StartsListItem("\u2022 milk"));
  EXPECT_FALSE(StartsListItem("the (a) tenant"));
}

}  // namespace
}  // namespace sworn::indexer
