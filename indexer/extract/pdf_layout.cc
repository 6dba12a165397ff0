#include "indexer/extract/pdf_layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sworn::indexer {
namespace {

// All in multiples of the font size, found by looking at typeset pages.
constexpr double kIndent = 0.8;         // a first line that stands this far to the right
constexpr double kUsualAdvance = 1.25;  // from line to line where nothing can be measured
constexpr double kMaxAdvance = 2.2;     // more than double spacing never is one paragraph
constexpr double kLooseAdvance = 1.2;   // of the page's own advance: a gap between paragraphs
constexpr double kWordGap = 0.15;       // a space, even where the file has no character for it
constexpr double kColumnGap = 3;        // never stands between words of one text
constexpr double kSizeChange = 0.1;     // of the font size
constexpr double kShortLine = 0.75;     // of the paragraph's width: its last line
constexpr unsigned kColumnLines = 3;    // fewer are a label or a caption, no column
constexpr std::size_t kMaxClauseNumber = 12;  // characters of "10.12.3.4"

struct Line {
  std::string text;
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  double font_size = 0;
  bool bold = true;
  int rotation = 0;
};

struct Block {
  std::vector<Line> lines;
  double left = 0;
  double right = 0;
};

// Paragraphs that follow each other downwards: a column or a part of it.
struct Run {
  std::vector<Block> blocks;
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  unsigned lines = 0;
  int rotation = 0;
};

// Turned so that its text runs to the right.
PdfWord Upright(PdfWord word) {
  const double left = word.left;
  const double top = word.top;
  const double right = word.right;
  const double bottom = word.bottom;
  const auto set = [&word](double l, double t, double r, double b) {
    word.left = l;
    word.top = t;
    word.right = r;
    word.bottom = b;
  };
  if (word.rotation == 1) set(top, -right, bottom, -left);
  if (word.rotation == 2) set(-right, -bottom, -left, -top);
  if (word.rotation == 3) set(-bottom, left, -top, right);
  return word;
}

double Overlap(double begin_a, double end_a, double begin_b, double end_b) {
  return std::min(end_a, end_b) - std::max(begin_a, begin_b);
}

bool OnLine(const Line& line, const PdfWord& word) {
  const double height = std::min(line.bottom - line.top, word.bottom - word.top);
  const double overlap = Overlap(line.top, line.bottom, word.top, word.bottom);
  const double slack = word.font_size / 2;
  // Scripts that run to the left add words on the other side.
  const bool beside = word.left >= line.right - slack || word.right <= line.left + slack;
  // A heading may stand level with the first line of the column beside it.
  const bool other_column =
      std::abs(word.left - line.right) > kColumnGap * word.font_size &&
      std::abs(word.font_size - line.font_size) > kSizeChange * line.font_size;
  return line.rotation == word.rotation && overlap > height / 2 && beside && !other_column;
}

std::vector<Line> LinesOf(const std::vector<PdfWord>& words) {
  std::vector<Line> lines;
  bool space = false;
  for (const PdfWord& given : words) {
    const PdfWord word = Upright(given);
    if (lines.empty() || !OnLine(lines.back(), word)) {
      lines.push_back(
          {"", word.left, word.top, word.right, word.bottom, word.font_size, true, word.rotation});
    } else if (const double gap =
                   std::max(word.left - lines.back().right, lines.back().left - word.right);
               space || gap > kWordGap * word.font_size) {
      lines.back().text.push_back(' ');
    }
    Line& line = lines.back();
    space = word.space_after;
    line.text.append(word.text);
    line.left = std::min(line.left, word.left);
    line.right = std::max(line.right, word.right);
    line.top = std::min(line.top, word.top);
    line.bottom = std::max(line.bottom, word.bottom);
    line.font_size = std::max(line.font_size, word.font_size);
    line.bold = line.bold && word.bold;
  }
  return lines;
}

bool Follows(const Line& line, const Line& next) {
  return line.rotation == next.rotation && next.top > line.top &&
         Overlap(line.left, line.right, next.left, next.right) > 0 &&
         std::abs(line.font_size - next.font_size) <= kSizeChange * line.font_size;
}

// The usual advance from line to line, in font sizes: that of the closest quarter of the lines.
double UsualAdvance(const std::vector<Line>& lines) {
  std::vector<double> advances;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!Follows(lines[i - 1], lines[i]) || lines[i].font_size <= 0) continue;
    const double advance = (lines[i].bottom - lines[i - 1].bottom) / lines[i].font_size;
    if (advance > 0 && advance < kMaxAdvance) advances.push_back(advance);
  }
  if (advances.empty()) return kUsualAdvance;
  const auto quarter = advances.begin() + static_cast<std::ptrdiff_t>(advances.size() / 4);
  std::nth_element(advances.begin(), quarter, advances.end());
  return std::max(*quarter, 1.0);
}

bool EndsSentence(const std::string& text) {
  return !text.empty() && std::string_view(".!?:;").find(text.back()) != std::string_view::npos;
}

bool StartsParagraph(const Block& block, const Line& next, double usual_advance) {
  const Line& last = block.lines.back();
  if (!Follows(last, next)) return true;
  const double advance = next.bottom - last.bottom;
  if (advance > kLooseAdvance * usual_advance * next.font_size) return true;
  if (StartsListItem(next.text)) return true;
  const bool short_last = last.right < block.left + kShortLine * (block.right - block.left);
  if (ClauseDepth(next.text) > 0 && (short_last || EndsSentence(last.text))) return true;
  const bool hanging = block.lines.size() == 1 && (StartsListItem(block.lines[0].text) ||
                                                   ClauseDepth(block.lines[0].text) > 0);
  if (!hanging && next.left > last.left + kIndent * next.font_size &&
      next.left > block.left + kIndent * next.font_size) {
    // Centred lines stand in by different amounts on both sides.
    const bool centred =
        std::abs((next.left + next.right) - (last.left + last.right)) < next.font_size;
    return !centred;
  }
  return short_last && block.lines.size() > 1 && EndsSentence(last.text);
}

