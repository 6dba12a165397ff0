// What docx, pptx, xlsx and odt share: XML parts in a ZIP container, relationships, properties.
//
// Internal to indexer/extract, since it speaks of pugixml. Names are compared without their
// namespace prefix ("w:p" is "p"), because a writer is free to choose prefixes. No DTD is read and
// no entity beyond XML's five is expanded.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "indexer/extract/text_builder.h"
#include "indexer/extract/zip_reader.h"

namespace sworn::indexer {

inline constexpr int kMaxXmlDepth = 256;
inline constexpr std::size_t kMaxXmlPartBytes = 64UL * kMebibyte;

/// The name after the prefix.
std::string_view LocalName(pugi::xml_node node);
inline bool Is(pugi::xml_node node, std::string_view local_name) {
  return LocalName(node) == local_name;
}

/// The value of the first attribute with that local name, "" if there is none.
std::string_view Attribute(pugi::xml_node node, std::string_view local_name);

/// An attribute as an unsigned number; `otherwise` if absent, malformed or out of range.
std::uint32_t NumberAttribute(pugi::xml_node node, std::string_view local_name,
                              std::uint32_t otherwise);

/// The first child with that local name; null node if there is none.
pugi::xml_node Child(pugi::xml_node node, std::string_view local_name);

/// The first descendant with that local name, in document order; null node if there is none.
pugi::xml_node Descendant(pugi::xml_node node, std::string_view local_name);

struct Relation {
  std::string type;    // the last segment of its URI: "slide", "comments"
  std::string target;  // path inside the container; a URL if external
};

/// The XML parts of one file. Not thread-safe.
class OfficePackage {
 public:
  /// Throws as ReadZipMembers does, and kDenied for an encrypted document (an OLE2 container).
  OfficePackage(std::string_view bytes, const ExtractLimits& limits);

  [[nodiscard]] bool Has(std::string_view part) const { return members_.contains(part); }

  /// The parsed part; an empty document if there is no such part. The part's bytes are freed.
  /// Throws kIntegrity ("corrupt XML in 'PART'") and kTooLarge (depth, size or memory).
  pugi::xml_document Parse(std::string_view part);

  /// As Parse, but kIntegrity if there is no such part.
  pugi::xml_document ParseRequired(std::string_view part);

  /// Relationships of a part by their id; empty if it has none.
  std::map<std::string, Relation, std::less<>> RelationsOf(std::string_view part);

  /// The part that the package's own relationships call the main document, `usual` if none does.
  std::string MainPart(std::string_view usual);

  /// Title, author and dates of docProps/core.xml.
  void ReadProperties(TextBuilder& builder);

 private:
  ZipMembers members_;
};

/// "2024-01-31T09:05:00Z" or a similar ISO time as RFC 3339 in UTC; empty if it is none.
std::string Rfc3339OrEmpty(std::string_view iso_time);

}  // namespace sworn::indexer
