// Text of unknown or named charset to UTF-8, over uchardet and ICU.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::indexer {

struct DecodedText {
  std::string utf8;
  std::string charset;        // "UTF-8", "windows-1252": what the bytes were taken for
  std::uint32_t invalid = 0;  // sequences that were no text in the charset, now U+FFFD
};

/// "UTF-16LE" and the like if a byte order mark says so or every second byte is zero, else empty.
std::string Utf16CharsetOf(std::string_view bytes);

/// A byte order mark or zeros (Utf16CharsetOf) decide, then valid or nearly valid UTF-8, then
/// `declared` (a charset name; may be empty or unknown), then a guess, then windows-1252. UTF-8 is
/// left as it is: its invalid sequences are counted by text::Normalize. Throws kTooLarge beyond 4 *
/// kMaxTextBytes.
DecodedText DecodeText(std::string_view bytes, std::string_view declared = {});

}  // namespace sworn::indexer
