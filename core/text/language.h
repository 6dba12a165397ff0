// Which language a text is written in.
#pragma once

#include <string>
#include <string_view>

namespace sworn::text {

/// Text without a language that can be told.
inline constexpr std::string_view kUnknownLanguage = "und";

/// ISO 639-1 code ("en", "es", "de", ...) of the main language, or "und" when the text is too
/// short or mixed for a reliable answer. CLD2 says it, over at most the first 64 KiB; where it is
/// unsure or mistakes a Spanish list of English names for English, the share of each language's
/// stop words decides. `utf8` is valid UTF-8. Thread-safe.
std::string DetectLanguage(std::string_view utf8);

}  // namespace sworn::text
