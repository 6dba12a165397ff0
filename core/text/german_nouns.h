// Words that German compounds are made of; our own lists, a space between two words, folded as
// FoldCase does ("ß" is "ss").
#pragma once

#include <string_view>

namespace sworn::text {

/// About 1,900 nouns. A few may stand twice.
extern const std::string_view kGermanNouns;

/// First parts that are no terms themselves ("haupt", "neben").
extern const std::string_view kGermanModifiers;

}  // namespace sworn::text
