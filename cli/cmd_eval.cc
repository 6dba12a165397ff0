#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/signals.h"

namespace sworn::cli {
namespace {

std::string Decimal(double value, int digits = 4) {
  std::array<char, 32> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return std::string(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

std::string Decimal(const std::optional<double>& value, int digits = 4) {
  return value ? Decimal(*value, digits) : "";
}

void PrintScores(Console& console, const std::vector<service::BeirScores>& modes,
                 const std::vector<service::BeirScores>& legs) {
  std::vector<std::vector<std::string>> rows = {
      {"MODE", "NDCG@10", "RECALL@100", "MRR", "P", "P50 MS", "P99 MS"}};
  const auto add = [&rows](const service::BeirScores& scores, const std::string& name) {
    rows.push_back({name, Decimal(scores.ndcg_at_10), Decimal(scores.recall_at_100),
                    Decimal(scores.mrr), Decimal(scores.p_value_vs_keyword),
                    Decimal(scores.p50_ms, 1), Decimal(scores.p99_ms, 1)});
  };
  for (const service::BeirScores& mode : modes) add(mode, mode.name);
  for (const service::BeirScores& leg : legs) {
    add(leg, "leg " + leg.name + (leg.ran == 0 ? " (did not run)" : ""));
  }
  PrintTable(console, rows);
}

}  // namespace

int RunEvalBeir(const EvalBeirCommand& command, Session& session) {
  Console& console = session.console;
  const CancelOnSignal stop(session.cancel);
  ProgressPrinter printer(console, session.clock);
  const service::BeirEvaluation evaluation = service::EvaluateBeir(
      session.config, command.request,
      [&printer](const service::IndexProgress& state) { printer.Show(state); }, session.cancel);
  printer.Clear();
  if (console.json) {
    PrintJson(console.out, service::ToJson(evaluation));
    return kExitSuccess;
  }
  for (const service::BeirReport& report : evaluation.collections) {
    console.out << OneLine(report.collection) << ": " << WithThousands(report.documents)
                << " documents, " << WithThousands(report.queries) << " queries, "
                << WithThousands(report.chunks) << " chunks"
                << (evaluation.mixed ? " in the common index\n" : "\n");
    PrintScores(console, report.modes, report.legs);
  }
  if (!evaluation.mean_modes.empty()) {
    console.out << "Mean of " << evaluation.collections.size() << " collections\n";
    PrintScores(console, evaluation.mean_modes, evaluation.mean_legs);
  }
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
