#include <array>
#include <cstdio>

#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/signals.h"

namespace sworn::cli {
namespace {

std::string Decimal(double value) {
  std::array<char, 32> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.4f", value);
  return std::string(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

}  // namespace

int RunEvalBeir(const EvalBeirCommand& command, Session& session) {
  Console& console = session.console;
  const CancelOnSignal stop(session.cancel);
  ProgressPrinter printer(console, session.clock);
  const service::BeirReport report = service::EvaluateBeir(
      session.config, command.folder, command.modes,
      [&printer](const service::IndexProgress& state) { printer.Show(state); }, session.cancel);
  printer.Clear();
  if (console.json) {
    PrintJson(console.out, service::ToJson(report));
    return kExitSuccess;
  }
  console.out << OneLine(report.collection) << ": " << WithThousands(report.documents)
              << " documents, " << WithThousands(report.queries) << " queries, "
              << WithThousands(report.chunks) << " chunks\n";
  std::vector<std::vector<std::string>> rows = {{"MODE", "NDCG@10", "RECALL@100", "MRR", "P"}};
  for (const auto& mode : report.modes) {
    rows.push_back({mode.mode, Decimal(mode.ndcg_at_10), Decimal(mode.recall_at_100),
                    Decimal(mode.mrr),
                    mode.p_value_vs_keyword ? Decimal(*mode.p_value_vs_keyword) : ""});
  }
  PrintTable(console, rows);
  return kExitSuccess;
}

int RunEvalAnswers(service::KnowledgeBase& kb, const EvalAnswersCommand& command,
                   Session& session) {
  Console& console = session.console;
  const CancelOnSignal stop(session.cancel);
  const service::AnswerEvaluation evaluation =
      service::EvaluateAnswers(kb, command.file, command.split, session.cancel);
  if (console.json) {
    PrintJson(console.out, service::ToJson(evaluation));
    return kExitSuccess;
  }
  PrintFields(console, {{"Questions", WithThousands(evaluation.questions)},
                        {"Answerable", WithThousands(evaluation.answerable)},
                        {"Answered", WithThousands(evaluation.answered)},
                        {"Sentence accuracy", Decimal(evaluation.sentence_accuracy)},
                        {"Citation precision", Decimal(evaluation.citation_precision)},
                        {"Abstention precision", Decimal(evaluation.abstention_precision)},
                        {"Abstention recall", Decimal(evaluation.abstention_recall)},
                        {"Latency p50", Decimal(evaluation.latency_p50_ms) + " ms"}});
  if (console.verbose) {
    for (const std::string& mistake : evaluation.mistakes) {
      console.out << "Mistake: " << OneLine(mistake) << '\n';
    }
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
