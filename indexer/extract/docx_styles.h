// What word/styles.xml and word/numbering.xml say about a paragraph. Internal to docx.cc.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <pugixml.hpp>

namespace sworn::indexer {

inline constexpr std::size_t kDocxListLevels = 9;

struct DocxParagraphStyle {
  std::uint8_t heading_level = 0;  // 1 to 6, 0 if it is no heading
  std::string num_id;              // of the list it belongs to; empty or "0" if to none
  std::uint32_t list_level = 0;
};

/// Paragraph styles, with what they inherit through basedOn.
class DocxStyles {
 public:
  explicit DocxStyles(const pugi::xml_document& styles);

  /// Style and direct formatting of a w:p together.
  [[nodiscard]] DocxParagraphStyle Of(pugi::xml_node paragraph) const;

 private:
  struct Style {
    std::string name;  // lower case
    std::string based_on;
    std::uint32_t outline_level = 0;
    std::string num_id;
    std::uint32_t list_level = 0;
  };

  std::map<std::string, Style, std::less<>> styles_;
  std::string default_style_;
};

/// The counters of automatic lists; ask once per paragraph, in document order.
class DocxNumbering {
 public:
  explicit DocxNumbering(const pugi::xml_document& numbering);

  /// "3.2.1 ", "(a) ", "• "; empty if the list is unknown or prints nothing.
  std::string NextLabel(const std::string& num_id, std::uint32_t level);

 private:
  struct Level {
    std::string format = "decimal";
    std::string text;
    std::uint32_t start = 1;
  };
  struct List {
    std::array<Level, kDocxListLevels> levels;
    std::array<std::uint32_t, kDocxListLevels> counters{};  // 0: not begun
  };
  struct Instance {
    std::string list_id;
    std::map<std::uint32_t, std::uint32_t> start_overrides;  // level -> start
    bool used = false;
  };

  std::map<std::string, List, std::less<>> lists_;
  std::map<std::string, Instance, std::less<>> instances_;
};

/// 4 as "iv"; 4000 and more as decimal.
std::string LowerRoman(std::uint32_t number);

/// 1 as "a", 26 as "z", 27 as "aa" (as Word counts); 781 and more as decimal.
std::string LowerLetters(std::uint32_t number);

}  // namespace sworn::indexer
