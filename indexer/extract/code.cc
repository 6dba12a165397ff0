// Source code: the lines as they are, cut where universal-ctags finds functions and classes.
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text/unicode.h"
#include "indexer/extract/charset.h"
#include "indexer/extract/code_symbols.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr std::string_view kExtractorName = "code/1";

Extraction ExtractSource(std::string_view source, std::string_view symbols,
                         const ExtractRequest& request) {
  const DecodedText decoded = DecodeText(source);
  TextBuilder builder{std::string(kExtractorName)};
  builder.AddInvalid(decoded.invalid);
  builder.SetTitle(request.file_name.substr(request.file_name.find_last_of('/') + 1));
  builder.SetSource(decoded.utf8, ParseSymbols(symbols));
  return {std::move(builder).Finish(), {}};
}

}  // namespace

std::string TagCode(std::string_view symbols, std::string_view source) {
  std::string tagged = std::to_string(symbols.size()) + "\n";
  tagged.append(symbols).append(source);
  return tagged;
}

Extraction ExtractCode(std::string_view bytes, const ExtractRequest& request) {
  return ExtractSource(bytes, {}, request);
}

Extraction ExtractTaggedCode(std::string_view bytes, const ExtractRequest& request) {
  std::size_t size = 0;
  const std::size_t line_end = bytes.find('\n');
  const char* end = bytes.data() + std::min(line_end, bytes.size());
  const auto parsed = std::from_chars(bytes.data(), end, size);
  if (line_end == std::string_view::npos || parsed.ec != std::errc() || parsed.ptr != end ||
      size > bytes.size() - line_end - 1) {
    throw Error(ErrorCode::kIntegrity, "damaged: no list of symbols before the source");
  }
  const std::string_view rest = bytes.substr(line_end + 1);
  return ExtractSource(rest.substr(size), rest.substr(0, size), request);
}

}  // namespace sworn::indexer
