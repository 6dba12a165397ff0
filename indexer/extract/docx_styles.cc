#include "indexer/extract/docx_styles.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "indexer/extract/office_package.h"

namespace sworn::indexer {
namespace {

constexpr std::uint32_t kBodyText = 9;  // the outline level that means "no heading"
constexpr int kMaxInheritance = 16;
constexpr std::uint32_t kMaxHeadingLevel = 6;
constexpr std::uint32_t kMaxCounter = 1'000'000;

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string UpperAscii(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// "heading 2" -> 2, "title" -> 1, else 0. Word keeps these names in English in every language.
std::uint8_t LevelOfName(std::string_view lower_name) {
  constexpr std::string_view kHeading = "heading ";
  if (lower_name == "title") return 1;
  if (!lower_name.starts_with(kHeading) || lower_name.size() != kHeading.size() + 1) return 0;
  const char digit = lower_name.back();
  if (digit < '1' || digit > '9') return 0;
  return static_cast<std::uint8_t>(
      std::min<std::uint32_t>(static_cast<std::uint32_t>(digit - '0'), kMaxHeadingLevel));
}

std::uint8_t LevelOfOutline(std::uint32_t outline_level) {
  if (outline_level >= kBodyText) return 0;
  return static_cast<std::uint8_t>(std::min(outline_level + 1, kMaxHeadingLevel));
}

std::string FormatNumber(std::uint32_t number, std::string_view format) {
  if (format == "lowerRoman") return LowerRoman(number);
  if (format == "upperRoman") return UpperAscii(LowerRoman(number));
  if (format == "lowerLetter") return LowerLetters(number);
  if (format == "upperLetter") return UpperAscii(LowerLetters(number));
  if (format == "decimalZero" && number < 10) return "0" + std::to_string(number);
  return std::to_string(number);
}

}  // namespace

std::string LowerRoman(std::uint32_t number) {
  if (number == 0 || number >= 4000) return std::to_string(number);
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 13> kDigits = {{{1000, "m"},
                                                                                   {900, "cm"},
                                                                                   {500, "d"},
                                                                                   {400, "cd"},
                                                                                   {100, "c"},
                                                                                   {90, "xc"},
                                                                                   {50, "l"},
                                                                                   {40, "xl"},
                                                                                   {10, "x"},
                                                                                   {9, "ix"},
                                                                                   {5, "v"},
                                                                                   {4, "iv"},
                                                                                   {1, "i"}}};
  std::string roman;
  for (const auto& [value, digits] : kDigits) {
    for (; number >= value; number -= value) roman.append(digits);
  }
  return roman;
}

std::string LowerLetters(std::uint32_t number) {
  constexpr std::uint32_t kLetters = 26;
  if (number == 0 || number > 30 * kLetters) return std::to_string(number);
  return std::string((number - 1) / kLetters + 1, static_cast<char>('a' + (number - 1) % kLetters));
}

DocxStyles::DocxStyles(const pugi::xml_document& styles) {
  for (const pugi::xml_node node : Child(styles, "styles").children()) {
    if (!Is(node, "style") || Attribute(node, "type") != "paragraph") continue;
    Style style;
    style.name = LowerAscii(Attribute(Child(node, "name"), "val"));
    style.based_on = Attribute(Child(node, "basedOn"), "val");
    const pugi::xml_node properties = Child(node, "pPr");
    // Absent (level kBodyText + 1) is inherited, kBodyText is not.
    style.outline_level = NumberAttribute(Child(properties, "outlineLvl"), "val", kBodyText + 1);
    const pugi::xml_node list = Child(properties, "numPr");
    style.num_id = Attribute(Child(list, "numId"), "val");
    style.list_level = NumberAttribute(Child(list, "ilvl"), "val", 0);
    const std::string id(Attribute(node, "styleId"));
    if (Attribute(node, "default") == "1") default_style_ = id;
    styles_.emplace(id, std::move(style));
  }
}

DocxParagraphStyle DocxStyles::Of(pugi::xml_node paragraph) const {
  const pugi::xml_node properties = Child(paragraph, "pPr");
  DocxParagraphStyle result;
  bool level_known = false;
  bool list_known = false;
  const std::uint32_t direct_outline =
      NumberAttribute(Child(properties, "outlineLvl"), "val", kBodyText + 1);
  if (direct_outline <= kBodyText) {
    result.heading_level = LevelOfOutline(direct_outline);
    level_known = true;
  }
  const pugi::xml_node list = Child(properties, "numPr");
  if (const std::string_view id = Attribute(Child(list, "numId"), "val"); !id.empty()) {
    result.num_id = id;
    result.list_level = NumberAttribute(Child(list, "ilvl"), "val", 0);
    list_known = true;
  }
  std::string id(Attribute(Child(properties, "pStyle"), "val"));
  if (id.empty()) id = default_style_;
  for (int hop = 0; hop < kMaxInheritance && (!level_known || !list_known); ++hop) {
    const auto style = styles_.find(id);
    if (style == styles_.end()) {
      // A writer may name built-in styles without describing them: "Heading1".
      if (!level_known && id.starts_with("Heading") && id.size() == 8) {
        result.heading_level = LevelOfName("heading " + id.substr(7));
      }
      break;
    }
    if (!level_known) {
      if (style->second.outline_level <= kBodyText) {
        result.heading_level = LevelOfOutline(style->second.outline_level);
        level_known = true;
      } else if (const std::uint8_t level = LevelOfName(style->second.name); level > 0) {
        result.heading_level = level;
        level_known = true;
      }
    }
    if (!list_known && !style->second.num_id.empty()) {
      result.num_id = style->second.num_id;
      result.list_level = style->second.list_level;
      list_known = true;
    }
    id = style->second.based_on;
  }
  return result;
}

DocxNumbering::DocxNumbering(const pugi::xml_document& numbering) {
  for (const pugi::xml_node node : Child(numbering, "numbering").children()) {
    if (Is(node, "abstractNum")) {
      List list;
      for (const pugi::xml_node level : node.children()) {
        const std::uint32_t index = NumberAttribute(level, "ilvl", kDocxListLevels);
        if (!Is(level, "lvl") || index >= kDocxListLevels) continue;
        Level& to = list.levels.at(index);
        to.format = Attribute(Child(level, "numFmt"), "val");
        to.text = Attribute(Child(level, "lvlText"), "val");
        to.start = std::min(NumberAttribute(Child(level, "start"), "val", 1), kMaxCounter);
      }
      lists_.emplace(std::string(Attribute(node, "abstractNumId")), std::move(list));
    } else if (Is(node, "num")) {
      Instance instance;
      instance.list_id = Attribute(Child(node, "abstractNumId"), "val");
      for (const pugi::xml_node change : node.children()) {
        const pugi::xml_node start = Child(change, "startOverride");
        if (!Is(change, "lvlOverride") || !start) continue;
        instance.start_overrides.emplace(NumberAttribute(change, "ilvl", kDocxListLevels),
                                         std::min(NumberAttribute(start, "val", 1), kMaxCounter));
      }
      instances_.emplace(std::string(Attribute(node, "numId")), std::move(instance));
    }
  }
}

std::string DocxNumbering::NextLabel(const std::string& num_id, std::uint32_t level) {
  const auto instance = instances_.find(num_id);
  if (instance == instances_.end() || level >= kDocxListLevels) return {};
  const auto found = lists_.find(instance->second.list_id);
  if (found == lists_.end()) return {};
  List& list = found->second;
  if (!instance->second.used) {
    instance->second.used = true;
    for (const auto& [at, start] : instance->second.start_overrides) {
      if (at < kDocxListLevels) list.counters.at(at) = start > 0 ? start - 1 : 0;
    }
  }
  // Word counts from `start`, and a level begins anew below each item of a level above it.
  std::uint32_t& counter = list.counters.at(level);
  counter = std::min(counter == 0 ? list.levels.at(level).start : counter + 1, kMaxCounter);
  std::fill(list.counters.begin() + level + 1, list.counters.end(), 0);

  const Level& own = list.levels.at(level);
  if (own.format == "bullet") return "\u2022 ";
  if (own.format == "none") return {};
  std::string label;
  for (std::size_t i = 0; i < own.text.size(); ++i) {
    const bool reference = own.text[i] == '%' && i + 1 < own.text.size() &&
                           own.text[i + 1] >= '1' && own.text[i + 1] <= '9';
    if (!reference) {
      label.push_back(own.text[i]);
      continue;
    }
    const auto at = static_cast<std::size_t>(own.text[++i] - '1');
    const std::uint32_t number =
        list.counters.at(at) == 0 ? list.levels.at(at).start : list.counters.at(at);
    label.append(FormatNumber(number, list.levels.at(at).format));
  }
  return label.empty() ? label : label + " ";
}

}  // namespace sworn::indexer
