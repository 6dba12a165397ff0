#include "cli/commands.h"
#include "cli/exit_code.h"
#include "core/text/unicode.h"

namespace sworn::cli {
namespace {

using nlohmann::json;

std::string Dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

// A field as a cell: text without quotation marks, anything else as JSON, nothing for null.
std::string Cell(const json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : Dump(*found, -1);
}

}  // namespace

int RunAuditList(service::KnowledgeBase& kb, const AuditListCommand& command, Session& session) {
  Console& console = session.console;
  const std::vector<json> entries = kb.AuditList(command.request);
  if (console.json) {
    PrintJson(console.out, {{"data", entries}, {"next", nullptr}});
    return kExitSuccess;
  }
  if (console.verbose) {
    for (const json& entry : entries) console.out << OneLine(Dump(entry, -1)) << '\n';
    return kExitSuccess;
  }
  std::vector<std::vector<std::string>> rows = {{"ENTRY", "TIME", "TYPE"}};
  for (const json& entry : entries) {
    rows.push_back({Cell(entry, "index"), Cell(entry, "time"), Cell(entry, "type")});
  }
  if (entries.empty()) {
    PrintNote(console, "No entries.");
  } else {
    PrintTable(console, rows);
  }
  return kExitSuccess;
}

int RunAuditShow(service::KnowledgeBase& kb, const AuditShowCommand& command, Session& session) {
  const json entry = kb.AuditShow(command.index);
  if (session.console.json) {
    PrintJson(session.console.out, entry);
  } else {
    session.console.out << text::ForTerminal(Dump(entry, 2)) << '\n';
  }
  return kExitSuccess;
}

int RunAuditVerify(service::KnowledgeBase& kb, Session& session) {
  Console& console = session.console;
  const json report = kb.AuditVerify();
  const bool sound = report.value("ok", false);
  if (console.json) {
    PrintJson(console.out, report);
  } else if (sound) {
    console.out << "The log is sound: " << Cell(report, "entries") << " entries, "
                << Cell(report, "checkpoints") << " checkpoints, root "
                << OneLine(Cell(report, "root")) << '\n';
  } else {
    const std::string first = Cell(report, "first_bad");
    console.out << "The log is NOT sound: "
                << (first.empty() ? std::string() : "entry " + first + ": ")
                << OneLine(Cell(report, "reason")) << '\n';
  }
  return sound ? kExitSuccess : kExitDamage;
}

int RunAuditExport(service::KnowledgeBase& kb, Session& session) {
  // JSON lines with and without --json: an export is for programs.
  kb.AuditExport([&](const json& line) { PrintJson(session.console.out, line); });
  return kExitSuccess;
}

int RunAuditReceipt(service::KnowledgeBase& kb, const AuditReceiptCommand& command,
                    Session& session) {
  const std::string receipt = kb.AuditReceipt(command.index);
  if (session.console.json) {
    PrintJson(session.console.out, {{"index", command.index}, {"receipt", receipt}});
  } else {
    session.console.out << receipt;
    if (!receipt.ends_with('\n')) session.console.out << '\n';
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
