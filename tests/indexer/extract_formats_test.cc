#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "indexer/extract/extractor.h"
#include "indexer/extract/html_text.h"
#include "indexer/extract/media_type.h"

namespace sworn::indexer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Extraction ExtractAs(std::string_view media_type, std::string_view bytes) {
  ExtractRequest request;
  request.file_name = "file";
  request.media_type = media_type;
  return ExtractBytes(bytes, request);
}

std::string PieceOf(const ExtractedText& text, const Block& block) {
  return text.text.substr(block.range.begin, block.range.end - block.range.begin);
}

/// The blocks as "K: text", K being a letter for the kind.
std::vector<std::string> Outline(const ExtractedText& text) {
  constexpr std::string_view kLetters = "PHLTCQN";
  std::vector<std::string> outline;
  for (const Block& block : text.blocks) {
    std::string line(1, kLetters[static_cast<std::size_t>(block.kind)]);
    if (block.heading_level > 0) line.append(std::to_string(block.heading_level));
    outline.push_back(line + ": " + PieceOf(text, block));
  }
  return outline;
}

TEST(PlainTextTest, BlankLinesSeparateParagraphsAndFormFeedsPages) {
  const ExtractedText text =
      ExtractAs(media::kPlainText, "One\r\nstill one\r\n\r\n \r\nTwo\fThree\n\f\fLast\n").text;
  EXPECT_THAT(Outline(text), ElementsAre("P: One\nstill one", "P: Two", "P: Three", "P: Last"));
  EXPECT_EQ(text.text, "One\nstill one\n\nTwo\fThree\f\fLast");
  EXPECT_EQ(text.page_count, 4U);
  EXPECT_EQ(text.blocks[1].location.page, 1U);
  EXPECT_EQ(text.blocks[3].location.page, 4U);
}

TEST(PlainTextTest, ATextWithoutPageBreaksHasNoPages) {
  const ExtractedText text = ExtractAs(media::kPlainText, "No pages.").text;
  EXPECT_EQ(text.page_count, 0U);
  EXPECT_FALSE(text.blocks[0].location.page.has_value());
}

TEST(PlainTextTest, CharsetsAreRecognised) {
  const std::string german =
      "Die Stra\xdf"
      "e ist f\xfcr K\xf6nige und M\xe4nner gesperrt worden.";
  EXPECT_EQ(ExtractAs(media::kPlainText, german).text.text,
            "Die Straße ist für Könige und Männer gesperrt worden.");
  const std::string utf16("\xff\xfeH\0i\0\xac\x20", 8);
  EXPECT_EQ(ExtractAs(media::kPlainText, utf16).text.text, "Hi€");
  const std::string unmarked("D\0e\0a\0r\0 \0A\0n\0n\0", 16);
  EXPECT_EQ(ExtractAs(media::kPlainText, unmarked).text.text, "Dear Ann");
  EXPECT_EQ(ExtractAs(media::kPlainText, "\xef\xbb\xbfmarked").text.text, "marked");
}

TEST(PlainTextTest, InvalidBytesBecomeReplacementCharactersAndCount) {
  const ExtractedText text =
      ExtractAs(media::kPlainText,
                "ein sch\xc3\xb6ner, l\xc3\xa4ngerer Satz \xff mit \xe2\x82\xac und mehr")
          .text;
  EXPECT_EQ(text.removed.invalid, 1U);
  EXPECT_EQ(text.text, "ein schöner, längerer Satz \xef\xbf\xbd mit € und mehr");
}

TEST(PlainTextTest, InvisibleCharactersGoAndCount) {
  const ExtractedText text =
      ExtractAs(media::kPlainText, "vis\xe2\x80\x8bible \xe2\x80\xaetext\x07").text;
  EXPECT_EQ(text.text, "visible text");
  EXPECT_EQ(text.removed.zero_width, 1U);
  EXPECT_EQ(text.removed.bidi, 1U);
  EXPECT_EQ(text.removed.control, 1U);
}

TEST(MarkdownTest, StructureBecomesBlocks) {
  const ExtractedText text = ExtractAs(media::kMarkdown, R"(---
title: "A note"
author: R. Example
---
# Part *one*

Some `code` and &eacute;
on two lines.

- first
- second
  - nested

> quoted

| Drug | Dose |
|------|------|
| Aspirin | 100 mg |

```
  indented();
```

<div>html <b>block</b><script>no()</script></div>
)")
                                 .text;
  EXPECT_EQ(text.title, "A note");
  EXPECT_THAT(text.metadata, ElementsAre(Pair("author", "R. Example")));
  EXPECT_THAT(Outline(text),
              ElementsAre("H1: Part one", "P: Some code and é\non two lines.", "L: first",
                          "L: second", "L: nested", "Q: quoted", "T: Drug | Dose",
                          "T: Aspirin | 100 mg", "C:   indented();", "P: html block"));
  EXPECT_EQ(text.blocks[6].table_header, "");
  EXPECT_EQ(text.blocks[7].table_header, "Drug | Dose");
}

