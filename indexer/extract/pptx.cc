// PPTX (ECMA-376, PresentationML): slides in the order of the presentation, with speaker's notes.
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/office_package.h"

namespace sworn::indexer {
namespace {

std::string PlaceholderOf(pugi::xml_node shape) {
  for (const pugi::xml_node properties : shape.children()) {
    const pugi::xml_node placeholder = Child(Child(properties, "nvPr"), "ph");
    if (!placeholder) continue;
    const std::string_view type = Attribute(placeholder, "type");
    return std::string(type.empty() ? "body" : type);
  }
  return {};
}

bool IsTitle(std::string_view placeholder) {
  return placeholder == "title" || placeholder == "ctrTitle";
}

// What the layout repeats on every slide.
bool IsFurniture(std::string_view placeholder) {
  return placeholder == "sldNum" || placeholder == "dt" || placeholder == "ftr" ||
         placeholder == "hdr" || placeholder == "sldImg";
}

std::string RunsBelow(pugi::xml_node parent) {
  std::string text;
  for (const pugi::xml_node node : parent.children()) {
    text.append(Is(node, "t") ? node.child_value() : RunsBelow(node));
  }
  return text;
}

std::string ParagraphText(pugi::xml_node paragraph) {
  std::string text;
  for (const pugi::xml_node node : paragraph.children()) {
    if (Is(node, "r") || Is(node, "fld")) {
      text.append(Child(node, "t").child_value());
    } else if (Is(node, "br")) {
      text.push_back('\n');
    } else if (Is(node, "AlternateContent")) {  // a formula; its drawn twin is left out
      const pugi::xml_node choice = Child(node, "Choice");
      text.append(RunsBelow(choice ? choice : node));
    }
  }
  return text;
}

std::vector<std::string> ParagraphsOf(pugi::xml_node text_body) {
  std::vector<std::string> paragraphs;
  for (const pugi::xml_node node : text_body.children()) {
    if (Is(node, "p")) paragraphs.push_back(ParagraphText(node));
  }
  return paragraphs;
}

std::string Joined(const std::vector<std::string>& paragraphs, char separator) {
  std::string text;
  for (const std::string& paragraph : paragraphs) {
    if (paragraph.empty()) continue;
    if (!text.empty()) text.push_back(separator);
    text.append(paragraph);
  }
  return text;
}

class PptxReader {
 public:
  PptxReader(std::string_view bytes, const ExtractLimits& limits)
      : limits_(limits), package_(bytes, limits) {}

  ExtractedText Read() {
    const std::string main_part = package_.MainPart("ppt/presentation.xml");
    const pugi::xml_document presentation = package_.ParseRequired(main_part);
    const auto relations = package_.RelationsOf(main_part);
    package_.ReadProperties(builder_);
    const pugi::xml_node list = Child(Child(presentation, "presentation"), "sldIdLst");
    for (const pugi::xml_node entry : list.children()) {
      if (!Is(entry, "sldId")) continue;
      if (++slide_ > limits_.max_pages) {
        throw Error(ErrorCode::kTooLarge,
                    "has more than " + std::to_string(limits_.max_pages) + " slides (max_pages)");
      }
      // Both attributes have the local name "id"; the relation's is the one with a prefix.
      const auto relation = relations.find(RelationId(entry));
      if (relation == relations.end() || !package_.Has(relation->second.target)) {
        builder_.AddWarning("slide " + std::to_string(slide_) + " is missing");
        continue;
      }
      ReadSlide(relation->second.target);
    }
    return std::move(builder_).Finish();
  }

 private:
  static std::string RelationId(pugi::xml_node entry) {
    for (const pugi::xml_attribute attribute : entry.attributes()) {
      if (std::string_view(attribute.name()).ends_with(":id")) return attribute.value();
    }
    return {};
  }

  BlockDetails Here() const {
    BlockDetails details;
    details.location.slide = slide_;
    return details;
  }

