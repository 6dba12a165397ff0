#include "tests/indexer/format_samples.h"

namespace sworn::indexer {
namespace {

std::string Words(const std::string& text) { return "<w:r><w:t>" + text + "</w:t></w:r>"; }
std::string P(const std::string& inner) { return "<w:p>" + inner + "</w:p>"; }
std::string Styled(const std::string& style, const std::string& text) {
  return P("<w:pPr><w:pStyle w:val=\"" + style + "\"/></w:pPr>" + Words(text));
}
std::string Cell(const std::string& text) { return "<w:tc>" + P(Words(text)) + "</w:tc>"; }

TEST(DocxFormat, LeavesTrackedDeletionsOutAndKeepsInsertions) {
  const std::string body =
      P(Words("The fee is ") + "<w:del><w:r><w:delText>100</w:delText></w:r></w:del>" + "<w:ins>" +
        Words("200") + "</w:ins>" + "<w:moveFrom>" + Words(" gone") + "</w:moveFrom>" +
        Words(" euros.")) +
      "<w:del>" + P(Words("a deleted paragraph")) + "</w:del>" +
      "<w:tbl><w:tr><w:trPr><w:del/></w:trPr>" + Cell("lost") + Cell("row") + "</w:tr><w:tr>" +
      Cell("kept") + Cell("row") + "</w:tr></w:tbl>";
  const ExtractedText text = Extract(Docx(body), media::kDocx).text;
  EXPECT_EQ(text.text, "The fee is 200 euros.\n\nkept | row");
}

TEST(DocxFormat, FindsHeadingsThroughInheritedStyles) {
  const std::string styles =
      "<w:styles xmlns:w=\"w\"><w:style w:type=\"paragraph\" w:styleId=\"Ueberschrift2\"><w:name "
      "w:val=\"heading 2\"/></w:style><w:style w:type=\"paragraph\" w:styleId=\"Own\"><w:name "
      "w:val=\"Clause\"/><w:basedOn w:val=\"Ueberschrift2\"/></w:style><w:style "
      "w:type=\"paragraph\" w:styleId=\"Deep\"><w:name w:val=\"Deep\"/><w:pPr><w:outlineLvl "
      "w:val=\"3\"/></w:pPr></w:style></w:styles>";
  const ExtractedText text =
      Extract(Docx(Styled("Own", "Liability") + Styled("Deep", "Caps") + P(Words("None.")),
                   {{"word/styles.xml", styles}}),
              media::kDocx)
          .text;
  EXPECT_EQ(BlockOf(text, "Liability").heading_level, 2);
  EXPECT_EQ(BlockOf(text, "Caps").heading_level, 4);
  EXPECT_EQ(BlockOf(text, "None.").kind, BlockKind::kParagraph);
}

TEST(DocxFormat, WritesTheNumbersOfAutomaticLists) {
  const std::string numbering =
      "<w:numbering xmlns:w=\"w\"><w:abstractNum w:abstractNumId=\"0\"><w:lvl "
      "w:ilvl=\"0\"><w:start "
      "w:val=\"3\"/><w:numFmt w:val=\"decimal\"/><w:lvlText w:val=\"%1.\"/></w:lvl><w:lvl "
      "w:ilvl=\"1\"><w:start w:val=\"1\"/><w:numFmt w:val=\"lowerRoman\"/><w:lvlText "
      "w:val=\"%1.%2\"/></w:lvl></w:abstractNum><w:num w:numId=\"5\"><w:abstractNumId "
      "w:val=\"0\"/></w:num></w:numbering>";
  const auto item = [](const std::string& level, const std::string& text) {
    return P("<w:pPr><w:numPr><w:ilvl w:val=\"" + level +
             "\"/><w:numId w:val=\"5\"/></w:numPr></w:pPr>" + Words(text));
  };
  const ExtractedText text =
      Extract(Docx(item("0", "Term") + item("1", "Start") + item("1", "End") + item("0", "Law") +
                       item("1", "Court"),
                   {{"word/numbering.xml", numbering}}),
              media::kDocx)
          .text;
  EXPECT_EQ(text.text, "3. Term\n3.i Start\n3.ii End\n4. Law\n4.i Court");
  EXPECT_EQ(text.blocks[0].kind, BlockKind::kListItem);
}

TEST(DocxFormat, GivesPageNumbersWhereWordNotedItsPageBreaks) {
  const std::string broken = "<w:r><w:lastRenderedPageBreak/><w:t>Second page.</w:t></w:r>";
  const ExtractedText text =
      Extract(Docx(P(Words("First page.") + "<w:r><w:br w:type=\"page\"/></w:r>") + P(broken) +
                   P(Words("over ") + "<w:r><w:lastRenderedPageBreak/><w:t>the edge</w:t></w:r>")),
              media::kDocx)
          .text;
  EXPECT_EQ(text.page_count, 3U);
  EXPECT_EQ(BlockOf(text, "First").location.page, 1U);
  EXPECT_EQ(BlockOf(text, "Second").location.page, 2U);
  EXPECT_EQ(BlockOf(text, "over").location.page_end, 3U);
  EXPECT_NE(text.text.find("First page.\fSecond page."), std::string::npos);
}

TEST(DocxFormat, MarksPageBreaksWithoutNumbersWhereWordDidNotRender) {
  const ExtractedText text =
      Extract(Docx(P(Words("One")) + P("<w:r><w:br w:type=\"page\"/></w:r>" + Words("Two"))),
              media::kDocx)
          .text;
  EXPECT_EQ(text.text, "One\fTwo");
  EXPECT_EQ(text.page_count, 0U);
  EXPECT_FALSE(text.blocks[1].location.page.has_value());
}

TEST(DocxFormat, KeepsNotesCommentsTextBoxesAndTableHeaders) {
  const std::string box =
      "<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>" + P(Words("Boxed")) +
      "</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>" + P(Words("Boxed")) +
      "</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>";
  const std::string body = P(Words("Claim") + "<w:r><w:footnoteReference w:id=\"2\"/></w:r>" +
                             "<w:r><w:commentReference w:id=\"0\"/></w:r>" + box) +
                           "<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr>" + Cell("Drug") +
                           Cell("Dose") + "</w:tr><w:tr>" + Cell("Aspirin") + Cell("100 mg") +
                           "</w:tr></w:tbl>";
  const ExtractedText text =
      Extract(
          Docx(body,
               {{"word/footnotes.xml",
                 "<w:footnotes xmlns:w=\"w\"><w:footnote w:type=\"separator\" w:id=\"1\"/>"
                 "<w:footnote w:id=\"2\">" +
                     P(Words("Source: file 7")) + "</w:footnote></w:footnotes>"},
                {"word/comments.xml", "<w:comments xmlns:w=\"w\"><w:comment w:id=\"0\">" +
                                          P(Words("Check this")) + "</w:comment></w:comments>"}}),
          media::kDocx)
          .text;
  EXPECT_EQ(text.text,
            "Claim\n\nBoxed\n\nSource: file 7\n\nCheck this\n\nDrug | Dose\nAspirin | 100 mg");
  EXPECT_EQ(BlockOf(text, "Source").kind, BlockKind::kNote);
  EXPECT_EQ(BlockOf(text, "Check").kind, BlockKind::kNote);
  EXPECT_EQ(BlockOf(text, "Aspirin").table_header, "Drug | Dose");
  EXPECT_EQ(BlockOf(text, "Drug").table_header, "");
}

TEST(DocxFormat, ReadsTitleAuthorAndDate) {
  const ExtractedText text =
      Extract(
          Docx(P(Words("x")),
               {{"docProps/core.xml",
                 "<cp:coreProperties><dc:title>Lease</dc:title><dc:creator>A. Writer</dc:creator>"
                 "<dcterms:modified>2024-01-31T10:05:00+01:00</dcterms:modified>"
                 "</cp:coreProperties>"}}),
          media::kDocx)
          .text;
  EXPECT_EQ(text.title, "Lease");
  EXPECT_EQ(text.metadata.at("author"), "A. Writer");
  EXPECT_EQ(text.metadata.at("date"), "2024-01-31T09:05:00.000Z");
}

TEST(OdtFormat, ReadsHeadingsListsTablesAndNotesWithoutDeletedText) {
  const ExtractedText text =
      Extract(Odt("<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted "
                  "words</text:p></text:deletion></text:changed-region></text:tracked-changes>"
                  "<text:h text:outline-level=\"2\">Scope</text:h>"
                  "<text:p>Two<text:s text:c=\"2\"/>spaces\n  and<text:note><text:note-citation>1"
                  "</text:note-citation><text:note-body><text:p>A note</text:p></text:note-body>"
                  "</text:note> more</text:p><text:list><text:list-item><text:p>Item</text:p>"
                  "</text:list-item></text:list><table:table><table:table-header-rows>"
                  "<table:table-row><table:table-cell><text:p>K</text:p></table:table-cell>"
                  "<table:table-cell><text:p>V</text:p></table:table-cell></table:table-row>"
                  "</table:table-header-rows><table:table-row><table:table-cell><text:p>a</text:p>"
                  "</table:table-cell><table:table-cell><text:p>1</text:p></table:table-cell>"
                  "</table:table-row></table:table>"),
              media::kOdt)
          .text;
  EXPECT_EQ(text.text, "Scope\n\nTwo  spaces and more\n\nA note\n\nItem\n\nK | V\na | 1");
  EXPECT_EQ(BlockOf(text, "Scope").heading_level, 2);
  EXPECT_EQ(BlockOf(text, "A note").kind, BlockKind::kNote);
  EXPECT_EQ(BlockOf(text, "Item").kind, BlockKind::kListItem);
  EXPECT_EQ(BlockOf(text, "a | 1").table_header, "K | V");
}

TEST(OdtFormat, RefusesAnEncryptedDocument) {
  const std::string bytes = test::BuildZip(
      {{"META-INF/manifest.xml",
        "<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>"},
       {"content.xml", "noise"}});
  const Error error = ErrorOf(bytes, media::kOdt);
  EXPECT_EQ(error.code(), ErrorCode::kDenied);
}

TEST(PptxFormat, FollowsTheOrderOfThePresentation) {
  const ExtractedText text = Extract(Pptx(), media::kPptx).text;
  EXPECT_EQ(
      text.text,
      "Opening\n\nFirst point\nSecond point\n\nSpeak slowly\n\nDrug | Dose\nAspirin | 100 mg");
  EXPECT_EQ(BlockOf(text, "Opening").kind, BlockKind::kHeading);
  EXPECT_EQ(BlockOf(text, "Opening").location.slide, 1U);
  EXPECT_EQ(BlockOf(text, "Speak").kind, BlockKind::kNote);
  EXPECT_EQ(BlockOf(text, "Aspirin").location.slide, 2U);
  EXPECT_EQ(BlockOf(text, "Aspirin").table_header, "Drug | Dose");
}

TEST(XlsxFormat, ReadsSheetsInWorkbookOrderWithDatesAndRowNumbers) {
  const ExtractedText text = Extract(Xlsx(), media::kXlsx).text;
  const Block row = BlockOf(text, "0.3 |");
  EXPECT_EQ(TextOf(text, row), "0.3 | 2024-01-31 | 12.5% | 2024-01-31T12:00:00 | 1900-02-28");
  EXPECT_EQ(row.location.sheet, "Second file");
  EXPECT_EQ(row.location.row, 4U);
  EXPECT_EQ(row.table_header, "Patient | Admitted");
  EXPECT_EQ(BlockOf(text, "hidden words").location.row, 7U);
  ASSERT_EQ(text.warnings.size(), 1U);
  EXPECT_EQ(text.warnings[0], "sheet 'Secret' is hidden");
}

TEST(OfficeContainer, RefusesABombByItsRatioWithoutInflatingItAll) {
  const std::string bomb = Docx(std::string(40U << 20U, ' '));
  ASSERT_LT(bomb.size(), 100'000U);
  const Error error = ErrorOf(bomb, media::kDocx);
  EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
  EXPECT_NE(std::string(error.what()).find("max_inflate_ratio"), std::string::npos);
}

TEST(OfficeContainer, NamesEachLimitThatIsPassed) {
  ExtractLimits limits;
  limits.max_inflated_bytes = 50;
  EXPECT_NE(std::string(ErrorOf(Docx(P(Words("x"))), media::kDocx, limits).what())
                .find("max_inflated_bytes"),
            std::string::npos);
  limits = {};
  limits.max_archive_entries = 2;
  EXPECT_NE(std::string(ErrorOf(Xlsx(), media::kXlsx, limits).what()).find("max_archive_entries"),
            std::string::npos);
  limits = {};
  limits.max_pages = 1;
  EXPECT_NE(std::string(ErrorOf(Pptx(), media::kPptx, limits).what()).find("max_pages"),
            std::string::npos);
}

TEST(OfficeContainer, ExpandsNoEntities) {
  std::string dtd =
      "<!DOCTYPE w:document [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY f SYSTEM "
      "\"file:///etc/passwd\">";
  for (char c = 'b'; c < 'k'; ++c) {
    dtd += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) dtd += std::string("&") + static_cast<char>(c - 1) + ";";
    dtd += "\">";
  }
  const std::string xml = "<?xml version=\"1.0\"?>" + dtd +
                          "]><w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>&j;&f;</w:t></w:r>"
                          "</w:p></w:body></w:document>";
  const ExtractedText text =
      Extract(test::BuildZip({{"word/document.xml", xml}}), media::kDocx).text;
  EXPECT_EQ(text.text, "&j;&f;");
}

TEST(OfficeContainer, RefusesXmlThatIsNestedTooDeeply) {
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += "<w:sdt>";
  for (int i = 0; i < 100'000; ++i) body += "</w:sdt>";
  EXPECT_EQ(ErrorOf(Docx(body + P(Words("x"))), media::kDocx).code(), ErrorCode::kTooLarge);
}

TEST(OfficeContainer, TellsAnEncryptedDocumentFromADamagedOne) {
  EXPECT_EQ(ErrorOf("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest", media::kDocx).code(),
            ErrorCode::kDenied);
  EXPECT_EQ(ErrorOf("PK\x03\x04 rest", media::kXlsx).code(), ErrorCode::kIntegrity);
  EXPECT_EQ(ErrorOf(test::BuildZip({{"a.xml", "<a/>"}}), media::kPptx).code(),
            ErrorCode::kIntegrity);
  EXPECT_EQ(ErrorOf(Docx("<w:p>"), media::kDocx).code(), ErrorCode::kIntegrity);
}

TEST(OfficeContainer, EveryPrefixOfAFileIsAnErrorThatIsNamed) {
  const std::vector<std::pair<std::string, std::string_view>> files = {
      {Docx(P(Words("words"))), media::kDocx},
      {Odt("<text:p>words</text:p>"), media::kOdt},
      {Pptx(), media::kPptx},
      {Xlsx(), media::kXlsx}};
  for (const auto& [bytes, type] : files) {
    for (std::size_t size = 0; size + 1 < bytes.size(); size += 3) {
      const Error error = ErrorOf(std::string_view(bytes).substr(0, size), type);
      ASSERT_EQ(error.code(), ErrorCode::kIntegrity) << type << " cut at " << size;
    }
  }
}

}  // namespace
}  // namespace sworn::indexer
