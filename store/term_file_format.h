// What the reader and the writers of terms.bin share. Internal to store/.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace sworn::store {

// The last character is the format's version.
inline constexpr std::string_view kTermMagic = "SWTERMS1";
inline constexpr std::size_t kTermHeaderBytes = 24;  // magic, rows, terms
inline constexpr std::uint64_t kBytesPerTerm = 24;   // key, occurrences, sum of count log count
inline constexpr std::uint64_t kBytesPerRow = 12;    // end, id
inline constexpr std::uint64_t kMaxTermRows = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint64_t kMaxTerms = std::numeric_limits<std::uint32_t>::max();
// A step between two terms is a 32-bit number and one bit more.
inline constexpr unsigned kMaxNumberBits = 35;

}  // namespace sworn::store
