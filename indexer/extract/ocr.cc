#include "indexer/extract/ocr.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "indexer/extract/media_type.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr std::array<std::string_view, 3> kOcrLanguages = {"eng", "spa", "deu"};
constexpr std::size_t kMaxDescribedRanges = 12;

void AddRecognised(std::uint32_t page, std::string_view text, TextBuilder& builder) {
  BlockDetails details;
  details.location.page = page;
  details.ocr = true;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    builder.AddBlock(BlockKind::kParagraph, text.substr(0, end), details);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
}

void AddBlockAgain(const ExtractedText& from, const Block& block, TextBuilder& builder) {
  builder.AddBlock(
      block.kind,
      std::string_view(from.text).substr(block.range.begin, block.range.end - block.range.begin),
      {block.location, block.heading_level, block.table_header, block.ocr});
}

}  // namespace

std::optional<ToolCommand> OcrCommand(const std::filesystem::path& program,
                                      const std::filesystem::path& data_folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(program, ignored)) return std::nullopt;
  std::string languages;
  for (const std::string_view language : kOcrLanguages) {
    if (!std::filesystem::exists(data_folder / (std::string(language) + ".traineddata"), ignored)) {
      continue;
    }
    languages.append(languages.empty() ? "" : "+").append(language);
  }
  if (languages.empty()) return std::nullopt;
  return ToolCommand{program,
                     {"stdin", "stdout", "-l", languages},
                     "tesseract-ocr",
                     std::string(media::kPlainText)};
}

ExtractedText InsertOcrPages(const ExtractedText& text,
                             const std::map<std::uint32_t, std::string>& recognised) {
  TextBuilder builder(text.extractor + " tesseract");
  builder.SetPageCount(text.page_count);
  builder.SetTitle(text.title);
  for (const auto& [key, value] : text.metadata) builder.SetMetadata(key, value);
  for (const std::string& warning : text.warnings) builder.AddWarning(warning);
  std::uint32_t page = 1;
  auto next = recognised.begin();
  const auto turn_to = [&](std::uint32_t to) {
    for (; page < to; ++page) builder.EndPage();
  };
  const auto insert_before = [&](std::uint32_t limit) {
    for (; next != recognised.end() && next->first < limit; ++next) {
      turn_to(next->first);
      AddRecognised(next->first, next->second, builder);
    }
  };
  for (const Block& block : text.blocks) {
    const std::uint32_t at = block.location.page.value_or(page);
    insert_before(at);
    turn_to(at);
    AddBlockAgain(text, block, builder);
  }
  insert_before(UINT32_MAX);
  ExtractedText result = std::move(builder).Finish();
  AddRemoved(result.removed, text.removed);
  return result;
}

std::string DescribePages(const std::vector<std::uint32_t>& pages) {
  std::string described;
  std::size_t ranges = 0;
  for (std::size_t i = 0; i < pages.size(); ++ranges) {
    if (ranges == kMaxDescribedRanges) return described + ", ...";
    std::size_t last = i;
    while (last + 1 < pages.size() && pages[last + 1] == pages[last] + 1) ++last;
    if (i > 0) described.append(", ");
    described.append(std::to_string(pages[i]));
    if (last > i) described.append("-").append(std::to_string(pages[last]));
    i = last + 1;
  }
  return described;
}

}  // namespace sworn::indexer