TEST(MarkdownTest, ARulerIsNoFrontMatter) {
  const ExtractedText text = ExtractAs(media::kMarkdown, "---\n\nJust text: here\n").text;
  EXPECT_THAT(Outline(text), ElementsAre("P: Just text: here"));
}

TEST(HtmlTest, StructureBecomesBlocks) {
  const ExtractedText text =
      ExtractAs(media::kHtml,
                "<html lang=de><head><title>Notice </title><meta name=author content='R. E.'>"
                "<style>p{}</style></head><body><h2>Part</h2>  <p>First<br>line <b>bold</b>.</p>"
                "loose<ul><li>one<li>two</ul><blockquote><p>said</p></blockquote>"
                "<table><caption>Doses</caption><tr><th>Drug<th>Dose<tr><td>Aspirin<td>100"
                "<p>mg</p></table><pre> x\n  y</pre><script>no()</script></body></html>")
          .text;
  EXPECT_EQ(text.title, "Notice");
  EXPECT_THAT(text.metadata, ElementsAre(Pair("author", "R. E."), Pair("lang", "de")));
  EXPECT_THAT(Outline(text), ElementsAre("H2: Part", "P: First\nline bold.", "P: loose", "L: one",
                                         "L: two", "Q: said", "P: Doses", "T: Drug | Dose",
                                         "T: Aspirin | 100 mg", "C:  x\n  y"));
  EXPECT_EQ(text.blocks[8].table_header, "Drug | Dose");
}

TEST(HtmlTest, HiddenElementsAreLeftOutAndCounted) {
  const ExtractedText text =
      ExtractAs(media::kHtml,
                "<p>seen<p style='color:red; DISPLAY : none'>one<div hidden>two</div>"
                "<span style='visibility:hidden'>three</span><template>four</template>")
          .text;
  EXPECT_EQ(text.text, "seen");
  EXPECT_THAT(text.warnings, ElementsAre("3 hidden elements were left out"));
}

TEST(HtmlTest, ATableForLayoutIsReadAsFlow) {
  const ExtractedText text =
      ExtractAs(media::kHtml, "<table><tr><td><h1>Head</h1><p>left</p></td><td>right</td></table>")
          .text;
  EXPECT_THAT(Outline(text), ElementsAre("H1: Head", "P: left", "P: right"));
}

TEST(HtmlTest, TheDeclaredCharsetIsUsed) {
  EXPECT_EQ(
      ExtractAs(media::kHtml, "<meta charset='windows-1251'><p>\xcf\xf0\xe8\xe2\xe5\xf2").text.text,
      "Привет");
}

TEST(HtmlTest, DeepNestingIsRefusedByName) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep.append("<div>");
  try {
    ExtractAs(media::kHtml, deep + "x");
    ADD_FAILURE() << "deep nesting was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
    EXPECT_THAT(error.what(), HasSubstr("nested deeper than 500"));
  }
}

TEST(HtmlTest, AFragmentGivesItsText) { EXPECT_EQ(HtmlFragmentText("&lt;&amp; <b>x</b>"), "<& x"); }

TEST(CsvTest, QuotingFollowsRfc4180) {
  const ExtractedText text =
      ExtractAs(
          media::kCsv,
          "name,note\r\nA,\"with, comma\"\r\nB,\"a \"\"quote\"\"\"\r\n\r\nC,\"two\nlines\"\r\n")
          .text;
  EXPECT_THAT(Outline(text), ElementsAre("T: name | note", "T: A | with, comma",
                                         "T: B | a \"quote\"", "T: C | two lines"));
  EXPECT_EQ(text.blocks[3].table_header, "name | note");
  EXPECT_EQ(text.blocks[3].location.row, 5U);
}

TEST(CsvTest, TheDelimiterIsFound) {
  EXPECT_THAT(Outline(ExtractAs(media::kCsv, "Name;Betrag\nMüller;12,50\nMeier;3,10\n").text),
              ElementsAre("T: Name | Betrag", "T: Müller | 12,50", "T: Meier | 3,10"));
  EXPECT_THAT(Outline(ExtractAs(media::kTsv, "a, b\tc\n1\t2\n").text),
              ElementsAre("T: a, b | c", "T: 1 | 2"));
}

TEST(CsvTest, AFirstRowOfNumbersIsNoHeader) {
  const ExtractedText text = ExtractAs(media::kCsv, "1,2\n3,4\n").text;
  EXPECT_EQ(text.blocks[1].table_header, "");
}

