// DOCX (ECMA-376, WordprocessingML): paragraphs, lists, tables and notes in document order.
#include <algorithm>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "indexer/extract/docx_styles.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/office_package.h"

namespace sworn::indexer {
namespace {

// What a w:p holds, besides its style.
struct Paragraph {
  std::string text;
  std::uint32_t breaks_before = 0;  // page breaks before its first character
  std::uint32_t breaks_inside = 0;
  std::vector<std::string> notes;     // keys of notes it refers to, "footnotes/3"
  std::vector<pugi::xml_node> boxes;  // text boxes anchored in it
  bool hidden = false;                // has runs that Word does not show
};

bool IsDeleted(pugi::xml_node node) {
  const std::string_view name = LocalName(node);
  return name == "del" || name == "moveFrom" || name == "delText" || name == "delInstrText";
}

// Of alternatives that draw the same thing, the first one.
pugi::xml_node Alternative(pugi::xml_node node) {
  const pugi::xml_node choice = Child(node, "Choice");
  return choice ? choice : Child(node, "Fallback");
}

class ParagraphReader {
 public:
  explicit ParagraphReader(bool rendered_breaks) : rendered_breaks_(rendered_breaks) {}

  Paragraph Read(pugi::xml_node node) const {
    Paragraph paragraph;
    Gather(node, paragraph);
    return paragraph;
  }

 private:
  void Gather(pugi::xml_node parent, Paragraph& out) const {
    for (const pugi::xml_node node : parent.children()) GatherNode(node, out);
  }

  void GatherNode(pugi::xml_node node, Paragraph& out) const {
    const std::string_view name = LocalName(node);
    if (IsDeleted(node) || name == "pPr" || name == "instrText" || name == "rt") return;
    if (name == "t") {
      out.text.append(node.child_value());
    } else if (name == "rPr") {
      if (const pugi::xml_node hidden = Child(node, "vanish")) {
        const std::string_view value = Attribute(hidden, "val");
        if (value != "0" && value != "false") out.hidden = true;
      }
    } else if (name == "tab" || name == "ptab") {
      out.text.push_back('\t');
    } else if (name == "cr") {
      out.text.push_back('\n');
    } else if (name == "noBreakHyphen") {
      out.text.append("\u2011");
    } else if (name == "br") {
      GatherBreak(node, out);
    } else if (name == "lastRenderedPageBreak") {
      if (rendered_breaks_) AddPageBreak(out);
    } else if (name == "footnoteReference" || name == "endnoteReference" ||
               name == "commentReference") {
      const std::string kind(name.substr(0, name.size() - std::string_view("Reference").size()));
      out.notes.push_back(kind + "s/" + std::string(Attribute(node, "id")));
    } else if (name == "txbxContent") {
      out.boxes.push_back(node);
    } else if (name == "AlternateContent") {
      Gather(Alternative(node), out);
    } else {
      Gather(node, out);
    }
  }

  // Word also marks where a page that begins with a break was rendered: one of the two counts.
  void GatherBreak(pugi::xml_node node, Paragraph& out) const {
    if (Attribute(node, "type") != "page") {
      out.text.push_back('\n');
    } else if (!rendered_breaks_) {
      AddPageBreak(out);
    }
  }

  static void AddPageBreak(Paragraph& out) {
    if (out.text.empty()) {
      ++out.breaks_before;
    } else {
      ++out.breaks_inside;
      out.text.push_back('\n');
    }
  }

  bool rendered_breaks_;
};

class DocxReader {
 public:
  DocxReader(std::string_view bytes, const ExtractLimits& limits)
      : limits_(limits),
        package_(bytes, limits),
        main_part_(package_.MainPart("word/document.xml")),
        document_(package_.ParseRequired(main_part_)),
        styles_(package_.Parse("word/styles.xml")),
        numbering_(package_.Parse("word/numbering.xml")),
        rendered_breaks_(static_cast<bool>(Descendant(document_, "lastRenderedPageBreak"))),
        paragraphs_(rendered_breaks_) {}

  ExtractedText Read() {
    for (const char* kind : {"footnotes", "endnotes", "comments"}) ReadNotes(kind);
    package_.ReadProperties(builder_);
    const pugi::xml_node body = Child(Child(document_, "document"), "body");
    if (!body) throw Error(ErrorCode::kIntegrity, "corrupt document: it has no body");
    WalkBlocks(body);
    ReadHeadersAndFooters();
    if (rendered_breaks_) builder_.SetPageCount(page_);
    if (hidden_) builder_.AddWarning("has text that is formatted as hidden");
    return std::move(builder_).Finish();
  }

