#include "api/service/knowledge_base.h"

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

#include "api/service/backup.h"
#include "api/service/components.h"
#include "api/service/embedder_choice.h"
#include "api/service/evidence.h"
#include "api/service/index_service.h"
#include "api/service/model_service.h"
#include "api/service/query_service.h"
#include "api/service/version.h"
#include "api/service/writing_service.h"
#include "audit/audit_log.h"
#include "audit/audit_reader.h"
#include "audit/audit_verify.h"
#include "core/crypto.h"
#include "core/error.h"
#include "retriever/extractive.h"

namespace sworn::service {
namespace {

using nlohmann::json;
using store::DocumentInfo;

class LocalKnowledgeBase : public KnowledgeBase {
 public:
  explicit LocalKnowledgeBase(std::unique_ptr<Components> parts) : parts_(std::move(parts)) {}

  IndexReport Index(const IndexRequest& request, const ProgressSink& progress,
                    const CancelFlag& cancel) override {
    return RunIndexRequest(*parts_, Log(), request, progress, cancel);
  }

  void Watch(const IndexRequest& request, const ProgressSink& progress,
             const std::function<void(const IndexReport&)>& report,
             const CancelFlag& cancel) override {
    RunWatch(*parts_, Log(), request, progress, report, cancel);
  }

  SearchResponse Search(const SearchRequest& request) override {
    return RunSearch(*parts_, Log(), request);
  }

  AskResponse Ask(const AskRequest& request, const SentenceSink& sink,
                  const CancelFlag& cancel) override {
    return RunAsk(*parts_, Log(), request, sink, cancel);
  }

  AskResponse Summarize(const SummarizeRequest& request, const SentenceSink& sink,
                        const CancelFlag& cancel) override {
    return RunSummarize(*parts_, Log(), request, sink, cancel);
  }

  TranslateResponse Translate(const TranslateRequest& request, const TextSink& on_text,
                              const CancelFlag& cancel) override {
    return RunTranslate(*parts_, Log(), request, on_text, cancel);
  }

  std::vector<DocumentInfo> List(const ListRequest& request) override {
    return parts_->store->List({.collections = request.collections,
                                .with_withdrawn = request.with_withdrawn,
                                .limit = request.limit,
                                .after_document_id = request.after});
  }

  DocumentInfo Show(const std::string& id_or_path) override {
    std::vector<DocumentInfo> found = parts_->store->Find(id_or_path);
    if (found.empty()) throw Error(ErrorCode::kNotFound, "no document '" + id_or_path + "'");
    if (found.size() > 1) {
      throw Error(ErrorCode::kConflict,
                  "'" + id_or_path + "' fits " + std::to_string(found.size()) +
                      " documents: " + found[0].path + ", " + found[1].path + ", ...");
    }
    return std::move(found.front());
  }

  std::string ShowText(const std::string& id_or_path, std::uint32_t version) override {
    const DocumentInfo document = Show(id_or_path);
    auto text = parts_->store->LoadText(document.document_id, version);
    if (!text) {
      throw Error(ErrorCode::kNotFound,
                  document.path + " has no version " + std::to_string(version) + " with a text");
    }
    return std::move(*text);
  }

  RemoveReport Remove(const std::string& id_or_path) override {
    return RunRemove(*parts_, Log(), id_or_path);
  }

  StatusReport Status() override {
    StatusReport report;
    report.kb_folder = parts_->config.kb.native();
    report.kb_id = parts_->identity.kb_id;
    report.version = kVersion;
    report.collections = parts_->store->Collections();
    report.audit_entries = Log().Size();
    report.catalog_bytes = std::filesystem::file_size(parts_->config.kb / "catalog.db");
    report.model_id = parts_->config.model;
    if (const auto model = parts_->registry->Find(report.model_id)) {
      report.model_sha256 = model->sha256;
    } else if (report.model_id == "extractive") {
      report.model_id = retriever::kExtractiveModelId;
    }
    return report;
  }

  std::vector<store::CollectionInfo> Collections() override { return parts_->store->Collections(); }

  void CreateCollection(const std::string& name) override {
    parts_->store->CreateCollection(name);
    RecordCollection(audit::EntryType::kCollectionCreated, name, IdOf(name));
  }

  void RemoveCollection(const std::string& name) override {
    const std::string id = IdOf(name);
    parts_->store->RemoveCollection(name);
    RecordCollection(audit::EntryType::kCollectionRemoved, name, id);
  }

  std::vector<json> AuditList(const AuditListRequest& request) override {
    audit::AuditReader::Filter filter{
        .limit = request.limit, .type = {}, .since_ms = request.since_ms};
    if (!request.type.empty()) {
      filter.type = audit::EntryTypeFromName(request.type);
      if (!filter.type) {
        throw Error(ErrorCode::kInvalidArgument, "no audit entry has type '" + request.type + "'");
      }
    }
    audit::AuditReader reader(parts_->config.kb);
    std::vector<json> entries = reader.List(filter);
    Log().Append(audit::LogReadEvent(audit::EntryType::kRead, 0, entries.size()));
    return entries;
  }

