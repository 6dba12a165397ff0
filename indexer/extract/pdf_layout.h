// From the words of a PDF page to paragraphs in reading order. Pure arithmetic, no PDF library.
#pragma once

#include <string>
#include <vector>

namespace sworn::indexer {

/// Coordinates in points, y growing downwards.
struct PdfWord {
  std::string text;  // UTF-8
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  double font_size = 0;
  bool bold = false;
  bool space_after = true;
  int rotation = 0;  // quarter turns, 0 to 3
};

struct PdfParagraph {
  std::string text;  // its lines joined by "\n"; hyphens at their ends stay
  double font_size = 0;
  bool bold = false;  // all of it
  unsigned lines = 0;
};

/// `words` in the order of the content as the PDF library gives it, column by column. A paragraph
/// ends at a larger gap, a change of font size, an indented line, a list item or a clause number.
/// A column that was given after the one to its right is put before it.
std::vector<PdfParagraph> ParagraphsOfPage(const std::vector<PdfWord>& words);

/// True for "• x", "- x", "(a) x", "iv) x".
bool StartsListItem(const std::string& text);

/// How many numbers stand in the clause number at the start: 3 for "3.2.1 Scope", 1 for "§ 12" and
/// "Article 7"; 0 without one.
unsigned ClauseDepth(const std::string& text);

}  // namespace sworn::indexer
