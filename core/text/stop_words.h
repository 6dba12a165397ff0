// Function words that say nothing about what a text or question is about.
#pragma once

#include <span>
#include <string_view>

namespace sworn::text {

/// Whether `folded` (case-folded, apostrophes as U+0027) is on the list of `language`; false for a
/// language without a list. The lists are our own, about 300 words each, for "en", "es" and "de".
/// Negations (not, no, never, without; nicht, kein, ohne; no, nunca, sin; ...) are on none of
/// them: they turn a sentence's meaning round. Thread-safe.
[[nodiscard]] bool IsStopWord(std::string_view folded, std::string_view language);

/// The languages that have a list.
[[nodiscard]] std::span<const std::string_view> StopWordLanguages();

}  // namespace sworn::text
