#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "indexer/extract/extractor.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"

namespace sworn::indexer {
namespace {

constexpr auto kExtractors = std::to_array<std::pair<std::string_view, ExtractFunction>>({
    {media::kPlainText, &ExtractPlainText},
    {media::kMarkdown, &ExtractMarkdown},
    {media::kHtml, &ExtractHtml},
    {media::kCsv, &ExtractCsv},
    {media::kTsv, &ExtractCsv},
    {media::kJson, &ExtractJson},
    {media::kJsonLines, &ExtractJsonLines},
    {media::kXml, &ExtractXml},
    {media::kC, &ExtractCode},
    {media::kCpp, &ExtractCode},
    {media::kCSharp, &ExtractCode},
    {media::kGo, &ExtractCode},
    {media::kJava, &ExtractCode},
    {media::kJavaScript, &ExtractCode},
    {media::kLua, &ExtractCode},
    {media::kPerl, &ExtractCode},
    {media::kPhp, &ExtractCode},
    {media::kPython, &ExtractCode},
    {media::kRuby, &ExtractCode},
    {media::kRust, &ExtractCode},
    {media::kShell, &ExtractCode},
    {media::kSql, &ExtractCode},
    {media::kTypeScript, &ExtractCode},
    {media::kTaggedCode, &ExtractTaggedCode},
    {media::kPdf, &ExtractPdf},
    {media::kDocx, &ExtractDocx},
    {media::kOdt, &ExtractOdt},
    {media::kOds, &ExtractOdt},
    {media::kOdp, &ExtractOdt},
    {media::kPptx, &ExtractPptx},
    {media::kXlsx, &ExtractXlsx},
    {media::kEml, &ExtractEml},
});

using RenderFunction = std::string (*)(std::string_view bytes, std::uint32_t page,
                                       std::uint32_t dpi);

RenderFunction FindRenderer(std::string_view media_type) noexcept {
  return media_type == media::kPdf ? &RenderPdfPage : nullptr;
}

}  // namespace

ExtractFunction FindExtractor(std::string_view media_type) noexcept {
  const auto* row = std::find_if(kExtractors.begin(), kExtractors.end(),
                                 [&](const auto& r) { return r.first == media_type; });
  return row == kExtractors.end() ? nullptr : row->second;
}

Extraction ExtractBytes(std::string_view bytes, const ExtractRequest& request) {
  const ExtractFunction extract = FindExtractor(request.media_type);
  if (extract == nullptr) {
    throw Error(ErrorCode::kUnsupportedMedia, "unsupported: " + request.media_type);
  }
  if (bytes.size() > request.limits.max_file_bytes) {
    throw Error(
        ErrorCode::kTooLarge,
        "larger than " + std::to_string(request.limits.max_file_bytes) + " bytes (max_file_bytes)");
  }
  if (request.nesting > request.limits.max_nesting) {
    throw Error(
        ErrorCode::kTooLarge,
        "nested deeper than " + std::to_string(request.limits.max_nesting) + " (max_nesting)");
  }
  return extract(bytes, request);
}

std::string RenderPage(std::string_view bytes, const ExtractRequest& request, std::uint32_t page,
                       std::uint32_t dpi) {
  const RenderFunction render = FindRenderer(request.media_type);
  if (render == nullptr) {
    throw Error(ErrorCode::kUnsupportedMedia, "no pictures can be made of " + request.media_type);
  }
  return render(bytes, page, dpi);
}

}  // namespace sworn::indexer
