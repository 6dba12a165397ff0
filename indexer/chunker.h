// Cuts an extracted text into the passages that are indexed and quoted.
//
// Structure first: a heading, a page, a sheet, a slide, an attachment, a table or the switch
// between read and recognised text (OCR) starts a new chunk. Then whole paragraphs, list items and
// rows are gathered up to the target size; a paragraph that is larger is cut between sentences, and
// only there do neighbours overlap, by whole sentences. A sentence beyond the maximum is cut at
// white space or, at worst, between code points.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "indexer/extracted.h"

namespace sworn::indexer {

/// Raised whenever the same text would be cut otherwise.
inline constexpr int kChunkerVersion = 1;

/// Sizes in bytes of UTF-8.
struct ChunkOptions {
  std::size_t target_bytes = 1000;
  std::size_t max_bytes = 1600;     // never exceeded
  std::size_t overlap_bytes = 200;  // at most
};

struct Chunk {
  ByteRange range;      // of ExtractedText::text
  std::string heading;  // path, "Terms > Termination", and the header of a table; may be empty
  Location location;    // of its first block, with page_end, line_begin and line_end
  bool ocr = false;
};

/// The chunks in order; together they hold every character that is not white space. `language` is
/// that of the text (core/text/language.h). Throws kInvalidArgument for options that make no sense
/// and kInternal for blocks that break extracted.h's promises. Thread-safe.
std::vector<Chunk> MakeChunks(const ExtractedText& extracted, std::string_view language,
                              const ChunkOptions& options = {});

}  // namespace sworn::indexer
