// German compounds: "kündigungsfrist" is a "frist" and about a "kündigung".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sworn::text {

/// The words inside the compound `folded` (as FoldWord gives it), first to last, then, where it has
/// more than two, the shorter compounds inside it; empty if it is none. Without umlauts, which the
/// stemmer drops in any case; linking letters ("-s-", "-es-", "-n-", "-en-", "-er-", "-e-") and
/// endings are taken off.
///
/// Parts are told by a list of nouns of our own (german_nouns.h). One part may be unknown if a
/// known one of five letters or more stands beside it; what is known covers as much of the word as
/// can be. Depends on nothing but the word, so that a text gives the same terms wherever it is
/// indexed. Thread-safe.
std::vector<std::string> SplitGermanCompound(std::string_view folded);

}  // namespace sworn::text
