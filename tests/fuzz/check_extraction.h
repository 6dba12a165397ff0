// What must hold of every extraction, however hostile the input: used by the fuzz targets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/text/unicode.h"
#include "indexer/extract/extractor.h"
#include "tests/fuzz/require.h"

namespace sworn::test {

/// Blocks lie in order, are not empty, hold all but separators, and the text is normalised.
inline void CheckExtractedText(const indexer::ExtractedText& extracted) {
  const std::string_view text = extracted.text;
  Require(text::IsValidUtf8(text));
  Require(text::Normalize(text).text == text);
  std::uint64_t at = 0;
  for (const indexer::Block& block : extracted.blocks) {
    Require(block.range.begin >= at && block.range.begin < block.range.end);
    Require(block.range.end <= text.size());
    const std::string_view gap = text.substr(at, block.range.begin - at);
    Require(gap.find_first_not_of("\n\f") == std::string_view::npos);
    Require(text::IsValidUtf8(text.substr(block.range.begin, block.range.end - block.range.begin)));
    at = block.range.end;
  }
  Require(at == text.size());
}

/// Extracts; a sworn::Error is a fine answer, anything else escapes and is a finding.
inline int FuzzExtractor(indexer::ExtractFunction extract, std::string_view media_type,
                         const std::uint8_t* data, std::size_t size) {
  indexer::ExtractRequest request;
  request.file_name = "input";
  request.media_type = media_type;
  try {
    CheckExtractedText(
        extract(std::string_view(reinterpret_cast<const char*>(data), size), request).text);
  } catch (const Error& error) {
    Require(error.code() != ErrorCode::kInternal);
  }
  return 0;
}

}  // namespace sworn::test
