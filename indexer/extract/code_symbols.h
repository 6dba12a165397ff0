// Which lines of a source file belong to which function, class or table, from what universal-ctags
// prints about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::indexer {

inline constexpr std::size_t kMaxSymbols = 50'000;  // of a file; no more are read

/// A function, class or the like; lines are 1-based, the last one included.
struct CodeSymbol {
  std::string path;  // "Parser > parse()"
  std::uint32_t first_line = 0;
  std::uint32_t last_line = 0;  // 0: not told
};

/// Reads `ctags --_interactive` output: a JSON object a line. Lines that are none, and symbols of
/// kinds that are parts of another one (fields, parameters, constants), are passed over, so any
/// bytes give a list. In the order of the lines, outer before inner.
std::vector<CodeSymbol> ParseSymbols(std::string_view ctags_output);

/// A run of lines with one owner.
struct CodeSpan {
  std::string path;  // of the innermost symbol that holds them; empty outside of all
  std::uint32_t first_line = 0;
  std::uint32_t last_line = 0;
};

/// Cuts all `lines` of a source into spans, in order and without gaps. A comment or attribute right
/// above a symbol belongs to it; an end that is not told is found by indentation, and lines with
/// hardly a letter ("};") stay with what is before them. Symbols outside of the source are ignored.
std::vector<CodeSpan> CutAtSymbols(const std::vector<std::string_view>& lines,
                                   std::vector<CodeSymbol> symbols);

}  // namespace sworn::indexer
