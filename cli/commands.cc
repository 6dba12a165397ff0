#include "cli/commands.h"

#include <memory>
#include <variant>

#include "core/error.h"

namespace sworn::cli {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{64} * 1024;

// One overload per command; which of them open the knowledge base, and how, can be read off here.
class Dispatcher {
 public:
  explicit Dispatcher(Session& session) : session_(session) {}

  int operator()(const PrintCommand& command) {
    session_.console.out << command.text;
    return 0;
  }
  int operator()(const IndexCommand& command) { return RunIndex(*Create(), command, session_); }
  int operator()(const SearchCommand& command) { return RunSearch(*Open(), command, session_); }
  int operator()(const AskCommand& command) {
    return RunAsk(*OpenWith(command.output), command, session_);
  }
  int operator()(const SummarizeCommand& command) {
    return RunSummarize(*OpenWith(command.output), command, session_);
  }
  int operator()(const TranslateCommand& command) {
    return RunTranslate(*OpenWith(command.output), command, session_);
  }
  int operator()(const ListCommand& command) { return RunList(*Open(), command, session_); }
  int operator()(const ShowCommand& command) { return RunShow(*Open(), command, session_); }
  int operator()(const RemoveCommand& command) { return RunRemove(*Open(), command, session_); }
  int operator()(const StatusCommand& /*command*/) { return RunStatus(*Open(), session_); }
  int operator()(const CollectionListCommand& /*command*/) {
    return RunCollectionList(*Open(), session_);
  }
  int operator()(const CollectionCreateCommand& command) {
    return RunCollectionCreate(*Create(), command, session_);
  }
  int operator()(const CollectionRemoveCommand& command) {
    return RunCollectionRemove(*Open(), command, session_);
  }
  int operator()(const AuditListCommand& command) {
    return RunAuditList(*Open(), command, session_);
  }
  int operator()(const AuditShowCommand& command) {
    return RunAuditShow(*Open(), command, session_);
  }
  int operator()(const AuditVerifyCommand& /*command*/) {
    return RunAuditVerify(*Open(), session_);
  }
  int operator()(const AuditExportCommand& /*command*/) {
    return RunAuditExport(*Open(), session_);
  }
  int operator()(const AuditReceiptCommand& command) {
    return RunAuditReceipt(*Open(), command, session_);
  }
  int operator()(const EmbedCommand& command) { return RunEmbed(*Open(), command, session_); }
  int operator()(const ModelListCommand& /*command*/) { return RunModelList(*Open(), session_); }
  int operator()(const ModelImportCommand& command) {
    return RunModelImport(*Create(), command, session_);
  }
  int operator()(const ModelPullCommand& command) {
    return RunModelPull(*Create(), command, session_);
  }
  int operator()(const ModelVerifyCommand& command) {
    return RunModelVerify(*Open(), command, session_);
  }
  int operator()(const ModelInfoCommand& command) {
    return RunModelInfo(*Open(), command, session_);
  }
  int operator()(const ModelRemoveCommand& command) {
    return RunModelRemove(*Open(), command, session_);
  }
  int operator()(const ModelLogitsCommand& command) { return RunModelLogits(command, session_); }
  int operator()(const EvalBeirCommand& command) { return RunEvalBeir(command, session_); }
  int operator()(const EvalAnswersCommand& command) {
    return RunEvalAnswers(*Open(), command, session_);
  }
  int operator()(const BenchLlmCommand& command) { return RunBenchLlm(command, session_); }
  int operator()(const FsckCommand& command) { return RunFsck(*Open(), command, session_); }
  int operator()(const DoctorCommand& /*command*/) { return RunDoctor(session_); }
  int operator()(const BackupCommand& command) { return RunBackup(*Open(), command, session_); }
  int operator()(const RestoreCommand& command) { return RunRestore(command, session_); }

 private:
  std::unique_ptr<service::KnowledgeBase> Open() {
    return service::KnowledgeBase::Open(session_.config, false);
  }
  std::unique_ptr<service::KnowledgeBase> OpenWith(const WritingOutput& options) {
    service::Config config = session_.config;
    config.threads = options.threads.value_or(config.threads);
    return service::KnowledgeBase::Open(config, false);
  }
  std::unique_ptr<service::KnowledgeBase> Create() {
    return service::KnowledgeBase::Open(session_.config, true);
  }

  Session& session_;
};

}  // namespace

int RunCommand(const Command& command, Session& session) {
  return std::visit(Dispatcher(session), command);
}

std::string ReadText(const std::string& text, std::istream& in) {
  std::string read = text;
  if (text == "-") {
    read.resize(kMaxTextBytes + 1);
    in.read(read.data(), static_cast<std::streamsize>(read.size()));
    read.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad()) throw Error(ErrorCode::kInternal, "cannot read standard input");
  }
  if (read.size() > kMaxTextBytes) {
    throw Error(ErrorCode::kTooLarge, "the text is larger than 64 KiB");
  }
  if (text == "-" && !read.empty() && read.back() == '\n') read.pop_back();
  return read;
}

}  // namespace sworn::cli
