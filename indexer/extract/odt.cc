// OpenDocument (ISO/IEC 26300) text, spreadsheet and presentation, from content.xml.
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/office_package.h"

namespace sworn::indexer {
namespace {

constexpr std::uint32_t kMaxRepeat = 100;  // of a cell or a space; writers pad rows to 16384 cells

struct Paragraph {
  std::string text;
  std::vector<pugi::xml_node> boxes;  // text boxes and tables anchored in it
  std::vector<std::string> notes;
};

bool IsSkipped(pugi::xml_node node) {
  constexpr auto kSkipped = std::to_array<std::string_view>(
      {"tracked-changes", "note-citation", "title", "desc", "object", "object-ole", "image",
       "forms", "ruby-text", "bookmark-start", "sequence-decls", "event-listeners"});
  return std::find(kSkipped.begin(), kSkipped.end(), LocalName(node)) != kSkipped.end();
}

// Runs of white space in the XML are one space; more of them are written as elements.
void AppendCollapsed(std::string& text, std::string_view piece) {
  for (const char c : piece) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      text.push_back(c);
    } else if (!text.empty() && text.back() != ' ' && text.back() != '\n') {
      text.push_back(' ');
    }
  }
}

std::string PlainText(pugi::xml_node parent);

void Gather(pugi::xml_node parent, Paragraph& out) {
  for (const pugi::xml_node node : parent.children()) {
    const std::string_view name = LocalName(node);
    if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) {
      AppendCollapsed(out.text, node.value());
    } else if (name == "s") {
      out.text.append(std::min(NumberAttribute(node, "c", 1), kMaxRepeat), ' ');
    } else if (name == "tab") {
      out.text.push_back('\t');
    } else if (name == "line-break") {
      out.text.push_back('\n');
    } else if (name == "note") {
      out.notes.push_back(PlainText(Child(node, "note-body")));
    } else if (name == "annotation") {
      out.notes.push_back(PlainText(node));
    } else if (name == "text-box" || name == "table") {
      out.boxes.push_back(node);
    } else if (!IsSkipped(node)) {
      Gather(node, out);
    }
  }
}

// The paragraphs below a node, one a line; what is anchored in them is left out.
std::string PlainText(pugi::xml_node parent) {
  std::string text;
  for (const pugi::xml_node node : parent.children()) {
    if (IsSkipped(node) || Is(node, "annotation")) continue;
    std::string piece;
    if (Is(node, "p") || Is(node, "h")) {
      Paragraph paragraph;
      Gather(node, paragraph);
      piece = std::move(paragraph.text);
    } else {
      piece = PlainText(node);
    }
    if (piece.empty()) continue;
    if (!text.empty()) text.push_back('\n');
    text.append(piece);
  }
  return text;
}

class OdtReader {
 public:
  OdtReader(std::string_view bytes, const ExtractLimits& limits)
      : limits_(limits), package_(bytes, limits) {}

  ExtractedText Read() {
    if (Descendant(package_.Parse("META-INF/manifest.xml"), "encryption-data")) {
      throw Error(ErrorCode::kDenied, "encrypted: needs a password");
    }
    ReadMeta();
    const pugi::xml_document content = package_.ParseRequired("content.xml");
    const pugi::xml_node body = Child(Child(content, "document-content"), "body");
    if (!body) throw Error(ErrorCode::kIntegrity, "corrupt document: it has no body");
    for (const pugi::xml_node kind : body.children()) {
      if (Is(kind, "spreadsheet")) {
        ReadSheets(kind);
      } else if (Is(kind, "presentation")) {
        ReadSlides(kind);
      } else {
        WalkBlocks(kind, BlockKind::kParagraph, {});
        if (Is(kind, "text")) ReadHeadersAndFooters();
      }
    }
    return std::move(builder_).Finish();
  }

