#include "indexer/extract/text_builder.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/error.h"

namespace sworn::indexer {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n";
constexpr std::uint32_t kMaxPageBreaks = 100'000;  // in a row; blank pages beyond it are not kept

std::string_view TrimRight(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  return begin == std::string_view::npos ? std::string_view() : TrimRight(text.substr(begin));
}

// Code keeps its first line's indentation: only whole blank lines before it go.
std::string_view TrimCode(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  const std::size_t line_break = text.rfind('\n', first);
  return TrimRight(text.substr(line_break == std::string_view::npos ? 0 : line_break + 1));
}

// One line of metadata: normalised, white space runs become one space, cut at a code point.
std::string OneLine(std::string_view utf8, std::size_t max_bytes) {
  // Normalising four times the bound is enough to fill it and bounds the work.
  const text::NormalizedText normal = text::Normalize(utf8.substr(0, 4 * max_bytes));
  std::string line;
  bool space = false;
  for (const char c : Trim(normal.text)) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\f') {
      space = true;
      continue;
    }
    if (space && !line.empty()) line.push_back(' ');
    space = false;
    line.push_back(c);
  }
  line.resize(text::CutAtCodePoint(line, max_bytes));
  return line;
}

std::string_view SeparatorBetween(BlockKind before, BlockKind after) {
  const bool tight =
      before == after && (after == BlockKind::kTableRow || after == BlockKind::kListItem);
  return tight ? "\n" : "\n\n";
}

}  // namespace

std::size_t NameBytes(const Block& block) noexcept {
  return block.table_header.size() + block.location.page_label.size() +
         block.location.sheet.size() + block.location.attachment_path.size();
}

void AddRemoved(text::RemovedCharacters& sum, const text::RemovedCharacters& more) {
  const std::array<std::pair<std::uint32_t*, std::uint32_t>, 5> counts = {
      {{&sum.invalid, more.invalid},
       {&sum.control, more.control},
       {&sum.zero_width, more.zero_width},
       {&sum.bidi, more.bidi},
       {&sum.tag, more.tag}}};
  for (const auto& [to, count] : counts) {
    *to += std::min(count, std::numeric_limits<std::uint32_t>::max() - *to);
  }
}

std::string JoinCells(const std::vector<std::string>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) row.append(" | ");
    std::string_view cell = Trim(cells[i]);
    for (const char c : cell) row.push_back(c == '\n' || c == '\r' || c == '\f' ? ' ' : c);
  }
  return row;
}

void TextBuilder::AddBlock(BlockKind kind, std::string_view utf8, const BlockDetails& details) {
  if (utf8.size() > 4 * kMaxTextBytes) {
    throw Error(ErrorCode::kTooLarge, "the text is larger than 64 MiB");
  }
  text::NormalizedText normal = text::Normalize(utf8);
  AddRemoved(result_.removed, normal.removed);
  std::replace(normal.text.begin(), normal.text.end(), '\f', '\n');
  const std::string_view piece =
      kind == BlockKind::kCode ? TrimCode(normal.text) : Trim(normal.text);
  if (piece.empty()) return;

  Block block;
  block.kind = kind;
  block.location = details.location;
  block.location.line_begin.reset();
  block.location.line_end.reset();
  block.location.page_label = OneLine(details.location.page_label, kMaxLocationNameBytes);
  block.location.sheet = OneLine(details.location.sheet, kMaxLocationNameBytes);
  block.location.attachment_path = OneLine(details.location.attachment_path, kMaxLocationNameBytes);
  block.ocr = details.ocr;
  if (kind == BlockKind::kHeading) {
    block.heading_level =
        std::clamp<std::uint8_t>(details.heading_level, std::uint8_t{1}, std::uint8_t{6});
  }
  if (kind == BlockKind::kTableRow) {
    block.table_header = OneLine(details.table_header, kMaxTableHeaderBytes);
  }
  Append(std::move(block), piece);
}