 private:
  void ReadNotes(const std::string& kind) {
    note_parts_.push_back(package_.Parse("word/" + kind + ".xml"));
    for (const pugi::xml_node note : note_parts_.back().first_child().children()) {
      const std::string_view type = Attribute(note, "type");
      if (type == "separator" || type.starts_with("continuation")) continue;
      notes_.emplace(kind + "/" + std::string(Attribute(note, "id")), note);
    }
  }

  // Headers and footers stand on every page; each distinct text is kept once, after the body.
  void ReadHeadersAndFooters() {
    std::set<std::string> seen;
    for (const auto& [id, relation] : package_.RelationsOf(main_part_)) {
      if (relation.type != "header" && relation.type != "footer") continue;
      const pugi::xml_document part = package_.Parse(relation.target);
      std::string text = PlainText(part);
      if (text.find_first_not_of(" \t\n0123456789") == std::string::npos) continue;
      if (seen.insert(text).second) builder_.AddBlock(BlockKind::kNote, text);
    }
  }

  void WalkBlocks(pugi::xml_node parent) {
    for (const pugi::xml_node node : parent.children()) {
      if (IsDeleted(node)) continue;
      if (Is(node, "p")) {
        AddParagraph(node);
      } else if (Is(node, "tbl")) {
        AddTable(node);
      } else if (Is(node, "AlternateContent")) {
        WalkBlocks(Alternative(node));
      } else if (Is(node, "altChunk")) {
        builder_.AddWarning("an embedded document (altChunk) is not read");
      } else {
        WalkBlocks(node);  // w:sdt, w:sdtContent, w:ins, w:customXml, ...
      }
    }
  }

  void AddParagraph(pugi::xml_node node) {
    const Paragraph paragraph = paragraphs_.Read(node);
    hidden_ = hidden_ || paragraph.hidden;
    TurnPages(paragraph.breaks_before);
    BlockDetails details;
    SetPages(details.location, paragraph.breaks_inside);
    if (paragraph.text.find_first_not_of(" \t\n") != std::string::npos) {
      const DocxParagraphStyle style = styles_.Of(node);
      const std::string label = numbering_.NextLabel(style.num_id, style.list_level);
      details.heading_level = style.heading_level;
      const BlockKind kind = style.heading_level > 0 ? BlockKind::kHeading
                             : label.empty()         ? BlockKind::kParagraph
                                                     : BlockKind::kListItem;
      builder_.AddBlock(kind, label + paragraph.text, details);
    }
    AddAnchored(paragraph);
    TurnPages(paragraph.breaks_inside);
  }

  // Text boxes and notes follow the paragraph that they are anchored in.
  void AddAnchored(const Paragraph& paragraph) {
    for (const pugi::xml_node box : paragraph.boxes) WalkBlocks(box);
    for (const std::string& key : paragraph.notes) {
      const auto note = notes_.extract(key);
      if (note.empty()) continue;
      BlockDetails details;
      SetPages(details.location, 0);
      builder_.AddBlock(BlockKind::kNote, PlainText(note.mapped()), details);
    }
  }

  void AddTable(pugi::xml_node table) {
    std::vector<pugi::xml_node> rows;
    std::size_t most_cells = 0;
    CollectRows(table, rows);
    for (const pugi::xml_node row : rows) {
      std::vector<pugi::xml_node> cells;
      CollectCells(row, cells);
      most_cells = std::max(most_cells, cells.size());
    }
    std::string header;
    for (const pugi::xml_node row : rows) {
      std::vector<pugi::xml_node> cells;
      CollectCells(row, cells);
      if (most_cells == 1) {  // a frame, not a table
        for (const pugi::xml_node cell : cells) WalkBlocks(cell);
        continue;
      }
      const std::string text = AddRow(cells, header);
      const bool is_header = row == rows.front() && rows.size() > 1 &&
                             (Child(Child(row, "trPr"), "tblHeader") || FirstRowIsHeader(table));
      if (is_header) header = text;
    }
  }

  // Word's own tables say so in tblLook, as an attribute or as bit 0x20 of a hexadecimal value.
  static bool FirstRowIsHeader(pugi::xml_node table) {
    const pugi::xml_node look = Child(Child(table, "tblPr"), "tblLook");
    if (const std::string_view first = Attribute(look, "firstRow"); !first.empty()) {
      return first == "1" || first == "true";
    }
    const std::string_view value = Attribute(look, "val");
    constexpr std::size_t kDigits = 4;
    return value.size() == kDigits &&
           std::string_view("2367abefABEF").find(value[2]) != std::string_view::npos;
  }

