#include "indexer/extract/html_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <new>
#include <vector>

#include <gumbo.h>

#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::indexer {
namespace {

constexpr std::size_t kMaxDepth = 500;
constexpr std::size_t kCharsetWithinBytes = 4096;

// All of a parse's memory, freed at once: gumbo's own way of freeing recurses as deep as the
// document nests.
class Arena {
 public:
  static void* Allocate(void* arena, std::size_t size) {
    return static_cast<Arena*>(arena)->AllocateBytes(size);
  }
  static void Free(void* /*arena*/, void* /*memory*/) {}

 private:
  void* AllocateBytes(std::size_t size) {
    constexpr std::size_t kBlockBytes = std::size_t{256} * 1024;
    constexpr std::size_t kAlignment = alignof(std::max_align_t);
    size = (size + kAlignment - 1) / kAlignment * kAlignment;
    if (size > left_) {
      const std::size_t block = std::max(size, kBlockBytes);
      blocks_.push_back(std::make_unique<std::byte[]>(block));
      next_ = blocks_.back().get();
      left_ = block;
    }
    void* memory = next_;
    next_ += size;
    left_ -= size;
    return memory;
  }

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

class Parsed {
 public:
  explicit Parsed(std::string_view html) {
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = &Arena::Allocate;
    options.deallocator = &Arena::Free;
    options.userdata = &arena_;
    options.max_errors = 0;
    output_ = gumbo_parse_with_options(&options, html.data(), html.size());
    if (output_ == nullptr) throw Error(ErrorCode::kIntegrity, "damaged: the HTML has no tree");
  }
  [[nodiscard]] const GumboNode& document() const { return *output_->document; }
  [[nodiscard]] const GumboNode& root() const { return *output_->root; }

 private:
  Arena arena_;
  GumboOutput* output_ = nullptr;  // lives in arena_
};

bool IsElement(const GumboNode& node) {
  return node.type == GUMBO_NODE_ELEMENT || node.type == GUMBO_NODE_TEMPLATE;
}

std::vector<const GumboNode*> ChildrenOf(const GumboNode& node) {
  std::vector<const GumboNode*> children;
  if (!IsElement(node)) return children;
  const GumboVector& list = node.v.element.children;
  for (unsigned i = 0; i < list.length; ++i) {
    children.push_back(static_cast<const GumboNode*>(list.data[i]));
  }
  return children;
}

std::string_view Attribute(const GumboNode& node, const char* name) {
  const GumboAttribute* attribute = gumbo_get_attribute(&node.v.element.attributes, name);
  return attribute == nullptr ? std::string_view() : std::string_view(attribute->value);
}

std::string LowerWithoutSpaces(std::string_view text) {
  std::string lower;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return lower;
}

bool IsHidden(const GumboNode& node) {
  if (gumbo_get_attribute(&node.v.element.attributes, "hidden") != nullptr) return true;
  const std::string style = LowerWithoutSpaces(Attribute(node, "style"));
  return style.find("display:none") != std::string::npos ||
         style.find("visibility:hidden") != std::string::npos;
}

bool IsOneOf(GumboTag tag, std::initializer_list<GumboTag> tags) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

bool IsDropped(GumboTag tag) {
  return IsOneOf(tag, {GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_NOSCRIPT, GUMBO_TAG_TEMPLATE,
                       GUMBO_TAG_HEAD, GUMBO_TAG_SVG, GUMBO_TAG_IFRAME, GUMBO_TAG_OBJECT,
                       GUMBO_TAG_CANVAS, GUMBO_TAG_AUDIO, GUMBO_TAG_VIDEO, GUMBO_TAG_NOFRAMES});
}

bool IsInline(GumboTag tag) {
  return IsOneOf(
      tag,
      {GUMBO_TAG_A,    GUMBO_TAG_ABBR,  GUMBO_TAG_ACRONYM, GUMBO_TAG_B,      GUMBO_TAG_BDI,
       GUMBO_TAG_BDO,  GUMBO_TAG_BIG,   GUMBO_TAG_CITE,    GUMBO_TAG_CODE,   GUMBO_TAG_DATA,
       GUMBO_TAG_DEL,  GUMBO_TAG_DFN,   GUMBO_TAG_EM,      GUMBO_TAG_FONT,   GUMBO_TAG_I,
       GUMBO_TAG_IMG,  GUMBO_TAG_INPUT, GUMBO_TAG_INS,     GUMBO_TAG_KBD,    GUMBO_TAG_LABEL,
       GUMBO_TAG_MARK, GUMBO_TAG_Q,     GUMBO_TAG_RUBY,    GUMBO_TAG_RB,     GUMBO_TAG_S,
       GUMBO_TAG_SAMP, GUMBO_TAG_SMALL, GUMBO_TAG_SPAN,    GUMBO_TAG_STRIKE, GUMBO_TAG_STRONG,
       GUMBO_TAG_SUB,  GUMBO_TAG_SUP,   GUMBO_TAG_TIME,    GUMBO_TAG_TT,     GUMBO_TAG_U,
       GUMBO_TAG_VAR,  GUMBO_TAG_WBR,   GUMBO_TAG_BUTTON,  GUMBO_TAG_NOBR,   GUMBO_TAG_UNKNOWN});
}

bool IsHeading(GumboTag tag) { return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6; }

// Walks a document into blocks. Inline text gathers in buffer_ until a block begins or ends.
class Walker {
 public:
  Walker(const BlockDetails& base, TextBuilder& builder) : base_(base), builder_(builder) {}