void TextBuilder::SetSource(std::string_view utf8, std::vector<CodeSymbol> symbols) {
  if (utf8.size() > kMaxTextBytes) {
    throw Error(ErrorCode::kTooLarge, "the text is larger than 64 MiB");
  }
  text::NormalizedText normal = text::Normalize(utf8);
  AddRemoved(result_.removed, normal.removed);
  std::replace(normal.text.begin(), normal.text.end(), '\f', ' ');
  std::string text;
  std::vector<std::size_t> starts;
  for (std::size_t begin = 0; begin < normal.text.size();) {
    const std::size_t end = std::min(normal.text.find('\n', begin), normal.text.size());
    starts.push_back(text.size());
    text.append(TrimRight(std::string_view(normal.text).substr(begin, end - begin)))
        .push_back('\n');
    begin = end + 1;
  }
  text.resize(text.find_last_not_of('\n') + 1);
  while (!starts.empty() && starts.back() >= text.size()) starts.pop_back();
  std::vector<std::string_view> lines;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t end = i + 1 < starts.size() ? starts[i + 1] - 1 : text.size();
    lines.push_back(std::string_view(text).substr(starts[i], end - starts[i]));
  }
  for (const CodeSpan& span : CutAtSymbols(lines, std::move(symbols))) {
    Block block;
    block.kind = BlockKind::kCode;
    block.table_header = OneLine(span.path, kMaxTableHeaderBytes);
    const std::size_t last = span.last_line - 1;
    const std::size_t begin = text.find_first_not_of('\n', starts[span.first_line - 1]);
    const std::size_t end = text.find_last_not_of('\n', starts[last] + lines[last].size() - 1) + 1;
    if (begin >= end) continue;  // blank lines
    block.range = {begin, end};
    Note(block);
    result_.blocks.push_back(std::move(block));
  }
  result_.text = std::move(text);
}

void TextBuilder::Note(const Block& block) {
  if (result_.blocks.size() >= kMaxBlocks) {
    throw Error(ErrorCode::kTooLarge, "the text has more than 1000000 paragraphs and rows");
  }
  name_bytes_ += NameBytes(block);
  if (name_bytes_ > kMaxNameBytes) {
    throw Error(ErrorCode::kTooLarge, "the table headers of all rows are larger than 256 MiB");
  }
}

void TextBuilder::Append(Block block, std::string_view piece) {
  std::string separator;
  if (!result_.blocks.empty()) {
    separator = pending_page_breaks_ > 0
                    ? std::string(std::min(pending_page_breaks_, kMaxPageBreaks), '\f')
                    : std::string(SeparatorBetween(result_.blocks.back().kind, block.kind));
  }
  pending_page_breaks_ = 0;
  if (result_.text.size() + separator.size() + piece.size() > kMaxTextBytes) {
    throw Error(ErrorCode::kTooLarge, "the text is larger than 64 MiB");
  }
  Note(block);
  result_.text.append(separator);
  block.range.begin = result_.text.size();
  result_.text.append(piece);
  block.range.end = result_.text.size();
  result_.blocks.push_back(std::move(block));
}

void TextBuilder::AppendPart(const ExtractedText& part, std::string_view attachment_path) {
  const std::string path = OneLine(attachment_path, kMaxLocationNameBytes);
  for (const Block& of_part : part.blocks) {
    Block block = of_part;
    std::string& inner = block.location.attachment_path;
    inner = inner.empty()
                ? path
                : OneLine(std::string(path).append("/").append(inner), kMaxLocationNameBytes);
    Append(std::move(block), std::string_view(part.text).substr(
                                 of_part.range.begin, of_part.range.end - of_part.range.begin));
  }
  AddRemoved(result_.removed, part.removed);
  for (const std::string& warning : part.warnings) {
    AddWarning(std::string(path).append(": ").append(warning));
  }
}

void TextBuilder::SetTitle(std::string_view utf8) {
  if (result_.title.empty()) result_.title = OneLine(utf8, kMaxTitleBytes);
}

void TextBuilder::SetMetadata(std::string_view key, std::string_view utf8) {
  if (result_.metadata.size() >= kMaxMetadataEntries) return;
  std::string value = OneLine(utf8, kMaxMetadataBytes);
  std::string name = OneLine(key, kMaxMetadataBytes);
  if (!value.empty() && !name.empty()) result_.metadata.emplace(std::move(name), std::move(value));
}

void TextBuilder::AddWarning(std::string_view utf8) {
  if (result_.warnings.size() >= kMaxWarnings) return;
  if (result_.warnings.size() + 1 == kMaxWarnings) {
    result_.warnings.emplace_back("further warnings were dropped");
    return;
  }
  result_.warnings.push_back(OneLine(utf8, kMaxWarningBytes));
}

ExtractedText TextBuilder::Finish() && { return std::move(result_); }

}  // namespace sworn::indexer
