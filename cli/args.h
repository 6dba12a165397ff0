// From the words of a command line to a Command.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/service/bench_llm.h"
#include "api/service/knowledge_base.h"
#include "api/service/model_logits.h"
#include "api/service/requests.h"

namespace sworn::cli {

/// Accepted before and after the verb.
struct GlobalOptions {
  std::optional<std::string> kb;
  std::optional<std::string> config;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

/// --help and --version: a text for stdout and nothing else to do.
struct PrintCommand {
  std::string text;
};
struct IndexCommand {
  service::IndexRequest request;
  bool watch = false;
};
/// A text of "-" stands for standard input.
struct SearchCommand {
  service::SearchRequest request;
  bool explain = false;
};
/// What the verbs that a model serves have in common.
struct WritingOutput {
  bool stream = false;  // sentences as they come
  bool timing = false;
  std::optional<std::uint32_t> threads;  // instead of the configured number
};
struct AskCommand {
  service::AskRequest request;
  WritingOutput output;
};
struct SummarizeCommand {
  service::SummarizeRequest request;
  WritingOutput output;
};
struct TranslateCommand {
  service::TranslateRequest request;
  WritingOutput output;
};
struct ListCommand {
  service::ListRequest request;
};
struct ShowCommand {
  std::string id_or_path;
  bool text = false;
  std::uint32_t version = 0;  // 0: the newest
};
struct RemoveCommand {
  std::string id_or_path;
};
struct StatusCommand {};
struct CollectionListCommand {};
struct CollectionCreateCommand {
  std::string name;
};
struct CollectionRemoveCommand {
  std::string name;
};
struct AuditListCommand {
  service::KnowledgeBase::AuditListRequest request;
};
struct AuditShowCommand {
  std::uint64_t index = 0;
};
struct AuditVerifyCommand {};
struct AuditExportCommand {};
struct AuditReceiptCommand {
  std::uint64_t index = 0;
};
struct ModelListCommand {};
struct ModelImportCommand {
  service::ModelImportRequest request;
};
struct ModelPullCommand {
  service::ModelPullRequest request;
};
struct ModelVerifyCommand {
  std::string id;
};
struct ModelInfoCommand {
  std::string id;
};
struct ModelRemoveCommand {
  std::string id;
};
struct ModelLogitsCommand {
  service::LogitsRequest request;
  std::optional<std::uint32_t> threads;  // instead of the configured ones
};
/// A text of "-" stands for standard input.
struct EmbedCommand {
  service::EmbedRequest request;
};
struct EvalBeirCommand {
  service::BeirRequest request;
};
struct EvalAnswersCommand {
  std::filesystem::path file;
  std::string split;
};
struct BenchLlmCommand {
  service::BenchLlmRequest request;
  std::optional<std::uint32_t> threads;  // instead of the configured number
};
struct FsckCommand {
  bool repair = false;
};
struct DoctorCommand {};
struct BackupCommand {
  std::filesystem::path file;
  bool with_keys = false;
};
struct RestoreCommand {
  std::filesystem::path file;
  std::string reason;
};

using Command =
    std::variant<PrintCommand, IndexCommand, SearchCommand, AskCommand, SummarizeCommand,
                 TranslateCommand, ListCommand, ShowCommand, RemoveCommand, StatusCommand,
                 CollectionListCommand, CollectionCreateCommand, CollectionRemoveCommand,
                 AuditListCommand, AuditShowCommand, AuditVerifyCommand, AuditExportCommand,
                 AuditReceiptCommand, ModelListCommand, ModelImportCommand, ModelPullCommand,
                 ModelVerifyCommand, ModelInfoCommand, ModelRemoveCommand, ModelLogitsCommand,
                 EmbedCommand, EvalBeirCommand, EvalAnswersCommand, BenchLlmCommand, FsckCommand,
                 DoctorCommand, BackupCommand, RestoreCommand>;

struct Arguments {
  GlobalOptions global;
  Command command;
};

/// `words` are argv without the program's name. Throws kInvalidArgument that names the word at
/// fault, with the verb or option that may have been meant.
Arguments ParseArguments(const std::vector<std::string>& words);

/// Whether errors are wanted as JSON, told even from a command line that cannot be parsed.
bool WantsJson(const std::vector<std::string>& words);

}  // namespace sworn::cli
