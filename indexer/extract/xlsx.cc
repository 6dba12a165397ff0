// XLSX (ECMA-376, SpreadsheetML): sheets in the order of the workbook, a block for each row.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/office_package.h"
#include "indexer/extract/xlsx_values.h"

namespace sworn::indexer {
namespace {

constexpr std::uint64_t kMaxCells = 2'000'000;
constexpr std::uint32_t kMaxSheetRows = 1'048'576;
constexpr std::size_t kHeaderWithinRows = 10;  // a header row stands near the top or not at all
constexpr std::size_t kMaxGapFactor = 8;       // rows emptier than this are written without gaps

struct Cell {
  std::uint32_t column = 0;
  std::string text;
  bool is_text = false;
};

struct Row {
  std::uint32_t number = 0;
  std::vector<Cell> cells;  // those with text, by column
};

// The text of a shared or inline string without its phonetic guide.
std::string StringText(pugi::xml_node item) {
  std::string text;
  for (const pugi::xml_node node : item.children()) {
    if (Is(node, "t")) text.append(node.child_value());
    if (Is(node, "r")) text.append(Child(node, "t").child_value());
  }
  return text;
}

std::string RelationId(pugi::xml_node sheet) {
  for (const pugi::xml_attribute attribute : sheet.attributes()) {
    if (std::string_view(attribute.name()).ends_with(":id")) return attribute.value();
  }
  return {};
}

bool IsTrue(std::string_view value) { return value == "1" || value == "true"; }

class XlsxReader {
 public:
  XlsxReader(std::string_view bytes, const ExtractLimits& limits)
      : limits_(limits), package_(bytes, limits) {}

  ExtractedText Read() {
    const std::string main_part = package_.MainPart("xl/workbook.xml");
    const pugi::xml_document document = package_.ParseRequired(main_part);
    const auto relations = package_.RelationsOf(main_part);
    const pugi::xml_node workbook = Child(document, "workbook");
    date1904_ = IsTrue(Attribute(Child(workbook, "workbookPr"), "date1904"));
    package_.ReadProperties(builder_);
    for (const auto& [id, relation] : relations) {
      if (relation.type == "sharedStrings") ReadSharedStrings(package_.Parse(relation.target));
      if (relation.type == "styles") kinds_ = KindsOfStyles(package_.Parse(relation.target));
    }
    std::uint32_t number = 0;
    for (const pugi::xml_node sheet : Child(workbook, "sheets").children()) {
      if (!Is(sheet, "sheet")) continue;
      if (++number > limits_.max_pages) {
        throw Error(ErrorCode::kTooLarge,
                    "has more than " + std::to_string(limits_.max_pages) + " sheets (max_pages)");
      }
      const std::string name(Attribute(sheet, "name"));
      if (Attribute(sheet, "state").find("idden") != std::string_view::npos) {
        builder_.AddWarning("sheet '" + name + "' is hidden");
      }
      const auto relation = relations.find(RelationId(sheet));
      if (relation == relations.end() || !package_.Has(relation->second.target)) {
        builder_.AddWarning("sheet '" + name + "' is missing");
      } else {
        ReadSheet(name, relation->second.target);
      }
    }
    return std::move(builder_).Finish();
  }

 private:
  void ReadSharedStrings(const pugi::xml_document& document) {
    for (const pugi::xml_node item : Child(document, "sst").children()) {
      if (Is(item, "si")) shared_strings_.push_back(StringText(item));
    }
  }

  void ReadSheet(const std::string& name, const std::string& part) {
    std::vector<Row> rows;
    {
      const pugi::xml_document document = package_.Parse(part);
      rows = ReadRows(Child(document.first_child(), "sheetData"));
    }
    BlockDetails details;
    details.location.sheet = name;
    if (!rows.empty()) {
      details.heading_level = 1;
      builder_.AddBlock(BlockKind::kHeading, name, details);
      details.heading_level = 0;
    }
    AddRows(rows, details);
    details = {};
    details.location.sheet = name;
    for (const auto& [id, relation] : package_.RelationsOf(part)) {
      if (!package_.Has(relation.target)) continue;
      if (relation.type == "comments") AddComments(package_.Parse(relation.target), details);
      if (relation.type == "drawing") AddDrawing(package_.Parse(relation.target), details);
    }
  }