 private:
  void ReadMeta() {
    const pugi::xml_document document = package_.Parse("meta.xml");
    const pugi::xml_node meta = Descendant(document, "meta");
    builder_.SetTitle(Child(meta, "title").child_value());
    const std::string_view first_author = Child(meta, "initial-creator").child_value();
    builder_.SetMetadata(
        "author", first_author.empty() ? Child(meta, "creator").child_value() : first_author);
    builder_.SetMetadata("subject", Child(meta, "subject").child_value());
    builder_.SetMetadata("date", Rfc3339OrEmpty(Child(meta, "date").child_value()));
    builder_.SetMetadata("created", Rfc3339OrEmpty(Child(meta, "creation-date").child_value()));
  }

  void CountPart(std::uint32_t number) const {
    if (number > limits_.max_pages) {
      throw Error(ErrorCode::kTooLarge, "has more than " + std::to_string(limits_.max_pages) +
                                            " sheets or slides (max_pages)");
    }
  }

  void ReadSheets(pugi::xml_node spreadsheet) {
    std::uint32_t number = 0;
    for (const pugi::xml_node table : spreadsheet.children()) {
      if (!Is(table, "table")) continue;
      CountPart(++number);
      BlockDetails details;
      details.location.sheet = Attribute(table, "name");
      details.heading_level = 1;
      if (!PlainText(table).empty()) {
        builder_.AddBlock(BlockKind::kHeading, details.location.sheet, details);
      }
      details.heading_level = 0;
      AddTable(table, details);
    }
  }

  void ReadSlides(pugi::xml_node presentation) {
    std::uint32_t number = 0;
    for (const pugi::xml_node page : presentation.children()) {
      if (!Is(page, "page")) continue;
      CountPart(++number);
      BlockDetails details;
      details.location.slide = number;
      for (const pugi::xml_node shape : page.children()) {
        const std::string_view role = Attribute(shape, "class");
        if (Is(shape, "notes")) {
          builder_.AddBlock(BlockKind::kNote, PlainText(shape), details);
        } else if (role == "title") {
          details.heading_level = 1;
          builder_.AddBlock(BlockKind::kHeading, PlainText(shape), details);
          details.heading_level = 0;
        } else {
          WalkBlocks(shape, BlockKind::kParagraph, details);
        }
      }
    }
  }

  void WalkBlocks(pugi::xml_node parent, BlockKind kind, const BlockDetails& details) {
    for (const pugi::xml_node node : parent.children()) {
      if (IsSkipped(node)) continue;
      if (Is(node, "p") || Is(node, "h")) {
        AddParagraph(node, kind, details);
      } else if (Is(node, "table")) {
        AddTable(node, details);
      } else {
        WalkBlocks(node, Is(node, "list") ? BlockKind::kListItem : kind, details);
      }
    }
  }

  void AddParagraph(pugi::xml_node node, BlockKind kind, const BlockDetails& where) {
    Paragraph paragraph;
    Gather(node, paragraph);
    BlockDetails details = where;
    if (Is(node, "h")) {
      kind = BlockKind::kHeading;
      details.heading_level =
          static_cast<std::uint8_t>(std::clamp(NumberAttribute(node, "outline-level", 1), 1U, 6U));
    }
    builder_.AddBlock(kind, paragraph.text, details);
    AddAnchored(paragraph, where);
  }

  void AddAnchored(const Paragraph& paragraph, const BlockDetails& where) {
    for (const pugi::xml_node box : paragraph.boxes) {
      if (Is(box, "table")) {
        AddTable(box, where);
      } else {
        WalkBlocks(box, BlockKind::kParagraph, where);
      }
    }
    for (const std::string& note : paragraph.notes) {
      builder_.AddBlock(BlockKind::kNote, note, where);
    }
  }

  struct Row {
    pugi::xml_node node;
    bool header = false;
    std::uint32_t number = 0;  // 1-based
  };

