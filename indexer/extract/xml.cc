// XML without a known vocabulary: an element with text of its own is a paragraph.
#include <string>
#include <utility>

#include <pugixml.hpp>

#include "core/error.h"
#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/html_text.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

bool IsText(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

bool HasOwnText(const pugi::xml_node& element) {
  for (const pugi::xml_node& child : element.children()) {
    if (IsText(child) &&
        std::string_view(child.value()).find_first_not_of(" \t\r\n") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

// The node after `node` in document order that is not below it; null at the end of `top`.
pugi::xml_node NextBeside(pugi::xml_node node, const pugi::xml_node& top) {
  while (node && node != top) {
    if (const pugi::xml_node sibling = node.next_sibling()) return sibling;
    node = node.parent();
  }
  return {};
}

pugi::xml_node NextBelowOrBeside(const pugi::xml_node& node, const pugi::xml_node& top) {
  if (const pugi::xml_node child = node.first_child()) return child;
  return NextBeside(node, top);
}

// White space runs become one space: line breaks in XML are layout of the file.
std::string TextBelow(const pugi::xml_node& element) {
  std::string text;
  for (pugi::xml_node node = element.first_child(); node; node = NextBelowOrBeside(node, element)) {
    if (!IsText(node)) continue;
    for (const char c : std::string_view(node.value())) {
      const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
      if (!space) {
        text.push_back(c);
      } else if (!text.empty() && text.back() != ' ') {
        text.push_back(' ');
      }
    }
  }
  return text;
}

// Without recursion: a hostile document may nest as deep as it is long.
void AddElements(const pugi::xml_document& document, TextBuilder& builder) {
  pugi::xml_node node = document.first_child();
  while (node) {
    if (node.type() == pugi::node_element && HasOwnText(node)) {
      builder.AddBlock(BlockKind::kParagraph, TextBelow(node));
      node = NextBeside(node, document);
    } else {
      node = NextBelowOrBeside(node, document);
    }
  }
}

}  // namespace

Extraction ExtractXml(std::string_view bytes, const ExtractRequest& request) {
  const DecodedText decoded = DecodeText(bytes, DeclaredHtmlCharset(bytes));
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(decoded.utf8.data(), decoded.utf8.size(),
                           pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
  if (parsed.status == pugi::status_out_of_memory) {
    throw Error(ErrorCode::kTooLarge, "ran out of memory (max_worker_memory_bytes)");
  }
  if (!parsed) throw Error(ErrorCode::kIntegrity, "damaged: not well-formed XML");
  if (std::string_view(document.document_element().name()) == "html") {
    return ExtractHtml(bytes, request);
  }
  TextBuilder builder("xml/pugixml-1.13");
  builder.AddInvalid(decoded.invalid);
  AddElements(document, builder);
  return {std::move(builder).Finish(), {}};
}

}  // namespace sworn::indexer