  json AuditShow(std::uint64_t index) override {
    json entry = audit::AuditReader(parts_->config.kb).Show(index);
    Log().Append(audit::LogReadEvent(audit::EntryType::kRead, index, 1));
    return entry;
  }

  json AuditVerify() override {
    json report = VerifyFolder(parts_->config.kb);
    if (report["ok"].get<bool>()) Log().Append(audit::VerifyEvent(true, report["entries"]));
    return report;
  }

  void AuditExport(const std::function<void(const json&)>& line) override {
    audit::AuditReader reader(parts_->config.kb);
    Log().Append(audit::LogReadEvent(audit::EntryType::kExport, 0, reader.Size()));
    reader.Export(line);
  }

  std::string AuditReceipt(std::uint64_t index) override {
    return audit::AuditReader(parts_->config.kb).ReceiptOf(index).tlog_proof;
  }

  std::vector<ModelEntry> Models() override { return parts_->registry->List(); }

  ModelEntry ModelInfo(const std::string& id) override { return parts_->registry->Get(id); }

  ModelEntry VerifyModel(const std::string& id) override {
    ModelEntry entry = parts_->registry->Get(id);
    parts_->registry->Verify(entry);
    return entry;
  }

  ModelEntry RemoveModel(const std::string& id) override {
    return service::RemoveModel(*parts_, Log(), id);
  }

  ModelEntry ImportModel(const ModelImportRequest& request, const ProgressSink& progress,
                         const CancelFlag& cancel) override {
    return service::ImportModel(*parts_, Log(), request, progress, cancel);
  }

  ModelEntry PullModel(const ModelPullRequest& request, const ProgressSink& progress,
                       const CancelFlag& cancel) override {
    return service::PullModel(*parts_, Log(), request, progress, cancel);
  }

  EmbedResponse Embed(const EmbedRequest& request) override { return RunEmbed(*parts_, request); }

  std::vector<json> Fsck(bool repair,
                         const std::function<void(std::string_view)>& progress) override {
    std::vector<json> faults;
    for (const store::IntegrityFault& fault : parts_->store->Check(repair, progress)) {
      faults.push_back(
          {{"where", fault.where}, {"reason", fault.reason}, {"repaired", fault.repaired}});
    }
    progress("audit log");
    const json log = VerifyFolder(parts_->config.kb);
    if (!log["ok"].get<bool>()) {
      faults.push_back({{"where", "audit log"}, {"reason", log["reason"]}, {"repaired", false}});
    }
    return faults;
  }

  void Backup(const std::filesystem::path& file, bool with_keys) override {
    WriteBackup(*parts_, Log(), file, with_keys);
  }

 private:
  std::string IdOf(const std::string& name) {
    for (const store::CollectionInfo& collection : parts_->store->Collections()) {
      if (collection.name == name) return collection.collection_id;
    }
    throw Error(ErrorCode::kNotFound, "no collection '" + name + "'");
  }

  void RecordCollection(audit::EntryType type, const std::string& name, const std::string& id) {
    Log().Append(audit::CollectionEvent(type, id, {{"name", name}}));
  }

  static json VerifyFolder(const std::filesystem::path& folder) {
    const audit::VerifyReport report = audit::VerifyLog(folder, {});
    json out = {{"ok", report.ok},
                {"fault", audit::VerifyFaultName(report.fault)},
                {"entries", report.entries},
                {"checkpoints", report.checkpoints},
                {"payloads", report.payloads},
                {"payloads_missing", report.payloads_missing},
                {"open_intents", report.open_intents},
                {"first_bad", nullptr},
                {"reason", nullptr},
                {"size", report.head.size},
                {"root", ToHex(report.head.root)},
                {"restored", report.restored}};
    if (report.first_bad) out["first_bad"] = *report.first_bad;
    if (!report.reason.empty()) out["reason"] = report.reason;
    return out;
  }

  // Opened at first use: a broken log must not keep anybody from verifying it.
  audit::AuditLog& Log() {
    const std::lock_guard lock(log_mutex_);
    if (log_ == nullptr) {
      log_ = std::make_unique<audit::AuditLog>(parts_->config.kb, parts_->identity.kb_id,
                                               MakeActor(parts_->config), parts_->files,
                                               parts_->clock);
    }
    return *log_;
  }

  std::unique_ptr<Components> parts_;
  std::mutex log_mutex_;  // guards log_
  std::unique_ptr<audit::AuditLog> log_;
};

}  // namespace

std::unique_ptr<KnowledgeBase> KnowledgeBase::Open(const Config& config, bool create) {
  return std::make_unique<LocalKnowledgeBase>(Compose(config, create));
}

}  // namespace sworn::service
