// What people and programs read. Every text that comes from a document, a path or a command line
// goes through OneLine or text::ForTerminal before it reaches a terminal.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/service/requests.h"
#include "core/error.h"

namespace sworn::cli {

/// The two streams and how to write to them. The streams outlive it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;     // on `out`
  std::size_t width = 80;  // columns
};

/// Standard output and error as they are: colours only on a terminal and without NO_COLOR.
Console StandardConsole(bool no_colour);

/// Safe for a terminal and without line breaks or tabs.
std::string OneLine(std::string_view text);

/// Breaks at spaces so that no line is longer than `width` columns (code points) unless one word
/// is; every line starts with `indent`. White space runs become one space.
std::string Wrap(std::string_view text, std::size_t width, std::string_view indent);

/// "1,234,567".
std::string WithThousands(std::uint64_t number);

/// "12.3 MiB".
std::string ByteSize(std::uint64_t bytes);

/// Bold where the console has colours.
std::string Bold(const Console& console, const std::string& text);

/// One object or array, one line. Bytes that are no UTF-8 become U+FFFD: JSON has no other way.
void PrintJson(std::ostream& stream, const nlohmann::json& value);

/// Columns as wide as their widest cell, two spaces between; cells go through OneLine. The first
/// row is the heading.
void PrintTable(Console& console, const std::vector<std::vector<std::string>>& rows);

/// "Key:  value" lines, aligned; empty values are left out.
void PrintFields(Console& console, const std::vector<std::pair<std::string, std::string>>& fields);

/// "sworn: message" or the JSON envelope, on standard error.
void PrintError(Console& console, const Error& error);

/// A line on standard error for people, not with --json or -q.
void PrintNote(Console& console, const std::string& text);

void PrintSearch(Console& console, const service::SearchResponse& response, bool explain);
void PrintAnswer(Console& console, const service::AskResponse& response, bool timing);
/// What follows the sentences of a streamed answer: its sources, or why there is none.
void PrintAnswerEnd(Console& console, const service::AskResponse& response, bool timing);
/// What follows a translation, on the same line: that nobody checked it.
void PrintTranslationEnd(Console& console, const service::TranslateResponse& response, bool timing);

/// The fixed last line of `index`.
std::string IndexSummary(const service::IndexReport& report);

/// Files that gave no text, each with its reason, on standard error; what a dry run would do, on
/// standard output.
void PrintNotes(Console& console, const service::IndexReport& report);

}  // namespace sworn::cli
