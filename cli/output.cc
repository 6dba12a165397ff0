#include "cli/output.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/exit_code.h"
#include "core/text/unicode.h"

namespace sworn::cli {
namespace {

constexpr std::size_t kMinWidth = 40;
constexpr std::size_t kMaxWidth = 100;  // longer lines are hard to read

std::size_t TerminalWidth() {
  struct winsize size {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::clamp<std::size_t>(size.ws_col, kMinWidth, kMaxWidth);
}

// Code points: near enough to columns for the languages Sworn speaks.
std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

std::string Number(const char* format, double value) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, value);
  return std::string(buffer.data(), static_cast<std::size_t>(std::max(length, 0)));
}

}  // namespace

Console StandardConsole(bool no_colour) {
  Console console{.out = std::cout, .err = std::cerr};
  console.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  console.err_is_terminal = isatty(STDERR_FILENO) == 1;
  console.colour = console.out_is_terminal && !no_colour;
  console.width = TerminalWidth();
  return console;
}

std::string OneLine(std::string_view text) {
  std::string line = text::ForTerminal(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::string Wrap(std::string_view text, std::size_t width, std::string_view indent) {
  constexpr std::string_view kSpace = " \n\t\f\r";
  std::string out;
  std::size_t column = 0;  // 0: nothing on this line yet
  std::size_t at = text.find_first_not_of(kSpace);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (column > 0 && column + 1 + Columns(word) > width) {
      out += '\n';
      column = 0;
    }
    if (column == 0) {
      out += indent;
      column = Columns(indent);
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += Columns(word);
    at = text.find_first_not_of(kSpace, end);
  }
  return out;
}

std::string WithThousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string ByteSize(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return Number(unit == 0 ? "%.0f " : "%.1f ", value) + kUnits[unit];
}

std::string Bold(const Console& console, const std::string& text) {
  return console.colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

void PrintJson(std::ostream& stream, const nlohmann::json& value) {
  stream << value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void PrintTable(Console& console, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    for (std::size_t column = 0; column < row.size(); ++column) {
      line.push_back(OneLine(row[column]));
      if (column == widths.size()) widths.push_back(0);
      widths[column] = std::max(widths[column], Columns(line.back()));
    }
  }
  for (std::size_t row = 0; row < cells.size(); ++row) {
    std::string line;
    for (std::size_t column = 0; column < cells[row].size(); ++column) {
      const std::string& cell = cells[row][column];
      line += cell;
      if (column + 1 < cells[row].size()) line.append(widths[column] - Columns(cell) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    console.out << (row == 0 ? Bold(console, line) : line) << '\n';
  }
}

void PrintFields(Console& console, const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& [name, value] : fields) width = std::max(width, name.size());
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    console.out << name << ':' << std::string(width - name.size() + 2, ' ') << OneLine(value)
                << '\n';
  }
}

void PrintError(Console& console, const Error& error) {
  if (!console.json) {
    console.err << "sworn: " << OneLine(error.what()) << '\n';
    return;
  }
  PrintJson(console.err, {{"error",
                           {{"message", error.what()},
                            {"type", ErrorType(error.code())},
                            {"param", nullptr},
                            {"code", ErrorCodeName(error.code())}}}});
}

void PrintNote(Console& console, const std::string& text) {
  if (!console.json && !console.quiet) console.err << OneLine(text) << '\n';
}

std::string IndexSummary(const service::IndexReport& report) {
  return "Indexed: " + std::to_string(report.added) + " new, " + std::to_string(report.updated) +
         " updated, " + std::to_string(report.unchanged) + " unchanged, " +
         std::to_string(report.removed) + " removed, " + std::to_string(report.failed) +
         " failed, " + std::to_string(report.skipped) + " skipped";
}

void PrintNotes(Console& console, const service::IndexReport& report) {
  for (const service::FileNote& note : report.notes) {
    const bool unread = note.outcome == "failed" || note.outcome == "skipped";
    std::ostream& stream = unread ? console.err : console.out;
    stream << note.outcome << ": " << OneLine(note.path);
    if (!note.reason.empty()) stream << ": " << OneLine(note.reason);
    stream << '\n';
  }
}

}  // namespace sworn::cli
