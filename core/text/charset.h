// Bytes of a named charset to UTF-8, over ICU's converters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::text {

struct ConvertedText {
  std::string utf8;           // valid UTF-8
  std::uint32_t invalid = 0;  // U+FFFD that stand for what the charset does not know
};

/// Converts from `charset` ("windows-1252", "Shift_JIS", any alias ICU knows); empty if ICU knows
/// no such charset. Throws kTooLarge when the result would pass `max_bytes`.
std::optional<ConvertedText> ConvertToUtf8(std::string_view bytes, const std::string& charset,
                                           std::size_t max_bytes);

}  // namespace sworn::text
