// "Did you mean": the known word that a mistyped one is closest to.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sworn::cli {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment). Time and space O(|a| |b|).
std::size_t EditDistance(std::string_view a, std::string_view b);

/// The closest of `known` if it is close enough to be meant: at most one edit in three letters, the
/// first of equals. Nothing for a word of more than 64 bytes.
std::optional<std::string> Suggest(std::string_view word, std::span<const std::string> known);

}  // namespace sworn::cli
