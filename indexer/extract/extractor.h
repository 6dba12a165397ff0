// The interface of one format: bytes in, text out. Runs inside a worker process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "indexer/extract/limits.h"
#include "indexer/extracted.h"

namespace sworn::indexer {

struct ExtractRequest {
  std::string file_name;   // for messages and for its extension; never opened
  std::string media_type;  // as indexer/extract/media_type.h names it
  ExtractLimits limits;
  std::uint32_t nesting = 0;  // 0: a file; 1: an attachment of a mail; ...
};

struct Extraction {
  ExtractedText text;
  std::vector<std::uint32_t> ocr_pages;  // 1-based, ascending: pages without a text layer
};

/// Throws sworn::Error: kUnsupportedMedia (a kind of file we do not read: "unsupported: ..."),
/// kTooLarge (a limit, by name), kDenied (encrypted), kIntegrity (damaged). The message is what the
/// user sees beside the file's name and holds no document text. Not having any text is no failure:
/// the text is empty then. Pure: same bytes and request, same result; thread-safe.
using ExtractFunction = Extraction (*)(std::string_view bytes, const ExtractRequest& request);

/// The extractor of a media type; null if this program has none (see tool_conversion.h for those
/// that another program reads).
ExtractFunction FindExtractor(std::string_view media_type) noexcept;

/// Runs the extractor of request.media_type within its limits on file size and nesting. For
/// attachments, raise request.nesting by one. Throws as an ExtractFunction does.
Extraction ExtractBytes(std::string_view bytes, const ExtractRequest& request);

/// One page (1-based) of a document as a picture ("P5"), for text recognition. Throws
/// kUnsupportedMedia for formats without a renderer, else as RenderPdfPage (formats.h).
std::string RenderPage(std::string_view bytes, const ExtractRequest& request, std::uint32_t page,
                       std::uint32_t dpi);

}  // namespace sworn::indexer
