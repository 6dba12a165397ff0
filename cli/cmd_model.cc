#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "core/clock.h"

namespace sworn::cli {
namespace {

using service::ModelEntry;

constexpr std::size_t kShortDigest = 12;

const char* KindOf(const ModelEntry& model) { return model.embedding ? "embedder" : "generator"; }

void PrintModel(Console& console, const ModelEntry& model) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"Model", model.id},       {"Architecture", model.architecture},
      {"Kind", KindOf(model)},   {"Size", ByteSize(model.bytes)},
      {"SHA-256", model.sha256}, {"Imported", FormatRfc3339(model.imported_ms)},
      {"Source", model.source},  {"File", "models/" + model.file}};
  if (model.embedding) {
    fields.emplace_back("Pooling", model.embedding->pooling);
    fields.emplace_back("Vectors", model.embedding->storage);
    fields.emplace_back("Query prefix", model.embedding->query_prefix);
    fields.emplace_back("Passage prefix", model.embedding->passage_prefix);
  }
  PrintFields(console, fields);
}

// "Imported 2b, 1.1 GiB, sha256 ...", or the whole as JSON.
int Report(Console& console, const char* what, const ModelEntry& model) {
  if (console.json) {
    PrintJson(console.out, service::ToJson(model));
  } else {
    console.out << what << ' ' << OneLine(model.id) << ", " << ByteSize(model.bytes) << ", sha256 "
                << model.sha256 << '\n';
  }
  return kExitSuccess;
}

}  // namespace

int RunModelList(service::KnowledgeBase& kb, Session& session) {
  Console& console = session.console;
  const std::vector<ModelEntry> models = kb.Models();
  if (console.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const ModelEntry& model : models) list.push_back(service::ToJson(model));
    PrintJson(console.out, {{"data", list}, {"next", nullptr}});
    return kExitSuccess;
  }
  std::vector<std::vector<std::string>> rows = {
      {"MODEL", "KIND", "ARCHITECTURE", "SIZE", "SHA-256"}};
  for (const ModelEntry& model : models) {
    rows.push_back({model.id, KindOf(model), model.architecture, ByteSize(model.bytes),
                    model.sha256.substr(0, kShortDigest)});
  }
  PrintTable(console, rows);
  if (models.empty()) PrintNote(console, "No model; `sworn model import FILE` takes one.");
  return kExitSuccess;
}

int RunModelImport(service::KnowledgeBase& kb, const ModelImportCommand& command,
                   Session& session) {
  const CancelOnSignal stop(session.cancel);
  ProgressPrinter printer(session.console, session.clock);
  const ModelEntry model = kb.ImportModel(
      command.request, [&printer](const service::IndexProgress& state) { printer.Show(state); },
      session.cancel);
  printer.Clear();
  return Report(session.console, "Imported", model);
}

int RunModelPull(service::KnowledgeBase& kb, const ModelPullCommand& command, Session& session) {
  const CancelOnSignal stop(session.cancel);
  ProgressPrinter printer(session.console, session.clock);
  const ModelEntry model = kb.PullModel(
      command.request, [&printer](const service::IndexProgress& state) { printer.Show(state); },
      session.cancel);
  printer.Clear();
  return Report(session.console, "Pulled", model);
}

int RunModelVerify(service::KnowledgeBase& kb, const ModelVerifyCommand& command,
                   Session& session) {
  return Report(session.console, "Verified", kb.VerifyModel(command.id));
}

int RunModelInfo(service::KnowledgeBase& kb, const ModelInfoCommand& command, Session& session) {
  const ModelEntry model = kb.ModelInfo(command.id);
  if (session.console.json) {
    PrintJson(session.console.out, service::ToJson(model));
  } else {
    PrintModel(session.console, model);
  }
  return kExitSuccess;
}

int RunModelRemove(service::KnowledgeBase& kb, const ModelRemoveCommand& command,
                   Session& session) {
  return Report(session.console, "Removed", kb.RemoveModel(command.id));
}

int RunModelLogits(const ModelLogitsCommand& command, Session& session) {
  const CancelOnSignal stop(session.cancel);
  service::Config config = session.config;
  if (command.threads) config.threads = *command.threads;
  service::ValidateConfig(config);
  FileOps ops;
  const service::LogitsReport report =
      service::WriteLogits(config, command.request, ops, session.cancel);
  Console& console = session.console;
  if (console.json) {
    PrintJson(console.out, {{"file", command.request.out.native()},
                            {"tokens", report.tokens},
                            {"vocabulary", report.vocabulary},
                            {"kernels", report.kernels},
                            {"threads", report.threads}});
  } else {
    console.out << "Wrote the logits of " << WithThousands(report.tokens) << " tokens, "
                << WithThousands(report.vocabulary) << " each, with kernels " << report.kernels
                << " on " << report.threads << (report.threads == 1 ? " thread\n" : " threads\n");
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