  void Walk(const GumboNode& node) {
    if (depth_ >= kMaxDepth) {
      throw Error(ErrorCode::kTooLarge, "elements are nested deeper than 500");
    }
    ++depth_;
    if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE ||
        node.type == GUMBO_NODE_CDATA) {
      AppendText(node.v.text.text);
    } else if (node.type == GUMBO_NODE_ELEMENT) {
      WalkElement(node);
    }
    --depth_;
  }

  void Flush() {
    BlockDetails details = base_;
    details.heading_level = level_;
    const bool is_code = preformatted_ && kind_ == BlockKind::kCode;
    builder_.AddBlock(is_code ? BlockKind::kCode : kind_, buffer_, details);
    buffer_.clear();
  }

  [[nodiscard]] std::uint32_t hidden() const { return hidden_; }

 private:
  void AppendText(std::string_view text) {
    if (preformatted_) {
      buffer_.append(text);
      return;
    }
    for (const char c : text) {
      const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
      if (!space) {
        buffer_.push_back(c);
      } else if (!buffer_.empty() && buffer_.back() != ' ' && buffer_.back() != '\n') {
        buffer_.push_back(' ');
      }
    }
  }

  void WalkChildren(const GumboNode& node) {
    for (const GumboNode* child : ChildrenOf(node)) Walk(*child);
  }

  void WalkElement(const GumboNode& node) {
    const GumboTag tag = node.v.element.tag;
    if (IsDropped(tag)) return;
    if (IsHidden(node)) {
      ++hidden_;
      return;
    }
    if (tag == GUMBO_TAG_BR) {
      buffer_.push_back('\n');
    } else if (tag == GUMBO_TAG_TABLE && IsDataTable(node)) {
      Flush();
      WalkTable(node);
    } else if (IsInline(tag)) {
      WalkChildren(node);
    } else {
      WalkBlock(node, tag);
    }
  }

