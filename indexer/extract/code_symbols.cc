#include "indexer/extract/code_symbols.h"

#include <algorithm>
#include <array>
#include <optional>

#include <nlohmann/json.hpp>

namespace sworn::indexer {
namespace {

using nlohmann::json;
using std::string_view;

constexpr std::size_t kMaxNameBytes = 120;  // of one name in a path
constexpr std::size_t kMaxPathBytes = 480;
constexpr std::uint32_t kMaxScannedLines = 2000;  // for an end that is not told
constexpr std::size_t kMinLetters = 12;           // of a span of its own

constexpr auto kCallables = std::to_array<string_view>(
    {"function", "func", "method", "member", "subroutine", "procedure", "trigger",
     "singletonMethod", "getter", "setter", "generator", "constructor"});
constexpr auto kContainers = std::to_array<string_view>(
    {"class", "struct", "interface", "enum", "union", "trait", "implementation", "module", "table",
     "view", "object", "record", "annotation"});
constexpr auto kLeads = std::to_array<string_view>(
    {"//", "/*", "*", "--", "@", "#[", "\"\"\"", "# ", "##", "template", "[["});

bool Holds(const auto& list, string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

string_view Trimmed(string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin == string_view::npos ? string_view() : line.substr(begin);
}

std::size_t Indentation(string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

/// Adds a name to a path, unless ctags made it up for something without one.
void AddName(string_view name, std::string& path) {
  if (name.empty() || name.starts_with("__anon") || path.size() > kMaxPathBytes) return;
  if (!path.empty()) path += " > ";
  path += name.substr(0, kMaxNameBytes);
}

/// "ns::Class" and "module.Class" name by name.
void AddScope(string_view scope, std::string& path) {
  while (!scope.empty()) {
    const std::size_t end = std::min(scope.find("::"), scope.find('.'));
    AddName(scope.substr(0, end), path);
    if (end == string_view::npos) return;
    scope.remove_prefix(end + (scope[end] == ':' ? 2 : 1));
  }
}

std::uint32_t LineOf(const json& tag, const char* field) {
  const auto found = tag.find(field);
  if (found == tag.end() || !found->is_number_unsigned()) return 0;
  const auto line = found->get<std::uint64_t>();
  return line > UINT32_MAX ? 0 : static_cast<std::uint32_t>(line);
}

string_view TextOf(const json& tag, const char* field) {
  const auto found = tag.find(field);
  if (found == tag.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

std::optional<CodeSymbol> ReadSymbol(string_view line) {
  const json tag = json::parse(line, nullptr, false);
  if (!tag.is_object() || TextOf(tag, "_type") != "tag") return std::nullopt;
  CodeSymbol symbol;
  symbol.first_line = LineOf(tag, "line");
  symbol.last_line = LineOf(tag, "end");
  const string_view kind = TextOf(tag, "kind");
  const bool is_callable = Holds(kCallables, kind);
  const bool is_one_line = symbol.last_line == symbol.first_line;
  if (symbol.first_line == 0 || is_one_line || !(is_callable || Holds(kContainers, kind))) {
    return std::nullopt;
  }
  // A "member" is a method in Python and a field elsewhere, which ends where it begins.
  if (kind == "member" && symbol.last_line == 0) return std::nullopt;
  AddScope(TextOf(tag, "scope"), symbol.path);
  AddName(TextOf(tag, "name"), symbol.path);
  if (is_callable && !symbol.path.empty()) symbol.path += "()";
  return symbol;
}

/// The line that closes what line `first` opens: the next one that is indented no further and
/// begins with a bracket; 0 if something else comes before it.
std::uint32_t EndByIndentation(const std::vector<string_view>& lines, std::uint32_t first) {
  const std::size_t own = Indentation(lines[first - 1]);
  const auto stop = static_cast<std::uint32_t>(
      std::min<std::size_t>(lines.size(), std::size_t{first} + kMaxScannedLines));
  for (std::uint32_t line = first + 1; line <= stop; ++line) {
    const string_view text = Trimmed(lines[line - 1]);
    if (text.empty() || Indentation(lines[line - 1]) > own) continue;
    if (text.front() == '}' || text.front() == ')' || text.starts_with("end")) return line;
    if (text.front() != '{' && text.front() != '(') return line == first + 1 ? 0 : line - 1;
  }
  return 0;
}

/// Gives every symbol its last line, and takes in the comments above it.
void SettleLines(const std::vector<string_view>& lines, std::vector<CodeSymbol>& symbols) {
  const auto line_count = static_cast<std::uint32_t>(lines.size());
  std::uint32_t free_from = 1;  // behind the symbols before
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    CodeSymbol& symbol = symbols[i];
    const std::uint32_t next = i + 1 < symbols.size() ? symbols[i + 1].first_line : line_count + 1;
    if (symbol.last_line == 0) symbol.last_line = EndByIndentation(lines, symbol.first_line);
    if (symbol.last_line == 0) symbol.last_line = std::max(next, symbol.first_line + 1) - 1;
    symbol.last_line = std::min(symbol.last_line, line_count);
    const std::uint32_t begin = symbol.first_line;
    while (symbol.first_line > free_from &&
           std::any_of(kLeads.begin(), kLeads.end(), [&](string_view lead) {
             return Trimmed(lines[symbol.first_line - 2]).starts_with(lead);
           })) {
      --symbol.first_line;
    }
    // Inner symbols begin below this line, later ones behind the end as well.
    free_from = next > symbol.last_line ? symbol.last_line + 1 : begin + 1;
  }
}

std::size_t Letters(const std::vector<string_view>& lines, const CodeSpan& span) {
  std::size_t letters = 0;
  for (std::uint32_t line = span.first_line; line <= span.last_line; ++line) {
    if (Trimmed(lines[line - 1]).starts_with('}')) continue;  // "}  // namespace sworn"
    for (const char c : lines[line - 1]) {
      const auto byte = static_cast<unsigned char>(c);
      const bool is_letter = (byte | 0x20U) >= 'a' && (byte | 0x20U) <= 'z';
      letters += is_letter || byte >= 0x80 ? 1 : 0;
    }
    if (letters >= kMinLetters) break;
  }
  return letters;
}

/// Joins spans with one owner, and those that hold next to nothing to the one before.
std::vector<CodeSpan> Join(const std::vector<string_view>& lines, std::vector<CodeSpan> spans) {
  std::vector<CodeSpan> joined;
  for (CodeSpan& span : spans) {
    const bool is_same = !joined.empty() && joined.back().path == span.path;
    if (is_same || (!joined.empty() && Letters(lines, span) < kMinLetters)) {
      joined.back().last_line = span.last_line;
    } else {
      joined.push_back(std::move(span));
    }
  }
  return joined;
}

}  // namespace

std::vector<CodeSymbol> ParseSymbols(string_view ctags_output) {
  std::vector<CodeSymbol> symbols;
  while (!ctags_output.empty() && symbols.size() < kMaxSymbols) {
    const std::size_t end = ctags_output.find('\n');
    if (auto symbol = ReadSymbol(ctags_output.substr(0, end))) symbols.push_back(*symbol);
    if (end == string_view::npos) break;
    ctags_output.remove_prefix(end + 1);
  }
  std::stable_sort(symbols.begin(), symbols.end(), [](const CodeSymbol& a, const CodeSymbol& b) {
    if (a.first_line != b.first_line) return a.first_line < b.first_line;
    return a.last_line > b.last_line;
  });
  return symbols;
}

std::vector<CodeSpan> CutAtSymbols(const std::vector<string_view>& lines,
                                   std::vector<CodeSymbol> symbols) {
  const auto line_count = static_cast<std::uint32_t>(lines.size());
  symbols.erase(
      std::remove_if(symbols.begin(), symbols.end(),
                     [line_count](const CodeSymbol& symbol) {
                       return symbol.first_line == 0 || symbol.first_line > line_count ||
                              (symbol.last_line != 0 && symbol.last_line < symbol.first_line);
                     }),
      symbols.end());
  SettleLines(lines, symbols);
  std::vector<CodeSpan> spans;
  std::vector<const CodeSymbol*> open;  // innermost last
  std::size_t next = 0;
  for (std::uint32_t line = 1; line <= line_count; ++line) {
    while (!open.empty() && open.back()->last_line < line) open.pop_back();
    for (; next < symbols.size() && symbols[next].first_line <= line; ++next) {
      if (symbols[next].last_line >= line) open.push_back(&symbols[next]);
    }
    const std::string& owner = open.empty() ? std::string() : open.back()->path;
    if (spans.empty() || spans.back().path != owner) spans.push_back({owner, line, line});
    spans.back().last_line = line;
  }
  return Join(lines, std::move(spans));
}

}  // namespace sworn::indexer
