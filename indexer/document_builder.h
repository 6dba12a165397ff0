// From extracted text to what the store keeps: chunks with context, language, vectors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/embedder.h"
#include "indexer/chunker.h"
#include "indexer/extracted.h"
#include "store/records.h"

namespace sworn::indexer {

/// Bytes that became a document, as far as the source knows them.
struct DocumentOrigin {
  std::string document_sha256;
  std::string media_type;
  std::string file_name;
  std::optional<std::string> title;  // given by the source; else the document or its name gives it
};

/// Cuts and names one document, and embeds its chunks unless `embedder` is null. The language may
/// be "und"; AssignLanguage settles it. Pure.
store::NewContent BuildContent(const DocumentOrigin& origin, ExtractedText extracted,
                               const ChunkOptions& options, const Embedder* embedder);

/// Gives `language` to every part of a content whose own is unknown.
void AssignLanguage(store::NewContent& content, const std::string& language);

/// The date a document bears, else `fallback_ms`.
std::int64_t DocumentDate(const store::NewContent& content, std::int64_t fallback_ms);

}  // namespace sworn::indexer
