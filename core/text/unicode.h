// Text as Sworn stores it: valid UTF-8 in Unicode normalization form C, without invisible
// characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::text {

/// Raised whenever Normalize would give other bytes for the same input.
inline constexpr int kNormalizationVersion = 1;

/// What Normalize took out; shown as flags of a document, because hidden text is how instructions
/// are smuggled into a prompt.
struct RemovedCharacters {
  std::uint32_t invalid = 0;     // byte sequences that were no UTF-8, each now one U+FFFD
  std::uint32_t control = 0;     // C0 and C1 but for TAB, LF and FF
  std::uint32_t zero_width = 0;  // U+200B-200D, U+2060, U+FEFF, U+00AD
  std::uint32_t bidi = 0;        // U+202A-202E, U+2066-2069, U+200E, U+200F, U+061C
  std::uint32_t tag = 0;         // U+E0000-E007F

  friend bool operator==(const RemovedCharacters&, const RemovedCharacters&) = default;
};

struct NormalizedText {
  std::string text;
  RemovedCharacters removed;
};

/// CRLF and CR to LF, removals as above, then NFC. A page break stays U+000C. Idempotent.
NormalizedText Normalize(std::string_view utf8);

[[nodiscard]] bool IsValidUtf8(std::string_view bytes) noexcept;

/// The largest length <= max_bytes that does not cut a code point of valid UTF-8.
[[nodiscard]] std::size_t CutAtCodePoint(std::string_view utf8, std::size_t max_bytes) noexcept;

/// Full Unicode case folding followed by NFC; for index terms only.
std::string FoldCase(std::string_view utf8);

/// The text with control characters and escape sequences made visible or dropped, safe to print on
/// a terminal; LF and TAB stay.
std::string ForTerminal(std::string_view utf8);

}  // namespace sworn::text