  void WalkBlock(const GumboNode& node, GumboTag tag) {
    Flush();
    const BlockKind outer_kind = kind_;
    const std::uint8_t outer_level = level_;
    const bool outer_preformatted = preformatted_;
    if (IsHeading(tag)) {
      kind_ = BlockKind::kHeading;
      level_ = static_cast<std::uint8_t>(tag - GUMBO_TAG_H1 + 1);
    } else if (tag == GUMBO_TAG_LI) {
      kind_ = BlockKind::kListItem;
    } else if (tag == GUMBO_TAG_BLOCKQUOTE) {
      kind_ = BlockKind::kQuote;
    } else if (IsOneOf(tag, {GUMBO_TAG_PRE, GUMBO_TAG_LISTING, GUMBO_TAG_XMP})) {
      kind_ = BlockKind::kCode;
      preformatted_ = true;
    }
    WalkChildren(node);
    Flush();
    kind_ = outer_kind;
    level_ = outer_level;
    preformatted_ = outer_preformatted;
  }

  // A table that only arranges a page holds headings, lists or other tables.
  bool IsDataTable(const GumboNode& table) {
    if (LowerWithoutSpaces(Attribute(table, "role")) == "presentation") return false;
    std::vector<const GumboNode*> open = ChildrenOf(table);
    while (!open.empty()) {
      const GumboNode* node = open.back();
      open.pop_back();
      if (!IsElement(*node)) continue;
      const GumboTag tag = node->v.element.tag;
      if (IsHeading(tag) || IsOneOf(tag, {GUMBO_TAG_TABLE, GUMBO_TAG_UL, GUMBO_TAG_OL,
                                          GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_PRE})) {
        return false;
      }
      const std::vector<const GumboNode*> children = ChildrenOf(*node);
      open.insert(open.end(), children.begin(), children.end());
    }
    return true;
  }

  void WalkTable(const GumboNode& table) {
    table_header_.clear();
    table_rows_ = 0;
    WalkRows(table, false);
  }

  void WalkRows(const GumboNode& node, bool in_head) {
    for (const GumboNode* child : ChildrenOf(node)) {
      if (!IsElement(*child)) continue;
      const GumboTag tag = child->v.element.tag;
      if (IsHidden(*child)) {
        ++hidden_;
      } else if (tag == GUMBO_TAG_TR) {
        AddRow(*child, in_head);
      } else if (tag == GUMBO_TAG_CAPTION) {
        WalkBlock(*child, tag);
      } else if (IsOneOf(tag, {GUMBO_TAG_THEAD, GUMBO_TAG_TBODY, GUMBO_TAG_TFOOT})) {
        WalkRows(*child, tag == GUMBO_TAG_THEAD);
      }
    }
  }

  void AddRow(const GumboNode& row, bool in_head) {
    std::vector<std::string> cells;
    bool all_headers = true;
    for (const GumboNode* child : ChildrenOf(row)) {
      if (!IsElement(*child) || !IsOneOf(child->v.element.tag, {GUMBO_TAG_TD, GUMBO_TAG_TH})) {
        continue;
      }
      if (IsHidden(*child)) {
        ++hidden_;
        continue;
      }
      all_headers = all_headers && child->v.element.tag == GUMBO_TAG_TH;
      cells.push_back(CellText(*child));
    }
    const bool blank =
        std::all_of(cells.begin(), cells.end(), [](const std::string& c) { return c.empty(); });
    if (blank) return;
    const std::string text = JoinCells(cells);
    BlockDetails details = base_;
    const bool is_header = in_head || (all_headers && table_rows_ == 0 && cells.size() > 1);
    if (!is_header) details.table_header = table_header_;
    builder_.AddBlock(BlockKind::kTableRow, text, details);
    if (is_header) table_header_ = text;
    ++table_rows_;
  }

  std::string CellText(const GumboNode& cell) {
    std::string outer;
    outer.swap(buffer_);
    GatherInline(cell);
    const std::size_t begin = buffer_.find_first_not_of(" \n");
    std::string text = begin == std::string::npos
                           ? std::string()
                           : buffer_.substr(begin, buffer_.find_last_not_of(" \n") + 1 - begin);
    buffer_.swap(outer);
    return text;
  }

