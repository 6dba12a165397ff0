#include "indexer/extract/xlsx_values.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>

#include "indexer/extract/office_package.h"

namespace sworn::indexer {
namespace {

constexpr int kSecondsPerDay = 86400;
constexpr double kLastDay = 2958466;    // 9999-12-31 and one, in the 1900 system
constexpr double kDays1904 = 1462;      // between the two systems
constexpr double kFakeLeapDay = 60;     // 1900-02-29, which Excel believes in
constexpr int kSignificantDigits = 15;  // what Excel itself keeps

std::string TwoDigits(unsigned value) {
  return {static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
}

std::string FormatNumber(double value) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::general, kSignificantDigits);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

std::string FormatDay(double serial) {
  // Before the day that never was, serial numbers count from one day later.
  const int days = static_cast<int>(serial) + (serial < kFakeLeapDay ? 1 : 0);
  const std::chrono::year_month_day date(std::chrono::sys_days(std::chrono::year(1899) / 12 / 30) +
                                         std::chrono::days(days));
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  return TwoDigits(year / 100) + TwoDigits(year % 100) + "-" +
         TwoDigits(static_cast<unsigned>(date.month())) + "-" +
         TwoDigits(static_cast<unsigned>(date.day()));
}

std::string FormatTime(unsigned seconds) {
  return TwoDigits(seconds / 3600) + ":" + TwoDigits(seconds / 60 % 60) + ":" +
         TwoDigits(seconds % 60);
}

std::string FormatDate(double serial, NumberKind kind) {
  // Rounded to seconds as a whole, so that 23:59:59.9 becomes the next day.
  const double all_seconds = std::round(serial * kSecondsPerDay);
  const double day = std::floor(all_seconds / kSecondsPerDay);
  const auto seconds = static_cast<unsigned>(all_seconds - day * kSecondsPerDay);
  if (kind == NumberKind::kTime) return FormatTime(seconds);
  if (kind == NumberKind::kDate) return FormatDay(day);
  return FormatDay(day) + "T" + FormatTime(seconds);
}

std::string FormatDuration(double days) {
  const auto seconds = static_cast<std::uint64_t>(std::round(days * kSecondsPerDay));
  return std::to_string(seconds / 3600) +
         FormatTime(static_cast<unsigned>(seconds % 3600)).substr(2);
}

}  // namespace

NumberKind KindOfBuiltIn(std::uint32_t format_id) {
  if (format_id == 9 || format_id == 10) return NumberKind::kPercent;
  if (format_id >= 14 && format_id <= 17) return NumberKind::kDate;
  if (format_id >= 18 && format_id <= 21) return NumberKind::kTime;
  if (format_id == 22) return NumberKind::kDateTime;
  if (format_id >= 27 && format_id <= 31) return NumberKind::kDate;
  if (format_id >= 32 && format_id <= 35) return NumberKind::kTime;
  if (format_id == 36 || (format_id >= 50 && format_id <= 58)) return NumberKind::kDate;
  if (format_id == 45 || format_id == 47) return NumberKind::kTime;
  if (format_id == 46) return NumberKind::kDuration;
  return NumberKind::kPlain;
}

NumberKind KindOfCode(std::string_view code) {
  bool date = false;
  bool time = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == ';') break;  // the first section is for positive numbers
    if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == '"') {
      i = code.find('"', i + 1);
    } else if (c == '[') {
      const std::size_t end = code.find(']', i);
      const std::string_view inner = code.substr(i + 1, end - i - 1);
      if (!inner.empty() && inner.find_first_not_of("hHmMsS") == std::string_view::npos) {
        return NumberKind::kDuration;
      }
      i = end;
    } else if (c == '%') {
      return NumberKind::kPercent;
    } else if (std::string_view("yYdD").find(c) != std::string_view::npos) {
      date = true;
    } else if (std::string_view("hHsS").find(c) != std::string_view::npos) {
      time = true;
    } else if ((c == 'm' || c == 'M') && !time) {
      // "m" is a month unless hours stand before it; "mm:ss" is found by the colon.
      const std::size_t next = code.find_first_not_of("mM", i);
      const bool minutes = next != std::string_view::npos && code[next] == ':';
      (minutes ? time : date) = true;
    } else if (c == 'G' || c == 'g') {
      if (code.substr(i).starts_with("General")) return NumberKind::kPlain;
    }
    if (i == std::string_view::npos) break;
  }
  if (date) return time ? NumberKind::kDateTime : NumberKind::kDate;
  return time ? NumberKind::kTime : NumberKind::kPlain;
}

std::vector<NumberKind> KindsOfStyles(const pugi::xml_document& styles) {
  const pugi::xml_node sheet = Child(styles, "styleSheet");
  std::map<std::uint32_t, NumberKind> custom;
  for (const pugi::xml_node format : Child(sheet, "numFmts").children()) {
    custom.emplace(NumberAttribute(format, "numFmtId", 0),
                   KindOfCode(Attribute(format, "formatCode")));
  }
  std::vector<NumberKind> kinds;
  for (const pugi::xml_node style : Child(sheet, "cellXfs").children()) {
    const std::uint32_t id = NumberAttribute(style, "numFmtId", 0);
    const auto found = custom.find(id);
    kinds.push_back(found == custom.end() ? KindOfBuiltIn(id) : found->second);
  }
  return kinds;
}

std::string FormatValue(std::string_view stored, NumberKind kind, bool date1904) {
  double value = 0;
  const auto [end, error] = std::from_chars(stored.data(), stored.data() + stored.size(), value);
  if (error != std::errc() || end != stored.data() + stored.size() || !std::isfinite(value)) {
    return std::string(stored);
  }
  if (kind == NumberKind::kPercent) return FormatNumber(value * 100) + "%";
  if (kind == NumberKind::kPlain) return FormatNumber(value);
  const double serial = date1904 && kind != NumberKind::kDuration ? value + kDays1904 : value;
  if (serial < 0 || serial >= kLastDay) return FormatNumber(value);
  return kind == NumberKind::kDuration ? FormatDuration(serial) : FormatDate(serial, kind);
}

std::uint32_t ColumnOf(std::string_view reference) {
  std::uint32_t column = 0;
  for (const char c : reference) {
    if (c < 'A' || c > 'Z') break;
    column = column * 26 + static_cast<std::uint32_t>(c - 'A' + 1);
    if (column > kMaxSheetColumns) return kMaxSheetColumns;
  }
  return column == 0 ? kMaxSheetColumns : column - 1;
}

}  // namespace sworn::indexer
