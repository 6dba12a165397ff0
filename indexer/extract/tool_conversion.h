// Formats that a program of Debian reads for us, each run in its own sandboxed child process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "indexer/extract/limits.h"

namespace sworn::indexer {

/// One program that turns a file on its stdin into something we read on its stdout.
struct ToolCommand {
  std::filesystem::path program;       // absolute
  std::vector<std::string> arguments;  // the input is /dev/stdin
  std::string package;                 // Debian package that has it
  std::string output_type;             // media type of what it prints
};

/// The programs for a media type, best first; empty if there are none.
std::vector<ToolCommand> ToolsFor(std::string_view media_type);

/// A program that lists the symbols of a source file, and what it reads.
struct SymbolTool {
  ToolCommand command;
  std::string input;
};

/// universal-ctags for `source`; nothing for a media type that is no code. The file's own name is
/// not passed on.
std::optional<SymbolTool> SymbolToolFor(std::string_view media_type, std::string_view source);

/// A larger source is not cut at its symbols.
inline constexpr std::size_t kMaxSymbolSourceBytes = 16 * kMebibyte;
inline constexpr std::uint32_t kMaxSymbolSeconds = 10;

struct ToolOutput {
  bool ok = false;
  std::string bytes;   // of a success
  std::string reason;  // of a failure: "antiword took longer than 60 s (max_seconds)"
};

/// Runs `tool` on `bytes` inside the sandbox of EnterToolSandbox, started through `worker_program`.
/// Output beyond kMaxToolOutputBytes is a failure, and so is none. Throws kCancelled when the flag
/// is set. Thread-safe.
inline constexpr std::size_t kMaxToolOutputBytes = 256 * kMebibyte;
ToolOutput RunTool(const std::filesystem::path& worker_program, const ToolCommand& tool,
                   std::string_view bytes, const ExtractLimits& limits, const CancelFlag* cancel);

}  // namespace sworn::indexer
