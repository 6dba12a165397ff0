// Texts reduced to what two of them are compared by.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sworn::retriever {

/// Case-folded, runs of white space one space: texts that are equal in it count as the same.
std::string ComparisonForm(std::string_view text);

/// The case-folded words of a text in order: runs of ASCII letters and digits and of anything that
/// is no ASCII.
std::vector<std::string> FoldedWords(std::string_view text);

}  // namespace sworn::retriever
