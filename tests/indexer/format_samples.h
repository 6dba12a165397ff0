// Small documents of every format, for the tests of the extractors.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/error.h"
#include "indexer/extract/extractor.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"
#include "tests/support/pdf_builder.h"
#include "tests/support/zip_builder.h"

namespace sworn::indexer {

inline Extraction Extract(std::string_view bytes, std::string_view media_type,
                          const ExtractLimits& limits = {}) {
  ExtractRequest request;
  request.file_name = "sample";
  request.media_type = media_type;
  request.limits = limits;
  return ExtractBytes(bytes, request);
}

/// The error that extraction ends with; fails the test if there is none.
inline Error ErrorOf(std::string_view bytes, std::string_view media_type,
                     const ExtractLimits& limits = {}) {
  try {
    Extract(bytes, media_type, limits);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error for " << media_type;
  return {ErrorCode::kInternal, "none"};
}

inline std::string_view TextOf(const ExtractedText& text, const Block& block) {
  return std::string_view(text.text).substr(block.range.begin, block.range.end - block.range.begin);
}

/// The first block whose text begins with `start`; fails the test if there is none.
inline Block BlockOf(const ExtractedText& text, std::string_view start) {
  for (const Block& block : text.blocks) {
    if (TextOf(text, block).starts_with(start)) return block;
  }
  ADD_FAILURE() << "no block begins with '" << start << "' in: " << text.text;
  return {};
}

inline std::string Docx(const std::string& body, std::vector<test::ZipMember> more = {}) {
  more.insert(more.begin(),
              {"word/document.xml", "<w:document xmlns:w=\"w\" xmlns:mc=\"mc\"><w:body>" + body +
                                        "</w:body></w:document>"});
  return test::BuildZip(more);
}

inline std::string Odt(const std::string& body, const std::string& kind = "text") {
  return test::BuildZip(
      {{"mimetype", "application/vnd.oasis.opendocument.text"},
       {"content.xml",
        "<office:document-content xmlns:office=\"o\" xmlns:text=\"t\" "
        "xmlns:table=\"b\"><office:body><office:" +
            kind + ">" + body + "</office:" + kind + "></office:body></office:document-content>"}});
}

inline std::string Pptx() {
  const auto shape = [](const std::string& type, const std::string& text) {
    return "<p:sp><p:nvSpPr><p:nvPr><p:ph type=\"" + type + "\"/></p:nvPr></p:nvSpPr><p:txBody>" +
           text + "</p:txBody></p:sp>";
  };
  const auto line = [](const std::string& text) {
    return "<a:p><a:r><a:t>" + text + "</a:t></a:r></a:p>";
  };
  const auto slide = [](const std::string& shapes) {
    return "<p:sld xmlns:p=\"p\" xmlns:a=\"a\"><p:cSld><p:spTree>" + shapes +
           "</p:spTree></p:cSld></p:sld>";
  };
  return test::BuildZip(
      {{"ppt/presentation.xml",
        "<p:presentation xmlns:p=\"p\" xmlns:r=\"r\"><p:sldIdLst><p:sldId id=\"256\" "
        "r:id=\"rId2\"/><p:sldId id=\"257\" r:id=\"rId1\"/></p:sldIdLst></p:presentation>"},
       {"ppt/_rels/presentation.xml.rels",
        "<Relationships><Relationship Id=\"rId1\" Type=\"x/slide\" Target=\"slides/slide1.xml\"/>"
        "<Relationship Id=\"rId2\" Type=\"x/slide\" "
        "Target=\"slides/slide2.xml\"/></Relationships>"},
       {"ppt/slides/slide1.xml",
        slide("<p:graphicFrame><a:tbl><a:tblPr firstRow=\"1\"/><a:tr><a:tc><a:txBody>" +
              line("Drug") + "</a:txBody></a:tc><a:tc><a:txBody>" + line("Dose") +
              "</a:txBody></a:tc></a:tr><a:tr><a:tc><a:txBody>" + line("Aspirin") +
              "</a:txBody></a:tc><a:tc><a:txBody>" + line("100 mg") +
              "</a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>")},
       {"ppt/slides/slide2.xml",
        slide(shape("body", line("First point") + line("Second point")) +
              shape("title", line("Opening")) + shape("sldNum", line("9")))},
       {"ppt/slides/_rels/slide2.xml.rels",
        "<Relationships><Relationship Id=\"rId1\" Type=\"x/notesSlide\" "
        "Target=\"../notesSlides/notesSlide1.xml\"/></Relationships>"},
       {"ppt/notesSlides/notesSlide1.xml",
        "<p:notes xmlns:p=\"p\" xmlns:a=\"a\"><p:cSld><p:spTree>" +
            shape("body", line("Speak slowly")) + "</p:spTree></p:cSld></p:notes>"}});
}

inline std::string Xlsx() {
  return test::BuildZip(
      {{"xl/workbook.xml",
        "<workbook xmlns:r=\"r\"><sheets><sheet name=\"Second file\" sheetId=\"2\" r:id=\"rId2\"/>"
        "<sheet name=\"Secret\" sheetId=\"1\" state=\"hidden\" "
        "r:id=\"rId1\"/></sheets></workbook>"},
       {"xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id=\"rId1\" Type=\"x/worksheet\" "
        "Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"x/worksheet\" "
        "Target=\"/xl/worksheets/sheet2.xml\"/><Relationship Id=\"rId3\" Type=\"x/sharedStrings\" "
        "Target=\"sharedStrings.xml\"/><Relationship Id=\"rId4\" Type=\"x/styles\" "
        "Target=\"styles.xml\"/></Relationships>"},
       {"xl/sharedStrings.xml",
        "<sst><si><t>Patient</t></si><si><r><t>Adm</t></r><r><t>itted</t>"
        "</r><rPh><t>ignored</t></rPh></si></sst>"},
       {"xl/styles.xml",
        "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"[$-407]d\\.\\ mmmm\\ yyyy;@\"/>"
        "</numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/>"
        "<xf numFmtId=\"9\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"},
       {"xl/worksheets/sheet1.xml",
        "<worksheet><sheetData><row r=\"7\"><c r=\"A7\" t=\"inlineStr\"><is><t>hidden "
        "words</t></is>"
        "</c></row></sheetData></worksheet>"},
       {"xl/worksheets/sheet2.xml",
        "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\">"
        "<v>1</v></c></row><row r=\"4\"><c r=\"A4\"><v>0.30000000000000004</v></c><c r=\"C4\" "
        "s=\"2\"><v>45322</v></c><c r=\"D4\" s=\"3\"><v>0.125</v></c><c r=\"E4\" s=\"4\">"
        "<v>45322.5</v></c><c r=\"F4\" s=\"1\"><v>59</v></c></row></sheetData></worksheet>"}});
}

}  // namespace sworn::indexer
