#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/signals.h"

namespace sworn::cli {
namespace {

void PrintReport(Console& console, const service::IndexReport& report) {
  if (console.json) {
    PrintJson(console.out, service::ToJson(report));
  } else {
    PrintNotes(console, report);
    console.err.flush();  // the summary is the last line also where both streams are one file
    console.out << IndexSummary(report) << '\n';
    if (console.verbose) {
      PrintNote(console, WithThousands(report.chunks) + " chunks of " +
                             ByteSize(report.text_bytes) + " text written, generation " +
                             std::to_string(report.generation));
    }
  }
  console.out.flush();
}

int StopStatus() {
  const int signal_number = ReceivedSignal();
  return signal_number == 0 ? kExitInterrupted : 128 + signal_number;
}

}  // namespace

int RunIndex(service::KnowledgeBase& kb, const IndexCommand& command, Session& session) {
  const CancelOnSignal stop(session.cancel);
  ProgressPrinter printer(session.console, session.clock);
  const auto progress = [&printer](const service::IndexProgress& state) { printer.Show(state); };
  if (command.watch) {
    kb.Watch(
        command.request, progress,
        [&](const service::IndexReport& report) {
          printer.Clear();
          PrintReport(session.console, report);
        },
        session.cancel);
    return StopStatus();
  }
  const service::IndexReport report = kb.Index(command.request, progress, session.cancel);
  printer.Clear();
  if (report.cancelled) {
    PrintNote(session.console,
              "Interrupted. What is indexed stays; the same command goes on from there.");
  }
  PrintReport(session.console, report);
  if (report.cancelled) return StopStatus();
  return report.failed > 0 ? kExitPartial : kExitSuccess;
}

}  // namespace sworn::cli