  void ReadSlide(const std::string& part) {
    const pugi::xml_document document = package_.Parse(part);
    const pugi::xml_node slide = Child(document, "sld");
    if (const std::string_view show = Attribute(slide, "show"); show == "0" || show == "false") {
      builder_.AddWarning("slide " + std::to_string(slide_) + " is hidden");
    }
    const pugi::xml_node shapes = Child(Child(slide, "cSld"), "spTree");
    AddShapes(shapes, true);
    AddShapes(shapes, false);
    for (const auto& [id, relation] : package_.RelationsOf(part)) {
      if (!package_.Has(relation.target)) continue;
      if (relation.type == "notesSlide") {
        AddNotes(Descendant(package_.Parse(relation.target), "spTree"));
      } else if (relation.type == "comments") {
        AddComments(package_.Parse(relation.target));
      } else if (relation.type == "diagramData") {
        AddDiagram(package_.Parse(relation.target));
      }
    }
  }

  // Titles stand first, wherever the author drew them.
  void AddShapes(pugi::xml_node parent, bool titles) {
    for (pugi::xml_node node : parent.children()) {
      if (Is(node, "AlternateContent")) {
        const pugi::xml_node choice = Child(node, "Choice");
        AddShapes(choice ? choice : Child(node, "Fallback"), titles);
      } else if (Is(node, "grpSp")) {
        AddShapes(node, titles);
      } else if (Is(node, "graphicFrame") && !titles) {
        AddTable(Descendant(node, "tbl"));
      } else if (Is(node, "sp")) {
        AddShape(node, titles);
      }
    }
  }

  void AddShape(pugi::xml_node shape, bool titles) {
    const std::string placeholder = PlaceholderOf(shape);
    if (IsTitle(placeholder) != titles || IsFurniture(placeholder)) return;
    const std::vector<std::string> paragraphs = ParagraphsOf(Child(shape, "txBody"));
    BlockDetails details = Here();
    if (titles) {
      details.heading_level = 1;
      builder_.AddBlock(BlockKind::kHeading, Joined(paragraphs, ' '), details);
      return;
    }
    const bool list = placeholder == "body" || placeholder == "obj";
    const bool several = list && paragraphs.size() > 1;
    for (const std::string& paragraph : paragraphs) {
      builder_.AddBlock(several ? BlockKind::kListItem : BlockKind::kParagraph, paragraph, details);
    }
  }

  void AddTable(pugi::xml_node table) {
    BlockDetails details = Here();
    const std::string_view first_row = Attribute(Child(table, "tblPr"), "firstRow");
    bool header = first_row == "1" || first_row == "true";
    for (const pugi::xml_node row : table.children()) {
      if (!Is(row, "tr")) continue;
      std::vector<std::string> cells;
      for (const pugi::xml_node cell : row.children()) {
        if (Is(cell, "tc")) cells.push_back(Joined(ParagraphsOf(Child(cell, "txBody")), ' '));
      }
      const std::string text = JoinCells(cells);
      if (text.find_first_not_of(" |") == std::string::npos) continue;
      builder_.AddBlock(BlockKind::kTableRow, text, details);
      if (header) details.table_header = text;
      header = false;
    }
  }

  void AddNotes(pugi::xml_node shapes) {
    for (const pugi::xml_node shape : shapes.children()) {
      if (!Is(shape, "sp") || IsFurniture(PlaceholderOf(shape))) continue;
      builder_.AddBlock(BlockKind::kNote, Joined(ParagraphsOf(Child(shape, "txBody")), '\n'),
                        Here());
    }
  }

  void AddComments(const pugi::xml_document& document) {
    for (const pugi::xml_node comment : document.first_child().children()) {
      const pugi::xml_node body = Child(comment, "txBody");
      const std::string text = body ? Joined(ParagraphsOf(body), '\n')
                                    : std::string(Child(comment, "text").child_value());
      builder_.AddBlock(BlockKind::kNote, text, Here());
    }
  }

  void AddDiagram(const pugi::xml_document& document) {
    for (const pugi::xml_node point : Descendant(document, "ptLst").children()) {
      builder_.AddBlock(BlockKind::kParagraph, Joined(ParagraphsOf(Child(point, "t")), '\n'),
                        Here());
    }
  }

  const ExtractLimits& limits_;
  OfficePackage package_;
  TextBuilder builder_{"pptx/1"};
  std::uint32_t slide_ = 0;
};

}  // namespace

Extraction ExtractPptx(std::string_view bytes, const ExtractRequest& request) {
  return {PptxReader(bytes, request.limits).Read(), {}};
}

}  // namespace sworn::indexer