  static void CollectRows(pugi::xml_node parent, bool header, std::uint32_t& number,
                          std::vector<Row>& rows) {
    for (const pugi::xml_node node : parent.children()) {
      if (Is(node, "table-row")) {
        rows.push_back({node, header, number + 1});
        number += std::max(NumberAttribute(node, "number-rows-repeated", 1), 1U);
      } else if (!Is(node, "shapes")) {
        CollectRows(node, header || Is(node, "table-header-rows"), number, rows);
      }
    }
  }

  void AddTable(pugi::xml_node table, BlockDetails details) {
    std::vector<Row> rows;
    std::uint32_t number = 0;
    CollectRows(table, false, number, rows);
    const bool is_sheet = !details.location.sheet.empty();
    bool first = true;
    for (const Row& row : rows) {
      Paragraph anchored;
      const std::string text = JoinCells(CellsOf(row.node, anchored));
      if (text.find_first_not_of(" |") == std::string::npos) continue;
      if (is_sheet) details.location.row = row.number;
      builder_.AddBlock(BlockKind::kTableRow, text, details);
      AddAnchored(anchored, details);
      const bool several_cells = text.find(" | ") != std::string::npos;
      if (row.header || (first && is_sheet && several_cells)) details.table_header = text;
      first = false;
    }
  }

  static std::vector<std::string> CellsOf(pugi::xml_node row, Paragraph& anchored) {
    std::vector<std::string> cells;
    std::size_t used = 0;  // cells up to the last one with text
    for (const pugi::xml_node cell : row.children()) {
      if (!Is(cell, "table-cell") && !Is(cell, "covered-table-cell")) continue;
      std::string text(Attribute(cell, "date-value"));
      if (text.empty()) text = CellText(cell, anchored);
      const std::uint32_t repeat =
          std::min(NumberAttribute(cell, "number-columns-repeated", 1), kMaxRepeat);
      const bool has_text = !text.empty();
      cells.insert(cells.end(), repeat, text);
      if (has_text) used = cells.size();
    }
    cells.resize(used);
    return cells;
  }

  static std::string CellText(pugi::xml_node parent, Paragraph& anchored) {
    std::string text;
    for (const pugi::xml_node node : parent.children()) {
      if (IsSkipped(node)) continue;
      std::string piece;
      if (Is(node, "annotation")) {
        anchored.notes.push_back(PlainText(node));
      } else if (Is(node, "p") || Is(node, "h")) {
        Paragraph paragraph;
        Gather(node, paragraph);
        piece = std::move(paragraph.text);
        std::move(paragraph.notes.begin(), paragraph.notes.end(),
                  std::back_inserter(anchored.notes));
        std::move(paragraph.boxes.begin(), paragraph.boxes.end(),
                  std::back_inserter(anchored.boxes));
      } else {
        piece = CellText(node, anchored);
      }
      if (!text.empty() && !piece.empty()) text.push_back(' ');
      text.append(piece);
    }
    return text;
  }

  // Headers and footers stand on every page; each distinct text is kept once, after the body.
  void ReadHeadersAndFooters() {
    const pugi::xml_document styles = package_.Parse("styles.xml");
    std::set<std::string> seen;
    for (const pugi::xml_node page : Descendant(styles, "master-styles").children()) {
      for (const pugi::xml_node node : page.children()) {
        const std::string_view name = LocalName(node);
        if (!name.starts_with("header") && !name.starts_with("footer")) continue;
        std::string text = PlainText(node);
        if (text.find_first_not_of(" \t\n0123456789") == std::string::npos) continue;
        if (seen.insert(text).second) builder_.AddBlock(BlockKind::kNote, text);
      }
    }
  }

  const ExtractLimits& limits_;
  OfficePackage package_;
  TextBuilder builder_{"odf/1"};
};

}  // namespace

Extraction ExtractOdt(std::string_view bytes, const ExtractRequest& request) {
  return {OdtReader(bytes, request.limits).Read(), {}};
}

}  // namespace sworn::indexer
