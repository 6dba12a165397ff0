// Value types that more than one folder speaks of. Plain data, no behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sworn {

/// Never reused; equal to the Xapian docid and the FAISS id. 0 is no chunk. A string in JSON.
using ChunkId = std::uint32_t;

/// One stored text with its chunks. Documents with equal bytes in one collection share it. 0 is
/// none.
using ContentId = std::uint32_t;

/// Half-open range of UTF-8 bytes of a stored text; both ends stand on code point boundaries.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// Where a span stands in the original; absent (or empty) where it means nothing for the format.
struct Location {
  std::optional<std::uint32_t> page;  // 1-based, physical
  std::optional<std::uint32_t> page_end;
  std::string page_label;                   // as printed, "iv"
  std::optional<std::uint32_t> line_begin;  // 1-based line of the stored text
  std::optional<std::uint32_t> line_end;    // inclusive
  std::string sheet;                        // name of a spreadsheet's sheet
  std::optional<std::uint32_t> slide;       // 1-based
  std::optional<std::uint32_t> row;         // 1-based, of the sheet or csv
  std::string attachment_path;              // "report.docx" inside a mail

  friend bool operator==(const Location&, const Location&) = default;
};

/// A chunk that one leg of retrieval found; higher scores are better. Scales differ between legs.
struct ScoredChunk {
  ChunkId chunk_id = 0;
  double score = 0;

  friend bool operator==(const ScoredChunk&, const ScoredChunk&) = default;
};

/// A whole text that the document-level keyword leg found.
struct ScoredContent {
  ContentId content_id = 0;
  double score = 0;

  friend bool operator==(const ScoredContent&, const ScoredContent&) = default;
};

}  // namespace sworn
