#include "core/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace sworn {
namespace {

constexpr std::int64_t kMaxExactInteger = 1LL << 53;

[[noreturn]] void Refuse(const char* why) {
  throw Error(ErrorCode::kInvalidArgument, std::string("JSON without a canonical form: ") + why);
}

// Decodes the code point that starts at `at` and moves behind it; refuses invalid UTF-8.
char32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<std::uint8_t>(text[at]);
  const std::size_t length = lead < 0x80            ? 1
                             : (lead >> 5) == 0x06U ? 2
                             : (lead >> 4) == 0x0eU ? 3
                             : (lead >> 3) == 0x1eU ? 4
                                                    : 0;
  if (length == 0 || at + length > text.size()) Refuse("invalid UTF-8");
  char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<std::uint8_t>(text[at + i]);
    if ((next & 0xc0U) != 0x80U) Refuse("invalid UTF-8");
    code = (code << 6) | (next & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    Refuse("invalid UTF-8");
  }
  at += length;
  return code;
}

std::u16string Utf16(std::string_view text) {
  std::u16string units;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code = NextCodePoint(text, at);
    if (code < 0x10000) {
      units.push_back(static_cast<char16_t>(code));
    } else {
      units.push_back(static_cast<char16_t>(0xd800 + ((code - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xdc00 + ((code - 0x10000) & 0x3ff)));
    }
  }
  return units;
}

void WriteControl(char c, std::string& out) {
  switch (c) {
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[static_cast<std::uint8_t>(c) >> 4];
      out += kDigits[static_cast<std::uint8_t>(c) & 15];
  }
}

void WriteText(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) NextCodePoint(text, at);
  out += '"';
  for (const char c : text) {
    if (static_cast<std::uint8_t>(c) < 0x20) {
      WriteControl(c, out);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

void Write(const nlohmann::json& value, int depth, std::string& out);

void WriteObject(const nlohmann::json& value, int depth, std::string& out) {
  std::vector<std::pair<std::u16string, const std::string*>> names;
  names.reserve(value.size());
  for (auto member = value.begin(); member != value.end(); ++member) {
    names.emplace_back(Utf16(member.key()), &member.key());
  }
  std::sort(names.begin(), names.end());
  out += '{';
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    WriteText(*names[i].second, out);
    out += ':';
    Write(value.at(*names[i].second), depth, out);
  }
  out += '}';
}

void Write(const nlohmann::json& value, int depth, std::string& out) {
  if (depth > kMaxCanonicalDepth) Refuse("nested too deeply");
  switch (value.type()) {
    case nlohmann::json::value_t::object:
      return WriteObject(value, depth + 1, out);
    case nlohmann::json::value_t::array: {
      out += '[';
      bool first = true;
      for (const nlohmann::json& element : value) {
        if (!std::exchange(first, false)) out += ',';
        Write(element, depth + 1, out);
      }
      out += ']';
      return;
    }
    case nlohmann::json::value_t::string:
      return WriteText(value.get_ref<const std::string&>(), out);
    case nlohmann::json::value_t::number_integer: {
      const auto number = value.get<std::int64_t>();
      if (number < -kMaxExactInteger || number > kMaxExactInteger) Refuse("an integer above 2^53");
      out += std::to_string(number);
      return;
    }
    case nlohmann::json::value_t::number_unsigned: {
      const auto number = value.get<std::uint64_t>();
      if (number > static_cast<std::uint64_t>(kMaxExactInteger)) Refuse("an integer above 2^53");
      out += std::to_string(number);
      return;
    }
    case nlohmann::json::value_t::number_float:
      out += EcmaScriptNumber(value.get<double>());
      return;
    case nlohmann::json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case nlohmann::json::value_t::null:
      out += "null";
      return;
    default:
      Refuse("a binary value");
  }
}

}  // namespace

std::string EcmaScriptNumber(double number) {
  if (!std::isfinite(number)) Refuse("a number that is not finite");
  if (number == 0) return "0";
  // The shortest digits that read back as this number, as d.ddde[+-]xx: digits and a power of ten.
  std::array<char, 40> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(number),
                                     std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, 1));
  if (mark > 2) digits += text.substr(2, mark - 2);
  const bool negative_exponent = text[mark + 1] == '-';
  int exponent = 0;
  std::from_chars(text.data() + mark + 2, text.data() + text.size(), exponent);
  if (negative_exponent) exponent = -exponent;

  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // "n" of ECMA-262 Number::toString: digits before the point
  std::string out = number < 0 ? "-" : "";
  if (count <= point && point <= 21) {
    out += digits + std::string(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." +
           digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    out += digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
  return out;
}

std::string CanonicalJson(const nlohmann::json& value) {
  std::string out;
  Write(value, 0, out);
  return out;
}

}  // namespace sworn