TEST(JsonTest, LeavesStandWithTheirPaths) {
  const ExtractedText text =
      ExtractAs(media::kJson, R"({"title":"T","a":[{"b":1.50},{"b":true}],"n":null,"e":""})").text;
  EXPECT_EQ(text.title, "T");
  EXPECT_THAT(Outline(text), ElementsAre("L: title: T", "L: a[0].b: 1.50", "L: a[1].b: true"));
}

TEST(JsonTest, DamageAndDepthAreNamed) {
  EXPECT_THROW(ExtractAs(media::kJson, "{\"a\": "), Error);
  EXPECT_THROW(ExtractAs(media::kJson, std::string(100'000, '[')), Error);
}

TEST(JsonTest, SeveralObjectsAfterEachOtherAreRead) {
  const ExtractedText text = ExtractAs(media::kJson, "{\n\"a\":1\n}\n{\"a\":2} [3]\n").text;
  EXPECT_THAT(Outline(text), ElementsAre("L: a: 1", "L: a: 2", "L: [0]: 3"));
  EXPECT_THROW(ExtractAs(media::kJson, "{\"a\":1} {\"a\":"), Error);
}

TEST(JsonTest, LinesAreReadOneByOne) {
  const ExtractedText text = ExtractAs(media::kJsonLines, "{\"a\":1}\n\nbroken\n{\"a\":2}\n").text;
  EXPECT_THAT(Outline(text), ElementsAre("L: a: 1", "L: a: 2"));
  EXPECT_EQ(text.blocks[1].location.row, 4U);
  EXPECT_THAT(text.warnings, ElementsAre("line 3 is not valid JSON"));
  EXPECT_THROW(ExtractAs(media::kJsonLines, "nothing\n"), Error);
}

TEST(XmlTest, ElementsWithTextAreParagraphs) {
  const ExtractedText text =
      ExtractAs(media::kXml,
                "<?xml version='1.0' encoding='iso-8859-1'?><r a='b'><t>M\xfcnchen</t>"
                "<s><p>mixed <b>bold</b>\n text</p><e/></s></r>")
          .text;
  EXPECT_THAT(Outline(text), ElementsAre("P: München", "P: mixed bold text"));
  EXPECT_THROW(ExtractAs(media::kXml, "<a><b></a>"), Error);
}

TEST(ExtractBytesTest, LimitsAreNamed) {
  ExtractRequest request;
  request.media_type = media::kPlainText;
  request.limits.max_file_bytes = 3;
  try {
    ExtractBytes("four", request);
    ADD_FAILURE() << "a file beyond the limit was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
    EXPECT_THAT(error.what(), HasSubstr("max_file_bytes"));
  }
  request.limits = {};
  request.nesting = 3;
  EXPECT_THROW(ExtractBytes("x", request), Error);
  request.media_type = "image/png";
  EXPECT_THROW(ExtractBytes("x", request), Error);
}

TEST(MediaTypeTest, MagicBytesAndExtensionsDecideTogether) {
  const std::string ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
  const std::string zip = "PK\x03\x04";
  EXPECT_EQ(DetectMediaType("a.txt", "plain"), media::kPlainText);
  EXPECT_EQ(DetectMediaType("A.PDF", "%PDF-1.7"), media::kPdf);
  EXPECT_EQ(DetectMediaType("letter.txt", "%PDF-1.7"), media::kPdf);
  EXPECT_EQ(DetectMediaType("a.doc", "{\\rtf1 x}"), media::kRtf);
  EXPECT_EQ(DetectMediaType("a.doc", ole), media::kDoc);
  EXPECT_EQ(DetectMediaType("a.doc", "<html><p>x"), media::kHtml);
  EXPECT_EQ(
      DetectMediaType("unknown", ole + std::string("W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0", 24)),
      media::kDoc);
  EXPECT_EQ(DetectMediaType("a.docx", zip), media::kDocx);
  EXPECT_EQ(DetectMediaType("a", zip + "....xl/workbook.xml"), media::kXlsx);
  EXPECT_EQ(DetectMediaType("a.zip", zip), media::kZip);
  EXPECT_EQ(DetectMediaType("a.bin", std::string("\0\1\2\3", 4)), media::kBinary);
  EXPECT_EQ(DetectMediaType("notes.txt", std::string("\0\1\2\3", 4)), media::kBinary);
  EXPECT_EQ(DetectMediaType("README", "words"), media::kPlainText);
  EXPECT_EQ(DetectMediaType("mail", "Received: x\nFrom: y\nSubject: z\n\nhi"), media::kEml);
  EXPECT_EQ(DetectMediaType("page", "  <!DOCTYPE HTML><p>"), media::kHtml);
  EXPECT_EQ(DetectMediaType("nothing.pdf", ""), media::kEmpty);
  EXPECT_EQ(MediaTypeOfExtension("MD"), media::kMarkdown);
  EXPECT_EQ(MediaTypeOfExtension("xyz"), std::nullopt);
}

}  // namespace
}  // namespace sworn::indexer