std::vector<Block> BlocksOf(std::vector<Line> lines) {
  const double usual_advance = UsualAdvance(lines);
  std::vector<Block> blocks;
  for (Line& line : lines) {
    if (blocks.empty() || StartsParagraph(blocks.back(), line, usual_advance)) {
      blocks.push_back({{}, line.left, line.right});
    }
    Block& block = blocks.back();
    block.left = std::min(block.left, line.left);
    block.right = std::max(block.right, line.right);
    block.lines.push_back(std::move(line));
  }
  return blocks;
}

std::vector<Run> RunsOf(std::vector<Block> blocks) {
  std::vector<Run> runs;
  for (Block& block : blocks) {
    const Line& first = block.lines.front();
    const bool goes_on = !runs.empty() && runs.back().rotation == first.rotation &&
                         first.top >= runs.back().bottom - first.font_size &&
                         Overlap(runs.back().left, runs.back().right, block.left, block.right) > 0;
    if (!goes_on) {
      runs.push_back({{}, block.left, first.top, block.right, first.bottom, 0, first.rotation});
    }
    Run& run = runs.back();
    run.left = std::min(run.left, block.left);
    run.right = std::max(run.right, block.right);
    run.bottom = std::max(run.bottom, block.lines.back().bottom);
    run.lines += static_cast<unsigned>(block.lines.size());
    run.blocks.push_back(std::move(block));
  }
  return runs;
}

bool IsColumnLeftOf(const Run& right, const Run& left) {
  const double shared = Overlap(left.top, left.bottom, right.top, right.bottom);
  const double smaller = std::min(left.bottom - left.top, right.bottom - right.top);
  return left.rotation == right.rotation && left.lines >= kColumnLines &&
         right.lines >= kColumnLines && left.right <= right.left && shared > smaller / 2;
}

bool IsRomanOrLetter(std::string_view text) {
  const bool one_letter = text.size() == 1 && ((text[0] >= 'a' && text[0] <= 'z') ||
                                               (text[0] >= 'A' && text[0] <= 'Z'));
  return one_letter || (!text.empty() && text.size() <= 5 &&
                        text.find_first_not_of("ivxIVX") == std::string_view::npos);
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool StartsListItem(const std::string& text) {
  constexpr std::array<std::string_view, 9> kBullets = {
      "\u2022 ", "\u25cf ", "\u25aa ", "\u2023 ", "\u25e6 ", "\u2013 ", "- ", "* ", "\u00b7 "};
  const std::string_view view(text);
  if (std::any_of(kBullets.begin(), kBullets.end(),
                  [&](std::string_view bullet) { return view.starts_with(bullet); })) {
    return true;
  }
  const std::size_t end = view.find(") ");
  if (end > kMaxClauseNumber) return false;  // npos as well
  std::string_view label = view.substr(0, end);
  if (label.starts_with('(')) label.remove_prefix(1);
  return IsRomanOrLetter(label) || (IsDigits(label) && label.size() <= 2);
}

unsigned ClauseDepth(const std::string& text) {
  const std::string_view view(text);
  for (const std::string_view word :
       {"\u00a7 ", "Art. ", "Article ", "Section ", "Artikel ", "Art\u00edculo "}) {
    if (view.starts_with(word) && view.size() > word.size() && view[word.size()] >= '0' &&
        view[word.size()] <= '9') {
      return 1;
    }
  }
  std::string_view number = view.substr(0, view.find(' '));
  if (number.size() == view.size() || number.size() > kMaxClauseNumber) return 0;
  const bool dotted = number.find('.') != std::string_view::npos;
  if (number.ends_with('.')) number.remove_suffix(1);
  unsigned depth = 0;
  while (!number.empty()) {
    const std::size_t dot = std::min(number.find('.'), number.size());
    if (!IsDigits(number.substr(0, dot)) || dot > 3) return 0;
    ++depth;
    number.remove_prefix(std::min(dot + 1, number.size()));
  }
  return dotted ? depth : 0;
}

std::vector<PdfParagraph> ParagraphsOfPage(const std::vector<PdfWord>& words) {
  std::vector<Run> runs = RunsOf(BlocksOf(LinesOf(words)));
  for (std::size_t i = 1; i < runs.size(); ++i) {
    for (std::size_t j = i; j > 0 && IsColumnLeftOf(runs[j - 1], runs[j]); --j) {
      std::swap(runs[j - 1], runs[j]);
    }
  }
  std::vector<PdfParagraph> paragraphs;
  for (Run& run : runs) {
    for (Block& block : run.blocks) {
      PdfParagraph paragraph;
      paragraph.bold = true;
      for (const Line& line : block.lines) {
        if (!paragraph.text.empty()) paragraph.text.push_back('\n');
        paragraph.text.append(line.text);
        paragraph.font_size = std::max(paragraph.font_size, line.font_size);
        paragraph.bold = paragraph.bold && line.bold;
        ++paragraph.lines;
      }
      paragraphs.push_back(std::move(paragraph));
    }
  }
  return paragraphs;
}

}  // namespace sworn::indexer
