// What each verb does: one facade call between a Command and what is printed. Each returns the exit
// status and throws sworn::Error.
#pragma once

#include <istream>

#include "api/service/config.h"
#include "api/service/knowledge_base.h"
#include "cli/args.h"
#include "cli/output.h"
#include "core/cancel.h"
#include "core/clock.h"

namespace sworn::cli {

/// What commands use besides the knowledge base. Everything referenced outlives it.
struct Session {
  const service::Config& config;
  Console& console;
  std::istream& in;  // for a text of "-"
  const Clock& clock;
  CancelFlag& cancel;
};

/// Opens the knowledge base where the command needs one and runs it.
int RunCommand(const Command& command, Session& session);

int RunIndex(service::KnowledgeBase& kb, const IndexCommand& command, Session& session);
int RunSearch(service::KnowledgeBase& kb, const SearchCommand& command, Session& session);
int RunAsk(service::KnowledgeBase& kb, const AskCommand& command, Session& session);

int RunSummarize(service::KnowledgeBase& kb, const SummarizeCommand& command, Session& session);
int RunTranslate(service::KnowledgeBase& kb, const TranslateCommand& command, Session& session);

int RunList(service::KnowledgeBase& kb, const ListCommand& command, Session& session);
int RunShow(service::KnowledgeBase& kb, const ShowCommand& command, Session& session);
int RunRemove(service::KnowledgeBase& kb, const RemoveCommand& command, Session& session);
int RunStatus(service::KnowledgeBase& kb, Session& session);

int RunCollectionList(service::KnowledgeBase& kb, Session& session);
int RunCollectionCreate(service::KnowledgeBase& kb, const CollectionCreateCommand& command,
                        Session& session);
int RunCollectionRemove(service::KnowledgeBase& kb, const CollectionRemoveCommand& command,
                        Session& session);

int RunAuditList(service::KnowledgeBase& kb, const AuditListCommand& command, Session& session);
int RunAuditShow(service::KnowledgeBase& kb, const AuditShowCommand& command, Session& session);
int RunAuditVerify(service::KnowledgeBase& kb, Session& session);
int RunAuditExport(service::KnowledgeBase& kb, Session& session);
int RunAuditReceipt(service::KnowledgeBase& kb, const AuditReceiptCommand& command,
                    Session& session);

int RunModelList(service::KnowledgeBase& kb, Session& session);
int RunModelImport(service::KnowledgeBase& kb, const ModelImportCommand& command, Session& session);
int RunModelPull(service::KnowledgeBase& kb, const ModelPullCommand& command, Session& session);
int RunModelVerify(service::KnowledgeBase& kb, const ModelVerifyCommand& command, Session& session);
int RunModelInfo(service::KnowledgeBase& kb, const ModelInfoCommand& command, Session& session);
int RunModelRemove(service::KnowledgeBase& kb, const ModelRemoveCommand& command, Session& session);
int RunModelLogits(const ModelLogitsCommand& command, Session& session);

int RunEmbed(service::KnowledgeBase& kb, const EmbedCommand& command, Session& session);

int RunEvalBeir(const EvalBeirCommand& command, Session& session);
int RunEvalAnswers(service::KnowledgeBase& kb, const EvalAnswersCommand& command, Session& session);

int RunBenchLlm(const BenchLlmCommand& command, Session& session);

int RunFsck(service::KnowledgeBase& kb, const FsckCommand& command, Session& session);
int RunDoctor(Session& session);
int RunBackup(service::KnowledgeBase& kb, const BackupCommand& command, Session& session);
int RunRestore(const RestoreCommand& command, Session& session);

/// The text itself, or standard input when it is "-" (its last line break dropped). Throws
/// kTooLarge above 64 KiB; reads no more than one byte beyond.
std::string ReadText(const std::string& text, std::istream& in);

}  // namespace sworn::cli
