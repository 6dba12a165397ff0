// Writes small PDF files: pages of Helvetica text at given places.
#pragma once

#include <string>
#include <vector>

namespace sworn::test {

struct PdfText {
  double x = 72;
  double y = 720;  // from the bottom of a page of 612 x 792 points
  double size = 11;
  std::string text;  // ASCII without ( ) and backslash
};

struct PdfPage {
  std::vector<PdfText> texts;
  bool black_square = false;  // something to see that is no text
};

/// A PDF 1.4 with a correct cross-reference table. `encrypt`: an Encrypt dictionary whose password
/// nobody knows.
inline std::string BuildPdf(const std::vector<PdfPage>& pages, const std::string& title = {},
                            bool encrypt = false) {
  std::vector<std::string> objects;  // object i + 1
  std::string kids;
  const std::size_t first_page = 4;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    kids += std::to_string(first_page + 2 * i) + " 0 R ";
  }
  objects.emplace_back("<< /Type /Catalog /Pages 2 0 R >>");
  objects.push_back("<< /Type /Pages /Kids [" + kids + "] /Count " + std::to_string(pages.size()) +
                    " >>");
  objects.emplace_back("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
  for (const PdfPage& page : pages) {
    std::string content;
    for (const PdfText& text : page.texts) {
      content += "BT /F1 " + std::to_string(text.size) + " Tf " + std::to_string(text.x) + " " +
                 std::to_string(text.y) + " Td (" + text.text + ") Tj ET\n";
    }
    if (page.black_square) content += "0 g 200 300 200 200 re f\n";
    objects.push_back(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> "
        ">> /Contents " +
        std::to_string(objects.size() + 2) + " 0 R >>");
    objects.push_back("<< /Length " + std::to_string(content.size()) + " >>\nstream\n" + content +
                      "endstream");
  }
  objects.push_back("<< /Title (" + title + ") /CreationDate (D:20240131090500Z) >>");
  const std::size_t info = objects.size();
  std::string bytes = "%PDF-1.4\n";
  std::string table;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    std::string offset = std::to_string(bytes.size());
    table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
    bytes += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::string size = std::to_string(objects.size() + 1);
  const std::size_t table_at = bytes.size();
  bytes += "xref\n0 " + size + "\n0000000000 65535 f \n" + table + "trailer\n<< /Size " + size +
           " /Root 1 0 R /Info " + std::to_string(info) + " 0 R";
  if (encrypt) {
    const std::string key(64, 'A');
    bytes += " /ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + key +
             "> /U <" + key + "> >>";
  }
  return bytes + " >>\nstartxref\n" + std::to_string(table_at) + "\n%%EOF\n";
}

}  // namespace sworn::test
