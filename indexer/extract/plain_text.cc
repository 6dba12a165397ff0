// text/plain: paragraphs are separated by blank lines, pages by form feeds.
#include <cstdint>
#include <string>
#include <string_view>

#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr std::string_view kExtractorName = "text/1";

// The next line without its line break; `rest` moves past it. CR, LF and CRLF all end a line.
std::string_view TakeLine(std::string_view& rest) {
  const std::size_t end = rest.find_first_of("\r\n");
  const std::string_view line = rest.substr(0, end);
  if (end == std::string_view::npos) {
    rest = {};
  } else {
    rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  return line;
}

void AddParagraphs(std::string_view page, const BlockDetails& details, TextBuilder& builder) {
  std::string_view rest = page;
  const char* begin = nullptr;
  const char* end = nullptr;
  const auto flush = [&] {
    if (begin != nullptr) {
      builder.AddBlock(BlockKind::kParagraph,
                       std::string_view(begin, static_cast<std::size_t>(end - begin)), details);
    }
    begin = nullptr;
  };
  while (!rest.empty()) {
    const std::string_view line = TakeLine(rest);
    if (line.find_first_not_of(" \t\v") == std::string_view::npos) {
      flush();
      continue;
    }
    if (begin == nullptr) begin = line.data();
    end = line.data() + line.size();
  }
  flush();
}

}  // namespace

Extraction ExtractPlainText(std::string_view bytes, const ExtractRequest& request) {
  (void)request;
  const DecodedText decoded = DecodeText(bytes);
  TextBuilder builder{std::string(kExtractorName)};
  builder.AddInvalid(decoded.invalid);
  const bool has_pages = decoded.utf8.find('\f') != std::string::npos;
  std::string_view rest = decoded.utf8;
  std::uint32_t page = 1;
  while (true) {
    const std::size_t end = rest.find('\f');
    BlockDetails details;
    if (has_pages) details.location.page = page;
    AddParagraphs(rest.substr(0, end), details, builder);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
    builder.EndPage();
    if (rest.find_first_not_of(" \t\r\n\f") == std::string_view::npos) break;
    ++page;
  }
  if (has_pages) builder.SetPageCount(page);
  return {std::move(builder).Finish(), {}};
}

}  // namespace sworn::indexer
