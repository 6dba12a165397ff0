// Sentence boundaries.
#pragma once

#include <string_view>
#include <vector>

#include "core/types.h"

namespace sworn::text {

/// Sentences of `utf8` in order, each without surrounding white space; together they hold every
/// character that is no white space. ICU's rules (UAX 29) for `language`, corrected for
/// abbreviations
/// ("Dr.", "Art.", "e.g.", "z. B.", "p. ej."), numbering ("3.2.1") and a bare line break inside a
/// sentence. A blank line or a form feed always ends a sentence. Thread-safe.
std::vector<ByteRange> SplitSentences(std::string_view utf8, std::string_view language);

}  // namespace sworn::text
