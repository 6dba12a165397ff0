// Which language a text is written in.
#pragma once

#include <string>
#include <string_view>

namespace sworn::text {

/// Text without a language that can be told.
inline constexpr std::string_view kUnknownLanguage = "und";

/// ISO 639-1 code ("en", "es", "de", ...) of the main language by CLD2, or "und" when the text is
/// too short or mixed for a reliable answer. Reads at most the first 64 KiB. Thread-safe.
std::string DetectLanguage(std::string_view utf8);

}  // namespace sworn::text
