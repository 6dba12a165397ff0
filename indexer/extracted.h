// What extraction gives to chunking: the stored text of a document and its structure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/text/unicode.h"
#include "core/types.h"

namespace sworn::indexer {

enum class BlockKind : std::uint8_t {
  kParagraph,
  kHeading,
  kListItem,
  kTableRow,  // cells joined by " | "; a header row's cells stand in Block::table_header
  kCode,
  kQuote,
  kNote,  // footnote, endnote, comment, speaker's note
};

/// A contiguous piece of the text. Blocks are in order, do not overlap, are never empty, and hold
/// every character of the text but the separators between them ("\n\n", "\n" between rows and list
/// items, U+000C where a page ends).
struct Block {
  BlockKind kind = BlockKind::kParagraph;
  ByteRange range;
  std::uint8_t heading_level = 0;  // 1 to 6 for kHeading, else 0
  /// Of a kTableRow the header row of its table; of a kCode the symbol it belongs to, "Parser >
  /// parse()". Blocks with different ones are never in one chunk. May be empty.
  std::string table_header;
  Location location;  // page, sheet, slide, row, attachment; no lines (chunking adds them)
  bool ocr = false;
};

struct ExtractedText {
  std::string text;  // normalised (core/text/unicode.h)
  std::vector<Block> blocks;
  std::string title;  // from the document itself; empty if it has none
  std::map<std::string, std::string>
      metadata;                  // "author", "date" (RFC 3339), "from", "to", "subject", ...
  std::string extractor;         // "pdf/poppler-22.12", name and version
  std::uint32_t page_count = 0;  // 0 where pages mean nothing
  text::RemovedCharacters removed;
  std::vector<std::string>
      warnings;  // "attachment 'x.zip' skipped: unsupported", "page 3 needs OCR"
};

}  // namespace sworn::indexer
