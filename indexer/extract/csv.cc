// Comma-separated values as RFC 4180 has them, with the delimiters that are met in practice.
// Debian has no C++ library for it; the state machine below is the whole grammar.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr std::size_t kSniffedRecords = 20;
constexpr std::size_t kSniffedBytes = std::size_t{64} * 1024;
constexpr std::array<char, 4> kDelimiters = {',', ';', '\t', '|'};

// Takes one record from the front of `rest`; a quoted field may hold delimiters and line breaks, a
// quote that never closes ends with the text.
std::vector<std::string> TakeRecord(std::string_view& rest, char delimiter) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (quoted) {
      if (c != '"') {
        cells.back().push_back(c);
      } else if (at + 1 < rest.size() && rest[at + 1] == '"') {
        cells.back().push_back('"');
        ++at;
      } else {
        quoted = false;
      }
    } else if (c == '"' && cells.back().empty()) {
      quoted = true;
    } else if (c == delimiter) {
      cells.emplace_back();
    } else if (c == '\n' || c == '\r') {
      at += c == '\r' && at + 1 < rest.size() && rest[at + 1] == '\n' ? 2 : 1;
      break;
    } else {
      cells.back().push_back(c);
    }
  }
  rest.remove_prefix(std::min(at, rest.size()));
  return cells;
}

// The delimiter that splits the first records into the most even columns, more than one of them.
char SniffDelimiter(std::string_view text) {
  char best = ',';
  std::size_t best_score = 0;
  for (const char delimiter : kDelimiters) {
    std::string_view rest = text;
    std::size_t columns = 0;
    std::size_t even = 0;
    for (std::size_t i = 0; i < kSniffedRecords && !rest.empty(); ++i) {
      const std::size_t here = TakeRecord(rest, delimiter).size();
      if (i == 0) columns = here;
      if (here == columns) ++even;
    }
    const std::size_t score = columns > 1 ? even * 1000 + std::min<std::size_t>(columns, 999) : 0;
    if (score > best_score) {
      best = delimiter;
      best_score = score;
    }
  }
  return best;
}

bool LooksLikeValue(const std::string& cell) {
  return cell.find_first_of("0123456789") != std::string::npos &&
         cell.find_first_not_of("0123456789.,-+/:%$ ") == std::string::npos;
}

// A header names each column: no cell empty, none twice, none a number, none of a page's length.
bool LooksLikeHeader(const std::vector<std::string>& cells) {
  constexpr std::size_t kMaxNameLength = 100;
  const std::set<std::string> distinct(cells.begin(), cells.end());
  return cells.size() > 1 && distinct.size() == cells.size() &&
         std::none_of(cells.begin(), cells.end(), [](const std::string& cell) {
           return cell.empty() || cell.size() > kMaxNameLength || LooksLikeValue(cell);
         });
}

bool IsBlank(const std::vector<std::string>& cells) {
  return std::all_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return cell.find_first_not_of(" \t") == std::string::npos;
  });
}

void AddSheet(std::string_view rest, char delimiter, const std::string& sheet,
              TextBuilder& builder) {
  std::string header;
  bool first = true;
  for (std::uint32_t row = 1; !rest.empty(); ++row) {
    std::vector<std::string> cells = TakeRecord(rest, delimiter);
    if (IsBlank(cells)) continue;
    while (cells.back().empty()) cells.pop_back();
    BlockDetails details;
    details.location.row = row;
    details.location.sheet = sheet;
    details.table_header = header;
    const std::string text = JoinCells(cells);
    builder.AddBlock(BlockKind::kTableRow, text, details);
    if (std::exchange(first, false) && LooksLikeHeader(cells)) header = text;
  }
}

}  // namespace

Extraction ExtractCsv(std::string_view bytes, const ExtractRequest& request) {
  const DecodedText decoded = DecodeText(bytes);
  TextBuilder builder("csv/1");
  builder.AddInvalid(decoded.invalid);
  std::string_view rest = decoded.utf8;
  const char delimiter =
      request.media_type == media::kTsv ? '\t' : SniffDelimiter(rest.substr(0, kSniffedBytes));
  // xls2csv separates the sheets of a workbook by form feeds; it knows no names for them.
  const bool has_sheets = rest.find('\f') != std::string_view::npos;
  for (std::uint32_t sheet = 1; !rest.empty(); ++sheet) {
    const std::size_t end = rest.find('\f');
    AddSheet(rest.substr(0, end), delimiter, has_sheets ? std::to_string(sheet) : std::string(),
             builder);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    builder.EndPage();
  }
  return {std::move(builder).Finish(), {}};
}

}  // namespace sworn::indexer