  std::vector<Row> ReadRows(pugi::xml_node sheet_data) {
    std::vector<Row> rows;
    std::uint32_t number = 0;
    for (const pugi::xml_node node : sheet_data.children()) {
      if (!Is(node, "row")) continue;
      number = std::min(NumberAttribute(node, "r", number + 1), kMaxSheetRows);
      Row row{number, {}};
      std::uint32_t column = 0;
      for (const pugi::xml_node cell : node.children()) {
        if (!Is(cell, "c")) continue;
        if (++cells_ > kMaxCells) {
          throw Error(ErrorCode::kTooLarge,
                      "has more than " + std::to_string(kMaxCells) + " cells (kMaxCells)");
        }
        const std::uint32_t stated = ColumnOf(Attribute(cell, "r"));
        if (stated < kMaxSheetColumns) column = stated;
        Cell read = ReadCell(cell);
        text_bytes_ += read.text.size();  // many cells may share one long string
        if (text_bytes_ > kMaxTextBytes) {
          throw Error(ErrorCode::kTooLarge, "the text is larger than 64 MiB (kMaxTextBytes)");
        }
        read.column = column++;
        if (!read.text.empty()) row.cells.push_back(std::move(read));
      }
      if (!row.cells.empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

  Cell ReadCell(pugi::xml_node cell) const {
    const std::string_view type = Attribute(cell, "t");
    const std::string_view stored = Child(cell, "v").child_value();
    Cell read;
    read.is_text = type == "s" || type == "inlineStr" || type == "str";
    if (type == "s") {
      const std::size_t index = IndexOf(stored);
      if (index < shared_strings_.size()) read.text = shared_strings_[index];
    } else if (type == "inlineStr") {
      read.text = StringText(Child(cell, "is"));
    } else if (type == "b") {
      read.text = stored == "1" ? "TRUE" : "FALSE";
    } else if (type.empty() || type == "n") {
      const std::uint32_t style = NumberAttribute(cell, "s", 0);
      const NumberKind kind = style < kinds_.size() ? kinds_[style] : NumberKind::kPlain;
      read.text = FormatValue(stored, kind, date1904_);
    } else {  // "str", "e" (an error such as #DIV/0!), "d" (an ISO date)
      read.text = stored;
    }
    return read;
  }

  static std::size_t IndexOf(std::string_view digits) {
    std::size_t index = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9' || index > kMaxCells) return kMaxCells + 1;
      index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    return digits.empty() ? kMaxCells + 1 : index;
  }

  // The first row of several cells, all of them text, if rows follow it; rows.size() if none does.
  static std::size_t HeaderRow(const std::vector<Row>& rows) {
    for (std::size_t i = 0; i + 1 < rows.size() && i < kHeaderWithinRows; ++i) {
      const std::vector<Cell>& cells = rows[i].cells;
      if (cells.size() < 2) continue;
      const bool all_text =
          std::all_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.is_text; });
      return all_text ? i : rows.size();
    }
    return rows.size();
  }

  void AddRows(const std::vector<Row>& rows, BlockDetails details) {
    std::vector<bool> used(kMaxSheetColumns, false);
    for (const Row& row : rows) {
      for (const Cell& cell : row.cells) used[std::min(cell.column, kMaxSheetColumns - 1)] = true;
    }
    std::vector<std::size_t> rank(kMaxSheetColumns, 0);  // among the columns with any text
    for (std::size_t i = 1; i < rank.size(); ++i) rank[i] = rank[i - 1] + (used[i - 1] ? 1 : 0);

    const std::size_t header = HeaderRow(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row& row = rows[i];
      std::vector<std::string> texts;
      const std::size_t last = rank[std::min(row.cells.back().column, kMaxSheetColumns - 1)];
      const bool with_gaps = last < row.cells.size() * kMaxGapFactor;
      for (const Cell& cell : row.cells) {
        const std::size_t at = rank[std::min(cell.column, kMaxSheetColumns - 1)];
        if (with_gaps && at > texts.size()) texts.resize(at);
        texts.push_back(cell.text);
      }
      const std::string text = JoinCells(texts);
      details.location.row = row.number;
      builder_.AddBlock(BlockKind::kTableRow, text, details);
      if (i == header) details.table_header = text;
    }
  }

  void AddComments(const pugi::xml_document& document, const BlockDetails& where) {
    for (const pugi::xml_node comment : Descendant(document, "commentList").children()) {
      builder_.AddBlock(BlockKind::kNote, StringText(Child(comment, "text")), where);
    }
  }

  // Text boxes and shapes: each a:p below them.
  void AddDrawing(pugi::xml_node parent, const BlockDetails& where) {
    for (const pugi::xml_node node : parent.children()) {
      if (!Is(node, "p")) {
        AddDrawing(node, where);
        continue;
      }
      std::string text;
      for (const pugi::xml_node run : node.children()) text.append(Child(run, "t").child_value());
      builder_.AddBlock(BlockKind::kParagraph, text, where);
    }
  }

  const ExtractLimits& limits_;
  OfficePackage package_;
  TextBuilder builder_{"xlsx/1"};
  std::vector<std::string> shared_strings_;
  std::vector<NumberKind> kinds_;
  bool date1904_ = false;
  std::uint64_t cells_ = 0;
  std::uint64_t text_bytes_ = 0;
};

}  // namespace

Extraction ExtractXlsx(std::string_view bytes, const ExtractRequest& request) {
  return {XlsxReader(bytes, request.limits).Read(), {}};
}

}  // namespace sworn::indexer
