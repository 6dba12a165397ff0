// CommonMark with GitHub's tables, through md4c; a YAML front matter gives title and metadata.
#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <md4c.h>

#include "core/error.h"
#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/html_text.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr std::size_t kMaxFrontMatterBytes = std::size_t{64} * 1024;
constexpr std::string_view kFence = "---";

std::string_view TakeLine(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view Unquoted(std::string_view value) {
  const std::size_t begin = value.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  value = value.substr(begin, value.find_last_not_of(" \t") + 1 - begin);
  const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                      value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// Reads "key: value" lines between two "---" lines at the very beginning and returns what follows.
std::string_view ReadFrontMatter(std::string_view text, TextBuilder& builder) {
  std::string_view rest = text;
  if (TakeLine(rest) != kFence) return text;
  const std::string_view window = rest.substr(0, kMaxFrontMatterBytes);
  std::string_view head = window;
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    const std::string_view line = TakeLine(head);
    if (line == kFence || line == "...") {
      for (const std::string_view entry : lines) {
        const std::size_t colon = entry.find(':');
        if (colon == std::string_view::npos) continue;
        const std::string_view key = entry.substr(0, colon);
        const std::string_view value = Unquoted(entry.substr(colon + 1));
        if (key == "title") builder.SetTitle(value);
        if (key == "author" || key == "date" || key == "lang") builder.SetMetadata(key, value);
      }
      return rest.substr(window.size() - head.size());
    }
    lines.push_back(line);
  }
  return text;
}

// md4c's events to blocks. No exception may cross md4c's frames: Guard keeps it for later.
class Reader {
 public:
  explicit Reader(TextBuilder& builder) : builder_(builder) {}

  void Read(std::string_view text) {
    MD_PARSER parser{};
    parser.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      return Guard(self, [&](Reader& reader) { reader.EnterBlock(type, detail); });
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void* /*detail*/, void* self) {
      return Guard(self, [&](Reader& reader) { reader.LeaveBlock(type); });
    };
    parser.enter_span = [](MD_SPANTYPE /*type*/, void* /*detail*/, void* /*self*/) { return 0; };
    parser.leave_span = [](MD_SPANTYPE /*type*/, void* /*detail*/, void* /*self*/) { return 0; };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* chars, MD_SIZE size, void* self) {
      return Guard(self, [&](Reader& reader) { reader.Text(type, {chars, size}); });
    };
    const int result = md_parse(text.data(), static_cast<MD_SIZE>(text.size()), &parser, this);
    if (failure_) std::rethrow_exception(failure_);
    if (result != 0) throw Error(ErrorCode::kIntegrity, "damaged: the Markdown parser gave up");
    Flush(BlockKind::kParagraph);
  }

 private:
  template <typename Step>
  static int Guard(void* self, Step step) noexcept {
    auto& reader = *static_cast<Reader*>(self);
    try {
      step(reader);
      return 0;
    } catch (...) {
      reader.failure_ = std::current_exception();
      return 1;
    }
  }

  void Flush(BlockKind kind) {
    BlockDetails details;
    details.heading_level = heading_level_;
    builder_.AddBlock(kind, buffer_, details);
    buffer_.clear();
  }

  // What a paragraph is, depending on what it stands in.
  [[nodiscard]] BlockKind ParagraphKind() const {
    if (list_depth_ > 0) return BlockKind::kListItem;
    return quote_depth_ > 0 ? BlockKind::kQuote : BlockKind::kParagraph;
  }

  void EnterBlock(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_TD:
      case MD_BLOCK_TH:
      case MD_BLOCK_DOC:
        break;
      case MD_BLOCK_QUOTE:
        Flush(ParagraphKind());
        ++quote_depth_;
        break;
      case MD_BLOCK_LI:
        Flush(ParagraphKind());
        ++list_depth_;
        break;
      case MD_BLOCK_H:
        Flush(ParagraphKind());
        heading_level_ = static_cast<std::uint8_t>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level);
        break;
      case MD_BLOCK_TABLE:
        Flush(ParagraphKind());
        table_header_.clear();
        break;
      case MD_BLOCK_THEAD:
        in_head_ = true;
        break;
      case MD_BLOCK_TR:
        cells_.clear();
        break;
      case MD_BLOCK_HTML:
        Flush(ParagraphKind());
        in_html_block_ = true;
        break;
      default:
        Flush(ParagraphKind());
        break;
    }
  }

  void LeaveBlock(MD_BLOCKTYPE type) {
    switch (type) {
      case MD_BLOCK_QUOTE:
        Flush(ParagraphKind());
        --quote_depth_;
        break;
      case MD_BLOCK_LI:
        Flush(ParagraphKind());
        --list_depth_;
        break;
      case MD_BLOCK_H:
        Flush(BlockKind::kHeading);
        heading_level_ = 0;
        break;
      case MD_BLOCK_CODE:
        Flush(BlockKind::kCode);
        break;
      case MD_BLOCK_HTML:
        in_html_block_ = false;
        buffer_ = HtmlFragmentText(buffer_);
        Flush(ParagraphKind());
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD:
        cells_.push_back(std::exchange(buffer_, {}));
        break;
      case MD_BLOCK_TR:
        AddRow();
        break;
      case MD_BLOCK_THEAD:
        in_head_ = false;
        break;
      case MD_BLOCK_P:
        Flush(ParagraphKind());
        break;
      default:
        break;
    }
  }

  void AddRow() {
    BlockDetails details;
    if (!in_head_) details.table_header = table_header_;
    const std::string row = JoinCells(cells_);
    const bool blank = std::all_of(cells_.begin(), cells_.end(),
                                   [](const std::string& cell) { return cell.empty(); });
    if (!blank) builder_.AddBlock(BlockKind::kTableRow, row, details);
    if (in_head_) table_header_ = row;
  }

  void Text(MD_TEXTTYPE type, std::string_view text) {
    switch (type) {
      case MD_TEXT_BR:
      case MD_TEXT_SOFTBR:
        buffer_.push_back('\n');
        break;
      case MD_TEXT_NULLCHAR:
        buffer_.append("\xef\xbf\xbd");
        break;
      case MD_TEXT_ENTITY: {
        const std::string decoded = HtmlFragmentText(text);
        buffer_.append(decoded.empty() ? " " : decoded);  // &nbsp; alone is trimmed away
        break;
      }
      case MD_TEXT_HTML:
        // Tags inside a paragraph say nothing; a block of HTML is read as such when it ends.
        if (in_html_block_) buffer_.append(text);
        break;
      default:
        buffer_.append(text);
        break;
    }
  }

  TextBuilder& builder_;
  std::exception_ptr failure_;
  std::string buffer_;
  std::uint8_t heading_level_ = 0;
  std::size_t list_depth_ = 0;
  std::size_t quote_depth_ = 0;
  bool in_head_ = false;
  bool in_html_block_ = false;
  std::string table_header_;
  std::vector<std::string> cells_;
};

}  // namespace

Extraction ExtractMarkdown(std::string_view bytes, const ExtractRequest& /*request*/) {
  const DecodedText decoded = DecodeText(bytes);
  TextBuilder builder("markdown/md4c-0.4");
  builder.AddInvalid(decoded.invalid);
  Reader(builder).Read(ReadFrontMatter(decoded.utf8, builder));
  return {std::move(builder).Finish(), {}};
}

}  // namespace sworn::indexer
