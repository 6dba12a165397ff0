#include "indexer/chunker.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text/sentences.h"
#include "core/text/unicode.h"
#include "indexer/section_heading.h"

namespace sworn::indexer {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMinTargetBytes = 16;
constexpr size_t kMaxChunkBytes = size_t{1} << 20;
constexpr size_t kMaxLabelBytes = 120;
constexpr size_t kMaxHeadingBytes = 480;

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// On one line, without white space around it, of at most `max_bytes`.
std::string Label(string_view text, size_t max_bytes) {
  std::string label;
  for (const char c : text.substr(0, text::CutAtCodePoint(text, max_bytes))) {
    if (!IsSpace(c)) {
      label += c;
    } else if (!label.empty() && label.back() != ' ') {
      label += ' ';
    }
  }
  while (!label.empty() && label.back() == ' ') label.pop_back();
  return label;
}

/// The headings above a place.
class HeadingPath {
 public:
  void Enter(int rank, string_view text) {
    while (!entries_.empty() && entries_.back().first >= rank) entries_.pop_back();
    entries_.emplace_back(rank, Label(text, kMaxLabelBytes));
  }
  void Clear() { entries_.clear(); }

  /// "A > B"; when it grows too long, the outer headings go.
  [[nodiscard]] std::string Join(string_view table_header) const {
    std::string joined = Label(table_header, kMaxHeadingBytes / 2);
    for (size_t i = entries_.size(); i-- > 0;) {
      const std::string& label = entries_[i].second;
      if (label.size() + 3 + joined.size() > kMaxHeadingBytes) break;
      joined.insert(0, joined.empty() ? label : label + " > ");
    }
    return joined;
  }

 private:
  std::vector<std::pair<int, std::string>> entries_;
};

/// Whether a chunk may hold both: the same page, sheet, slide, attachment, table and origin.
bool AreTogether(const Block& a, const Block& b) {
  return a.location.page == b.location.page && a.location.slide == b.location.slide &&
         a.ocr == b.ocr && a.location.sheet == b.location.sheet &&
         a.location.attachment_path == b.location.attachment_path &&
         a.table_header == b.table_header;
}

class Chunker {
 public:
  Chunker(const ExtractedText& extracted, string_view language, const ChunkOptions& options)
      : extracted_(extracted), text_(extracted.text), language_(language), options_(options) {}

  std::vector<Chunk> Run() {
    const Block* previous = nullptr;
    for (const Block& block : extracted_.blocks) {
      Check(block, previous);
      if (previous != nullptr) Separate(*previous, block);
      EnterHeading(block);
      block_ = &block;
      AddBlock(block);
      previous = &block;
    }
    EndSection();
    SetLines();
    return std::move(chunks_);
  }

 private:
  void Check(const Block& block, const Block* previous) const {
    const std::uint64_t earliest = previous == nullptr ? 0 : previous->range.end;
    const ByteRange& range = block.range;
    if (range.begin < earliest || range.end <= range.begin || range.end > text_.size() ||
        IsContinuation(text_[range.begin]) ||
        (range.end < text_.size() && IsContinuation(text_[range.end]))) {
      throw Error(ErrorCode::kInternal, "extraction gave blocks that do not fit their text");
    }
  }

  void Separate(const Block& previous, const Block& block) {
    if (AreTogether(previous, block)) return;
    EndSection();
    if (previous.location.attachment_path != block.location.attachment_path) path_.Clear();
  }

  /// Starts a section at a heading; titles that follow each other stay in one chunk.
  void EnterHeading(const Block& block) {
    if (block.kind == BlockKind::kHeading) {
      if (!HoldsOnlyTitles()) EndSection();
      path_.Enter(block.heading_level, Slice(block.range));
      is_title_ = true;
      return;
    }
    is_title_ = false;
    if (block.kind != BlockKind::kParagraph) return;
    const auto heading = FindSectionHeading(Slice(block.range));
    if (!heading) return;
    // A number that begins a running paragraph is too little to cut small clauses apart.
    const bool starts_section = heading->is_title ? !HoldsOnlyTitles() : is_open_ && !IsBelowHalf();
    if (starts_section) EndSection();
    path_.Enter(heading->rank, heading->label);
    is_title_ = heading->is_title;
  }

  [[nodiscard]] bool HoldsOnlyTitles() const { return is_open_ && only_titles_; }

  void AddBlock(const Block& block) {
    sentences_.clear();
    const ByteRange range = Trimmed(block.range);
    if (range.end - range.begin <= options_.target_bytes) {
      Add(range, false);
    } else if (block.kind == BlockKind::kCode || block.kind == BlockKind::kTableRow) {
      AddByLine(range);
    } else {
      for (const ByteRange& sentence : text::SplitSentences(Slice(range), language_)) {
        AddPieces({range.begin + sentence.begin, range.begin + sentence.end}, true);
      }
    }
  }

  void AddByLine(const ByteRange& range) {
    for (std::uint64_t at = range.begin; at < range.end;) {
      const std::uint64_t end = std::min<std::uint64_t>(text_.find('\n', at), range.end);
      AddPieces(Trimmed({at, end}), false);
      at = end + 1;
    }
  }

  /// A sentence or line, in several pieces if it is beyond the maximum.
  void AddPieces(ByteRange range, bool is_sentence) {
    while (range.end - range.begin > options_.max_bytes) {
      const string_view rest = Slice(range);
      size_t cut = options_.max_bytes;
      while (cut > 0 && !IsSpace(rest[cut])) --cut;
      if (cut == 0) cut = text::CutAtCodePoint(rest, options_.max_bytes);
      Add(Trimmed({range.begin, range.begin + cut}), false);
      range = Trimmed({range.begin + cut, range.end});
    }
    Add(range, is_sentence);
  }

