#include "core/clock.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "core/error.h"

namespace sworn {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::sys_time;

// Consumes exactly `digits` decimal digits of `text`.
bool TakeNumber(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const char* end = text.data() + digits;
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view& text, sys_days& day) {
  int year = 0;
  int month = 0;
  int dom = 0;
  if (!TakeNumber(text, 4, year) || !TakeChar(text, "-") || !TakeNumber(text, 2, month) ||
      !TakeChar(text, "-") || !TakeNumber(text, 2, dom)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(dom))};
  day = sys_days{date};
  return date.ok();
}

bool TakeTime(std::string_view& text, milliseconds& since_midnight) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millis = 0;
  if (!TakeNumber(text, 2, hour) || !TakeChar(text, ":") || !TakeNumber(text, 2, minute) ||
      !TakeChar(text, ":") || !TakeNumber(text, 2, second) || hour > 23 || minute > 59 ||
      second > 60) {
    return false;
  }
  if (TakeChar(text, ".")) {
    int place = 100;
    int digits = 0;
    for (int digit = 0; TakeNumber(text, 1, digit); ++digits) {
      millis += digit * place;
      place /= 10;
    }
    if (digits == 0) return false;
  }
  since_midnight = milliseconds(((hour * 60 + minute) * 60 + second) * 1000LL + millis);
  return true;
}

bool TakeOffset(std::string_view& text, milliseconds& offset) {
  if (TakeChar(text, "Zz")) return true;
  const bool negative = !text.empty() && text.front() == '-';
  int hour = 0;
  int minute = 0;
  if (!TakeChar(text, "+-") || !TakeNumber(text, 2, hour) || !TakeChar(text, ":") ||
      !TakeNumber(text, 2, minute) || hour > 23 || minute > 59) {
    return false;
  }
  offset = std::chrono::minutes(hour * 60 + minute) * (negative ? -1 : 1);
  return true;
}

}  // namespace

std::int64_t SystemClock::UtcMillis() const {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t SystemClock::MonotonicNanos() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string FormatRfc3339(std::int64_t utc_millis) {
  const sys_time<milliseconds> time{milliseconds(utc_millis)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::int64_t ParseRfc3339(const std::string& text) {
  std::string_view rest = text;
  sys_days day;
  milliseconds time{0};
  milliseconds offset{0};
  bool valid = TakeDate(rest, day);
  if (valid && !rest.empty()) {
    valid = TakeChar(rest, "Tt ") && TakeTime(rest, time) && TakeOffset(rest, offset);
  }
  if (!valid || !rest.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + text + "' is neither a date (2026-01-31) nor an RFC 3339 time");
  }
  return (day.time_since_epoch() + time - offset).count();
}

}  // namespace sworn