  // The text of a cell without any block of its own.
  void GatherInline(const GumboNode& node) {
    if (depth_ >= kMaxDepth) {
      throw Error(ErrorCode::kTooLarge, "elements are nested deeper than 500");
    }
    ++depth_;
    for (const GumboNode* child : ChildrenOf(node)) {
      if (child->type == GUMBO_NODE_ELEMENT) {
        const GumboTag tag = child->v.element.tag;
        if (IsDropped(tag)) continue;
        if (IsHidden(*child)) {
          ++hidden_;
          continue;
        }
        if (!IsInline(tag)) AppendText(" ");
        GatherInline(*child);
        if (!IsInline(tag)) AppendText(" ");
      } else if (child->type != GUMBO_NODE_COMMENT && child->type != GUMBO_NODE_TEMPLATE) {
        AppendText(child->v.text.text);
      }
    }
    --depth_;
  }

  const BlockDetails& base_;
  TextBuilder& builder_;
  std::string buffer_;
  BlockKind kind_ = BlockKind::kParagraph;
  std::uint8_t level_ = 0;
  bool preformatted_ = false;
  std::size_t depth_ = 0;
  std::uint32_t hidden_ = 0;
  std::string table_header_;
  std::size_t table_rows_ = 0;
};

const GumboNode* FindChild(const GumboNode& node, GumboTag tag) {
  for (const GumboNode* child : ChildrenOf(node)) {
    if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == tag) return child;
  }
  return nullptr;
}

void AddHeadMetadata(const GumboNode& root, TextBuilder& builder) {
  builder.SetMetadata("lang", Attribute(root, "lang"));
  const GumboNode* head = FindChild(root, GUMBO_TAG_HEAD);
  if (head == nullptr) return;
  for (const GumboNode* child : ChildrenOf(*head)) {
    if (child->type != GUMBO_NODE_ELEMENT) continue;
    if (child->v.element.tag == GUMBO_TAG_TITLE) {
      for (const GumboNode* text : ChildrenOf(*child)) {
        if (text->type == GUMBO_NODE_TEXT) builder.SetTitle(text->v.text.text);
      }
    } else if (child->v.element.tag == GUMBO_TAG_META) {
      const std::string name = LowerWithoutSpaces(Attribute(*child, "name"));
      if (name == "author" || name == "date" || name == "description") {
        builder.SetMetadata(name, Attribute(*child, "content"));
      }
    }
  }
}

}  // namespace

void AddHtml(std::string_view utf8_html, const BlockDetails& base, TextBuilder& builder) {
  const Parsed parsed(utf8_html);
  AddHeadMetadata(parsed.root(), builder);
  Walker walker(base, builder);
  walker.Walk(parsed.root());
  walker.Flush();
  if (walker.hidden() > 0) {
    const std::string count = std::to_string(walker.hidden());
    builder.SetMetadata("hidden_elements", count);
    builder.AddWarning(count +
                       (walker.hidden() == 1 ? " hidden element was" : " hidden elements were") +
                       " left out");
  }
}

std::string HtmlFragmentText(std::string_view utf8_html) {
  TextBuilder builder("fragment");
  AddHtml(utf8_html, {}, builder);
  return std::move(builder).Finish().text;
}

std::string DeclaredHtmlCharset(std::string_view bytes) {
  const std::string head = LowerWithoutSpaces(bytes.substr(0, kCharsetWithinBytes));
  for (const std::string_view mark : {"charset=", "encoding="}) {
    std::size_t at = head.find(mark);
    if (at == std::string::npos) continue;
    at += mark.size();
    if (at < head.size() && (head[at] == '"' || head[at] == '\'')) ++at;
    const std::size_t end = head.find_first_of("\"'>;/?", at);
    if (end != std::string::npos && end - at < 40) return head.substr(at, end - at);
  }
  return {};
}

}  // namespace sworn::indexer
