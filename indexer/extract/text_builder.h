// Builds an ExtractedText block by block and keeps its promises (indexer/extracted.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "indexer/extract/code_symbols.h"
#include "indexer/extract/limits.h"
#include "indexer/extracted.h"

namespace sworn::indexer {

struct BlockDetails {
  Location location;               // lines are ignored, page_end is as given
  std::uint8_t heading_level = 0;  // of a kHeading; clamped to 1..6
  std::string table_header;        // of a kTableRow; cut at kMaxTableHeaderBytes
  bool ocr = false;
};

/// One use: add everything in order, then Finish. Not thread-safe.
class TextBuilder {
 public:
  /// `extractor`: name and version, "pdf/poppler-22.12".
  explicit TextBuilder(std::string extractor) { result_.extractor = std::move(extractor); }

  /// Normalises the piece (which may be any bytes, UTF-8 is expected), trims white space at its
  /// ends (of code only blank lines before and white space after), turns page breaks inside into
  /// line breaks, sums up what was removed, and appends what remains; nothing if nothing does.
  /// Throws kTooLarge beyond kMaxTextBytes or kMaxBlocks.
  void AddBlock(BlockKind kind, std::string_view utf8, const BlockDetails& details = {});

  /// Adds a source file as kCode blocks, cut at its symbols (code_symbols.h), whose paths become
  /// Block::table_header. Lines keep their numbers: white space at their ends goes, and so does
  /// what is behind the last one with text. Only for an empty builder. Throws as AddBlock does.
  void SetSource(std::string_view utf8, std::vector<CodeSymbol> symbols);

  /// The next block stands on a later page: U+000C instead of line breaks before it. Called once
  /// per page that ends; blank pages count.
  void EndPage() { ++pending_page_breaks_; }

  /// Appends an attachment's whole text: its blocks with `attachment_path` put before their own
  /// ("mail.eml/report.docx"), its removals, and its warnings with the path before them.
  void AppendPart(const ExtractedText& part, std::string_view attachment_path);

  /// Normalised, on one line, cut at kMaxTitleBytes. The first title that is not empty stays.
  void SetTitle(std::string_view utf8);
  [[nodiscard]] bool has_title() const { return !result_.title.empty(); }

  /// Normalised and cut; an empty value is dropped, the first value of a key stays; beyond
  /// kMaxMetadataEntries no more are taken.
  void SetMetadata(std::string_view key, std::string_view utf8);

  /// Normalised and cut; after kMaxWarnings, one "further warnings were dropped" ends the list.
  void AddWarning(std::string_view utf8);

  void SetPageCount(std::uint32_t pages) { result_.page_count = pages; }

  /// Counts what the format itself hid or spoiled, beside what normalisation removes: bytes that
  /// were no text in the file's charset.
  void AddInvalid(std::uint32_t sequences) { result_.removed.invalid += sequences; }

  [[nodiscard]] bool empty() const { return result_.blocks.empty(); }

  ExtractedText Finish() &&;

 private:
  void Append(Block block, std::string_view piece);
  void Note(const Block& block);  // counts it, within the bounds

  ExtractedText result_;
  std::uint32_t pending_page_breaks_ = 0;
  std::size_t name_bytes_ = 0;
};

/// Bytes of the names that a block carries beside its text; their sum is bounded by kMaxNameBytes.
std::size_t NameBytes(const Block& block) noexcept;

/// Adds the counts of `more` to `sum`, without wrapping.
void AddRemoved(text::RemovedCharacters& sum, const text::RemovedCharacters& more);

/// Cells joined by " | ", line breaks inside a cell turned into spaces: the text of a kTableRow.
std::string JoinCells(const std::vector<std::string>& cells);

}  // namespace sworn::indexer
