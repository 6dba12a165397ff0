#include <algorithm>
#include <filesystem>

#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "core/error.h"

namespace sworn::cli {
namespace {

using nlohmann::json;

}  // namespace

int RunFsck(service::KnowledgeBase& kb, const FsckCommand& command, Session& session) {
  Console& console = session.console;
  const std::vector<json> faults = kb.Fsck(command.repair, [&console](std::string_view what) {
    if (console.verbose) PrintNote(console, std::string(what));
  });
  const bool sound = std::all_of(faults.begin(), faults.end(),
                                 [](const json& fault) { return fault.value("repaired", false); });
  if (console.json) {
    PrintJson(console.out, {{"ok", sound}, {"faults", faults}});
  } else if (faults.empty()) {
    console.out << "No fault found.\n";
  } else {
    for (const json& fault : faults) {
      console.out << (fault.value("repaired", false) ? "repaired: " : "fault: ")
                  << OneLine(fault.value("where", "")) << ": " << OneLine(fault.value("reason", ""))
                  << '\n';
    }
  }
  return sound ? kExitSuccess : kExitDamage;
}

int RunDoctor(Session& session) {
  Console& console = session.console;
  const std::vector<service::DoctorFinding> findings = service::Doctor(session.config);
  const bool fit = std::all_of(findings.begin(), findings.end(),
                               [](const auto& finding) { return finding.ok || !finding.required; });
  if (console.json) {
    json list = json::array();
    for (const auto& finding : findings) list.push_back(service::ToJson(finding));
    PrintJson(console.out, {{"ok", fit}, {"findings", list}});
  } else {
    std::vector<std::vector<std::string>> rows = {{"CHECK", "RESULT", "DETAIL"}};
    for (const auto& finding : findings) {
      const char* result = "ok";
      if (!finding.ok) result = finding.required ? "FAULT" : "absent";
      rows.push_back({finding.subject, result, finding.detail});
    }
    PrintTable(console, rows);
  }
  return fit ? kExitSuccess : ExitCode(ErrorCode::kNotConfigured);
}

int RunBackup(service::KnowledgeBase& kb, const BackupCommand& command, Session& session) {
  Console& console = session.console;
  kb.Backup(command.file, command.with_keys);
  const std::uint64_t bytes = std::filesystem::file_size(command.file);
  if (console.json) {
    PrintJson(
        console.out,
        {{"file", command.file.native()}, {"bytes", bytes}, {"with_keys", command.with_keys}});
  } else {
    console.out << "Written: " << OneLine(command.file.native()) << " (" << ByteSize(bytes)
                << ")\n";
    if (!command.with_keys) {
      PrintNote(console, "Without the keys of the log's payloads; --with-keys includes them.");
    }
  }
  return kExitSuccess;
}

int RunRestore(const RestoreCommand& command, Session& session) {
  Console& console = session.console;
  service::Restore(session.config, command.file, command.reason);
  if (console.json) {
    PrintJson(console.out, {{"kb", session.config.kb.native()}, {"restored", true}});
  } else {
    console.out << "Restored: " << OneLine(session.config.kb.native()) << '\n';
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
