// How a stored spreadsheet number reads: plain, percentage, date. Internal to xlsx.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <pugixml.hpp>

namespace sworn::indexer {

enum class NumberKind : std::uint8_t { kPlain, kPercent, kDate, kTime, kDateTime, kDuration };

/// The kind of a built-in number format (ECMA-376 part 1, 18.8.30); kPlain for other ids.
NumberKind KindOfBuiltIn(std::uint32_t format_id);

/// The kind of a format code such as "yyyy\-mm\-dd" or "[$-407]d. mmmm yyyy;@".
NumberKind KindOfCode(std::string_view code);

/// Kinds by style index (the "s" of a cell), from xl/styles.xml.
std::vector<NumberKind> KindsOfStyles(const pugi::xml_document& styles);

/// "1234.5", "12.5%", "2024-01-31", "09:05:00", "2024-01-31T09:05:00"; the text itself where it is
/// no number or no date that a spreadsheet can hold (year 1900 to 9999).
std::string FormatValue(std::string_view stored, NumberKind kind, bool date1904);

/// The column of a cell reference: "A1" -> 0, "AB12" -> 27; 16384 if it is none.
std::uint32_t ColumnOf(std::string_view reference);

inline constexpr std::uint32_t kMaxSheetColumns = 16384;

}  // namespace sworn::indexer
