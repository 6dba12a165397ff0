#include "indexer/extract/tool_conversion.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/file.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/wire.h"
#include "indexer/extract/worker_process.h"

namespace sworn::indexer {
namespace {

// A sealed file in memory: the converters want to seek, and nothing may be left on the disk.
FileDescriptor MemoryFile(std::string_view bytes) {
  FileDescriptor file(::memfd_create("sworn-input", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) throw SystemError(errno, "cannot hold the input of a converter", "");
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw SystemError(errno, "cannot hold the input of a converter", "");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
    throw SystemError(errno, "cannot hold the input of a converter", "");
  }
  return file;
}

struct Pair {
  FileDescriptor ours;
  FileDescriptor theirs;
};

Pair MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemError(errno, "cannot make a pipe", "");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Pair MakeSocketPair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw SystemError(errno, "cannot make a socket pair", "");
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

ToolOutput Conclude(const std::string& name, FrameStatus status, const std::string& end,
                    std::string bytes, const ExtractLimits& limits) {
  ToolOutput output;
  if (status == FrameStatus::kCancelled) throw Error(ErrorCode::kCancelled, "cancelled");
  if (status == FrameStatus::kTimedOut) {
    output.reason =
        name + " took longer than " + std::to_string(limits.max_seconds) + " s (max_seconds)";
  } else if (status == FrameStatus::kMalformed) {
    output.reason = name + " gave more than 256 MiB";
  } else if (bytes.find_first_not_of(" \t\r\n\f") == std::string::npos) {
    output.reason = name + " found no text in it" + (end.empty() ? "" : " (" + end + ")");
  } else {
    output.ok = true;
    output.bytes = std::move(bytes);
  }
  return output;
}

}  // namespace

std::vector<ToolCommand> ToolsFor(std::string_view media_type) {
  const std::string input = "/dev/stdin";
  const auto text = [](std::string_view type) { return std::string(type); };
  if (media_type == media::kDoc) {
    return {{"/usr/bin/antiword",
             {"-w", "0", "-m", "UTF-8.txt", input},
             "antiword",
             text(media::kPlainText)},
            {"/usr/bin/catdoc", {"-w", "-d", "utf-8", input}, "catdoc", text(media::kPlainText)}};
  }
  if (media_type == media::kXls) {
    return {{"/usr/bin/xls2csv", {"-d", "utf-8", input}, "catdoc", text(media::kCsv)}};
  }
  if (media_type == media::kPpt) {
    return {{"/usr/bin/catppt", {"-d", "utf-8", input}, "catdoc", text(media::kPlainText)}};
  }
  if (media_type == media::kMsg) {
    return {{"/usr/bin/msgconvert",
             {"--outfile", "-", input},
             "libemail-outlook-message-perl",
             text(media::kEml)}};
  }
  if (media_type == media::kRtf) {
    return {{"/usr/bin/unrtf", {"--html", "--nopict", input}, "unrtf", text(media::kHtml)}};
  }
  return {};
}

std::optional<SymbolTool> SymbolToolFor(std::string_view media_type, std::string_view source) {
  // The extension by which ctags knows the language.
  constexpr auto kExtensionOf =
      std::to_array<std::pair<std::string_view, std::string_view>>({{media::kC, "c"},
                                                                    {media::kCpp, "cpp"},
                                                                    {media::kCSharp, "cs"},
                                                                    {media::kGo, "go"},
                                                                    {media::kJava, "java"},
                                                                    {media::kJavaScript, "js"},
                                                                    {media::kLua, "lua"},
                                                                    {media::kPerl, "pl"},
                                                                    {media::kPhp, "php"},
                                                                    {media::kPython, "py"},
                                                                    {media::kRuby, "rb"},
                                                                    {media::kRust, "rs"},
                                                                    {media::kShell, "sh"},
                                                                    {media::kSql, "sql"},
                                                                    {media::kTypeScript, "ts"}});
  const auto* row = std::find_if(kExtensionOf.begin(), kExtensionOf.end(),
                                 [&](const auto& r) { return r.first == media_type; });
  if (row == kExtensionOf.end()) return std::nullopt;
  // This mode reads the source behind a line of JSON, writes no file and shuts itself in.
  SymbolTool tool{{"/usr/bin/ctags-universal",
                   {"--quiet", "--options=NONE", "--_interactive=sandbox", "--fields=+neKsZ-PF"},
                   "universal-ctags",
                   ""},
                  R"({"command":"generate-tags","filename":"source.)"};
  tool.input.append(row->second)
      .append(R"(","size":)")
      .append(std::to_string(source.size()))
      .append("}\n")
      .append(source);
  return tool;
}

ToolOutput RunTool(const std::filesystem::path& worker_program, const ToolCommand& tool,
                   std::string_view bytes, const ExtractLimits& limits, const CancelFlag* cancel) {
  const Wait wait{std::chrono::steady_clock::now() + std::chrono::seconds(limits.max_seconds),
                  cancel};
  const FileDescriptor input = MemoryFile(bytes);
  Pair output = MakePipe();
  Pair control = MakeSocketPair();
  ChildProcess child(worker_program, {input.get(), output.theirs.get(), control.theirs.get()});
  output.theirs = FileDescriptor();
  control.theirs = FileDescriptor();

  WorkerRequest request;
  request.operation = WorkerOperation::kRunTool;
  request.extract.limits = limits;
  request.arguments = {tool.program.native()};
  request.arguments.insert(request.arguments.end(), tool.arguments.begin(), tool.arguments.end());
  const std::string head = EncodeRequest(request);
  FrameStatus status = SendFrame(control.ours.get(), {head, {}, {}}, wait);
  std::string printed;
  std::string end = "is gone";
  if (status == FrameStatus::kOk) {
    status = ReadToEnd(output.ours.get(), kMaxToolOutputBytes, wait, printed);
  }
  if (status == FrameStatus::kOk) end = child.Reap(wait);
  return Conclude(tool.program.filename().native(), status, end, std::move(printed), limits);
}

}  // namespace sworn::indexer