  /// Puts a piece of at most the maximum into the open chunk, or starts the next one with it.
  void Add(const ByteRange& piece, bool is_sentence) {
    if (piece.begin == piece.end) return;
    if (is_open_ && !Fits(piece)) {
      const std::uint64_t begin = is_sentence ? OverlapBegin(piece) : piece.begin;
      Close();
      Open(begin, piece.begin);
    } else if (!is_open_) {
      Open(piece.begin, piece.begin);
    } else if (only_titles_) {
      current_.heading = path_.Join(block_->table_header);
    }
    only_titles_ = only_titles_ && is_title_;
    current_.range.end = piece.end;
    NotePage(current_.location, block_->location);
    if (is_sentence) {
      sentences_.push_back(piece);
    } else {
      sentences_.clear();
    }
  }

  [[nodiscard]] bool Fits(const ByteRange& piece) const {
    const std::uint64_t grown = piece.end - current_.range.begin;
    if (grown <= options_.target_bytes) return true;
    const bool is_small = only_titles_ || IsBelowHalf();
    return is_small && grown <= options_.max_bytes;
  }

  [[nodiscard]] bool IsBelowHalf() const {
    return (current_.range.end - current_.range.begin) * 2 < options_.target_bytes;
  }

  /// Where the chunk that goes on with the sentence `next` begins: with sentences that the open
  /// chunk ends with, as far as they fit.
  [[nodiscard]] std::uint64_t OverlapBegin(const ByteRange& next) const {
    std::uint64_t begin = next.begin;
    for (size_t i = sentences_.size(); i-- > 0;) {
      const std::uint64_t earlier = sentences_[i].begin;
      if (earlier <= current_.range.begin ||
          current_.range.end - earlier > options_.overlap_bytes ||
          next.end - earlier > options_.max_bytes) {
        break;
      }
      begin = earlier;
    }
    return begin;
  }

  void Open(std::uint64_t begin, std::uint64_t fresh_begin) {
    is_open_ = true;
    only_titles_ = true;
    fresh_begin_ = fresh_begin;
    current_ = {{begin, begin}, path_.Join(block_->table_header), block_->location, block_->ocr};
  }

  void Close() {
    if (is_open_) chunks_.push_back(std::move(current_));
    is_open_ = false;
  }

  /// Closes the open chunk, or joins a small rest to the chunk before it.
  void EndSection() {
    if (is_open_ && chunks_.size() > section_begin_) {
      Chunk& before = chunks_.back();
      const bool is_small = (current_.range.end - fresh_begin_) * 4 < options_.target_bytes;
      if (is_small && current_.range.end - before.range.begin <= options_.max_bytes) {
        before.range.end = current_.range.end;
        NotePage(before.location, current_.location);
        is_open_ = false;
      }
    }
    Close();
    section_begin_ = chunks_.size();
  }

  /// Widens `location` to the pages of `more`.
  static void NotePage(Location& location, const Location& more) {
    const auto last = more.page_end ? more.page_end : more.page;
    if (!location.page || !last) return;
    if (*last > location.page_end.value_or(*location.page)) location.page_end = last;
  }

  void SetLines() {
    std::uint64_t at = 0;
    std::uint32_t line = 1;
    const auto count = [this](std::uint64_t begin, std::uint64_t end) {
      const string_view slice = Slice({begin, end});
      return static_cast<std::uint32_t>(std::count(slice.begin(), slice.end(), '\n'));
    };
    for (Chunk& chunk : chunks_) {
      line += count(at, chunk.range.begin);
      at = chunk.range.begin;
      chunk.location.line_begin = line;
      chunk.location.line_end = line + count(at, chunk.range.end);
    }
  }

  [[nodiscard]] string_view Slice(const ByteRange& range) const {
    return text_.substr(range.begin, range.end - range.begin);
  }

  [[nodiscard]] ByteRange Trimmed(ByteRange range) const {
    while (range.begin < range.end && IsSpace(text_[range.begin])) ++range.begin;
    while (range.begin < range.end && IsSpace(text_[range.end - 1])) --range.end;
    return range;
  }

  const ExtractedText& extracted_;
  string_view text_;
  string_view language_;
  ChunkOptions options_;

  HeadingPath path_;
  std::vector<Chunk> chunks_;
  size_t section_begin_ = 0;      // in chunks_
  const Block* block_ = nullptr;  // at hand
  bool is_title_ = false;         // block_ is nothing but a heading

  bool is_open_ = false;
  Chunk current_;
  std::uint64_t fresh_begin_ = 0;     // behind the overlap
  bool only_titles_ = false;          // of current_
  std::vector<ByteRange> sentences_;  // of block_ that stand at the end of current_
};

}  // namespace

std::vector<Chunk> MakeChunks(const ExtractedText& extracted, string_view language,
                              const ChunkOptions& options) {
  if (options.target_bytes < kMinTargetBytes || options.target_bytes > options.max_bytes ||
      options.max_bytes > kMaxChunkBytes || options.overlap_bytes >= options.target_bytes) {
    throw Error(ErrorCode::kInvalidArgument,
                "chunk sizes must satisfy " + std::to_string(kMinTargetBytes) +
                    " <= target <= max <= " + std::to_string(kMaxChunkBytes) +
                    " and overlap < target");
  }
  return Chunker(extracted, language, options).Run();
}

}  // namespace sworn::indexer