  std::string AddRow(const std::vector<pugi::xml_node>& cells, const std::string& header) {
    std::vector<std::string> texts;
    texts.reserve(cells.size());
    Paragraph anchored;
    std::uint32_t breaks = 0;
    for (const pugi::xml_node cell : cells) {
      texts.push_back(CellText(cell, anchored, breaks));
    }
    std::string row = JoinCells(texts);
    BlockDetails details;
    details.table_header = header;
    SetPages(details.location, breaks);
    if (row.find_first_not_of(" |") != std::string::npos) {
      builder_.AddBlock(BlockKind::kTableRow, row, details);
    }
    AddAnchored(anchored);
    TurnPages(breaks);
    return row;
  }

  // All paragraphs of a cell, those of tables inside it too.
  std::string CellText(pugi::xml_node parent, Paragraph& anchored, std::uint32_t& breaks) {
    std::string text;
    const auto append = [&text](const std::string& more) {
      if (more.empty()) return;
      if (!text.empty()) text.push_back(' ');
      text.append(more);
    };
    for (const pugi::xml_node node : parent.children()) {
      if (IsDeleted(node)) continue;
      if (!Is(node, "p")) {
        append(CellText(Is(node, "AlternateContent") ? Alternative(node) : node, anchored, breaks));
        continue;
      }
      Paragraph paragraph = paragraphs_.Read(node);
      hidden_ = hidden_ || paragraph.hidden;
      breaks += paragraph.breaks_before + paragraph.breaks_inside;
      if (!paragraph.text.empty()) {
        const DocxParagraphStyle style = styles_.Of(node);
        append(numbering_.NextLabel(style.num_id, style.list_level) + paragraph.text);
      }
      anchored.boxes.insert(anchored.boxes.end(), paragraph.boxes.begin(), paragraph.boxes.end());
      anchored.notes.insert(anchored.notes.end(), paragraph.notes.begin(), paragraph.notes.end());
    }
    return text;
  }

  // Rows may stand in content controls and in tracked insertions.
  static void CollectRows(pugi::xml_node parent, std::vector<pugi::xml_node>& rows) {
    for (const pugi::xml_node node : parent.children()) {
      if (IsDeleted(node)) continue;
      if (!Is(node, "tr")) {
        CollectRows(node, rows);
      } else if (!Child(Child(node, "trPr"), "del")) {
        rows.push_back(node);
      }
    }
  }

  static void CollectCells(pugi::xml_node parent, std::vector<pugi::xml_node>& cells) {
    for (const pugi::xml_node node : parent.children()) {
      if (IsDeleted(node)) continue;
      if (!Is(node, "tc")) {
        CollectCells(node, cells);
      } else if (!Child(Child(node, "tcPr"), "cellDel")) {
        cells.push_back(node);
      }
    }
  }

  // The text of a note, header or footer; what is anchored inside it is left out.
  std::string PlainText(pugi::xml_node parent) const {
    std::string text;
    for (const pugi::xml_node node : parent.children()) {
      if (IsDeleted(node)) continue;
      const std::string piece = Is(node, "p") ? paragraphs_.Read(node).text : PlainText(node);
      if (piece.empty()) continue;
      if (!text.empty()) text.push_back('\n');
      text.append(piece);
    }
    return text;
  }

  void TurnPages(std::uint32_t breaks) {
    for (; breaks > 0; --breaks) {
      builder_.EndPage();
      if (++page_ > limits_.max_pages) {
        throw Error(ErrorCode::kTooLarge,
                    "has more than " + std::to_string(limits_.max_pages) + " pages (max_pages)");
      }
    }
  }

  // Page numbers are known only where Word noted how it broke the pages.
  void SetPages(Location& location, std::uint32_t breaks_inside) const {
    if (!rendered_breaks_) return;
    location.page = page_;
    if (breaks_inside > 0) location.page_end = page_ + breaks_inside;
  }

  const ExtractLimits& limits_;
  OfficePackage package_;
  std::string main_part_;
  pugi::xml_document document_;
  DocxStyles styles_;
  DocxNumbering numbering_;
  bool rendered_breaks_;
  ParagraphReader paragraphs_;
  std::list<pugi::xml_document> note_parts_;
  std::map<std::string, pugi::xml_node, std::less<>> notes_;
  TextBuilder builder_{"docx/1"};
  std::uint32_t page_ = 1;
  bool hidden_ = false;
};

}  // namespace

Extraction ExtractDocx(std::string_view bytes, const ExtractRequest& request) {
  return {DocxReader(bytes, request.limits).Read(), {}};
}

}  // namespace sworn::indexer
