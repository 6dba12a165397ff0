// One function per format, each in its own .cc; registry.cc maps media types to them. All of them
// have the contract of ExtractFunction (extractor.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "indexer/extract/extractor.h"

namespace sworn::indexer {

Extraction ExtractPlainText(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractMarkdown(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractHtml(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractCsv(std::string_view bytes, const ExtractRequest& request);  // and tsv
Extraction ExtractJson(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractJsonLines(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractXml(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractCode(std::string_view bytes, const ExtractRequest& request);
/// Source code with what universal-ctags printed about it, as TagCode joins them.
Extraction ExtractTaggedCode(std::string_view bytes, const ExtractRequest& request);
std::string TagCode(std::string_view symbols, std::string_view source);

Extraction ExtractPdf(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractDocx(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractOdt(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractPptx(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractXlsx(std::string_view bytes, const ExtractRequest& request);
Extraction ExtractEml(std::string_view bytes, const ExtractRequest& request);

/// One page (1-based) of a PDF as a binary grey map ("P5"), at most kMaxRenderedPixels.
/// Throws kNotFound for a page that is not there, else as ExtractFunction does.
inline constexpr std::uint64_t kMaxRenderedPixels = 50'000'000;
std::string RenderPdfPage(std::string_view bytes, std::uint32_t page, std::uint32_t dpi);

}  // namespace sworn::indexer
