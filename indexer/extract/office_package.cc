#include "indexer/extract/office_package.h"

#include <charconv>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace sworn::indexer {
namespace {

constexpr std::string_view kOleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

bool IsXmlPart(std::string_view name) {
  return name.ends_with(".xml") || name.ends_with(".rels") || name == "mimetype";
}

// Walks without recursion: the depth is what is in question.
void CheckDepth(const pugi::xml_document& document, std::string_view part) {
  int depth = 0;
  pugi::xml_node node = document.first_child();
  while (node) {
    if (node.first_child()) {
      if (++depth > kMaxXmlDepth) {
        throw Error(ErrorCode::kTooLarge, "XML in '" + std::string(part) +
                                              "' is nested deeper than " +
                                              std::to_string(kMaxXmlDepth) + " (kMaxXmlDepth)");
      }
      node = node.first_child();
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node) node = node.next_sibling();
  }
}

// "../media/x.xml" relative to "ppt/slides/slide1.xml" is "ppt/media/x.xml".
std::string ResolveTarget(std::string_view source_part, std::string_view target) {
  std::vector<std::string_view> segments;
  const auto add = [&](std::string_view path) {
    while (!path.empty()) {
      const std::size_t slash = path.find('/');
      const std::string_view segment = path.substr(0, slash);
      path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
      if (segment.empty() || segment == ".") continue;
      if (segment != "..") {
        segments.push_back(segment);
      } else if (!segments.empty()) {
        segments.pop_back();
      }
    }
  };
  const std::size_t slash = source_part.rfind('/');
  if (!target.starts_with('/') && slash != std::string_view::npos) {
    add(source_part.substr(0, slash));
  }
  add(target);
  std::string path;
  for (const std::string_view segment : segments) {
    if (!path.empty()) path.push_back('/');
    path.append(segment);
  }
  return path;
}

std::string_view AfterLast(std::string_view text, char separator) {
  return text.substr(text.rfind(separator) + 1);
}

}  // namespace

std::string_view LocalName(pugi::xml_node node) { return AfterLast(node.name(), ':'); }

std::string_view Attribute(pugi::xml_node node, std::string_view local_name) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (AfterLast(attribute.name(), ':') == local_name) return attribute.value();
  }
  return {};
}

std::uint32_t NumberAttribute(pugi::xml_node node, std::string_view local_name,
                              std::uint32_t otherwise) {
  const std::string_view text = Attribute(node, local_name);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

pugi::xml_node Child(pugi::xml_node node, std::string_view local_name) {
  for (const pugi::xml_node child : node.children()) {
    if (Is(child, local_name)) return child;
  }
  return {};
}

pugi::xml_node Descendant(pugi::xml_node node, std::string_view local_name) {
  return node.find_node([&](pugi::xml_node n) { return Is(n, local_name); });
}

OfficePackage::OfficePackage(std::string_view bytes, const ExtractLimits& limits) {
  // Office wraps a document with a password into an OLE2 container.
  if (bytes.starts_with(kOleMagic)) {
    throw Error(ErrorCode::kDenied, "encrypted: needs a password");
  }
  members_ = ReadZipMembers(bytes, limits, &IsXmlPart);
}

pugi::xml_document OfficePackage::Parse(std::string_view part) {
  pugi::xml_document document;
  const auto member = members_.find(part);
  if (member == members_.end()) return document;
  std::string content = std::move(member->second);
  if (content.size() > kMaxXmlPartBytes) {
    throw Error(ErrorCode::kTooLarge,
                "XML in '" + std::string(part) + "' is larger than 64 MiB (kMaxXmlPartBytes)");
  }
  const pugi::xml_parse_result result = document.load_buffer(
      content.data(), content.size(), pugi::parse_default | pugi::parse_ws_pcdata);
  if (result.status == pugi::status_out_of_memory) {
    throw Error(ErrorCode::kTooLarge, "XML in '" + std::string(part) +
                                          "' needs too much memory (max_worker_memory_bytes)");
  }
  if (!result) {
    throw Error(ErrorCode::kIntegrity, "corrupt XML in '" + std::string(part) + "'");
  }
  CheckDepth(document, part);
  return document;
}

pugi::xml_document OfficePackage::ParseRequired(std::string_view part) {
  if (!Has(part)) {
    throw Error(ErrorCode::kIntegrity, "corrupt document: '" + std::string(part) + "' is missing");
  }
  return Parse(part);
}

std::map<std::string, Relation, std::less<>> OfficePackage::RelationsOf(std::string_view part) {
  const std::size_t slash = part.rfind('/');
  const std::string folder(slash == std::string_view::npos ? "" : part.substr(0, slash + 1));
  const std::string name = folder + "_rels/" + std::string(AfterLast(part, '/')) + ".rels";
  const pugi::xml_document document = Parse(name);
  std::map<std::string, Relation, std::less<>> relations;
  for (const pugi::xml_node node : document.first_child().children()) {
    if (!Is(node, "Relationship")) continue;
    const bool external = Attribute(node, "TargetMode") == "External";
    const std::string_view target = Attribute(node, "Target");
    relations.emplace(std::string(Attribute(node, "Id")),
                      Relation{std::string(AfterLast(Attribute(node, "Type"), '/')),
                               external ? std::string(target) : ResolveTarget(part, target)});
  }
  return relations;
}

std::string OfficePackage::MainPart(std::string_view usual) {
  for (const auto& [id, relation] : RelationsOf("")) {
    if (relation.type == "officeDocument" && Has(relation.target)) return relation.target;
  }
  return std::string(usual);
}

void OfficePackage::ReadProperties(TextBuilder& builder) {
  const pugi::xml_document document = Parse("docProps/core.xml");
  for (const pugi::xml_node node : document.first_child().children()) {
    const std::string_view name = LocalName(node);
    const std::string_view value = node.child_value();
    if (name == "title") builder.SetTitle(value);
    if (name == "creator") builder.SetMetadata("author", value);
    if (name == "subject") builder.SetMetadata("subject", value);
    if (name == "keywords") builder.SetMetadata("keywords", value);
    if (name == "modified") builder.SetMetadata("date", Rfc3339OrEmpty(value));
    if (name == "created") builder.SetMetadata("created", Rfc3339OrEmpty(value));
  }
}

std::string Rfc3339OrEmpty(std::string_view iso_time) {
  std::string text(iso_time);
  // ODF writes local times without a zone; they are taken as UTC.
  constexpr std::size_t kTimeAt = 11;
  const std::size_t t = text.find('T');
  if (t != std::string::npos && text.find_first_of("Zz+-", kTimeAt) == std::string::npos) {
    text.push_back('Z');
  }
  try {
    return FormatRfc3339(ParseRfc3339(text));
  } catch (const Error&) {
    return {};
  }
}

}  // namespace sworn::indexer
