// A knowledge base that remembers what it was asked and answers what the test put in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/service/knowledge_base.h"

namespace sworn::test {

class FakeKnowledgeBase : public service::KnowledgeBase {
 public:
  service::IndexReport Index(const service::IndexRequest& request,
                             const service::ProgressSink& progress,
                             const CancelFlag& /*cancel*/) override {
    index_request = request;
    for (const auto& state : progress_to_report) progress(state);
    return index_report;
  }
  void Watch(const service::IndexRequest& request, const service::ProgressSink& /*progress*/,
             const std::function<void(const service::IndexReport&)>& report,
             const CancelFlag& /*cancel*/) override {
    index_request = request;
    report(index_report);
    report(index_report);
  }
  service::SearchResponse Search(const service::SearchRequest& request) override {
    search_request = request;
    return search_response;
  }
  using service::KnowledgeBase::Ask;
  service::AskResponse Ask(const service::AskRequest& request, const service::SentenceSink& sink,
                           const CancelFlag& /*cancel*/) override {
    ask_request = request;
    if (sink) {
      for (const auto& sentence : ask_response.sentences) sink(sentence, ask_response.citations);
    }
    return ask_response;
  }
  service::AskResponse Summarize(const service::SummarizeRequest& request,
                                 const service::SentenceSink& /*sink*/,
                                 const CancelFlag& /*cancel*/) override {
    summarize_request = request;
    return ask_response;
  }
  service::TranslateResponse Translate(const service::TranslateRequest& request,
                                       const TextSink& on_text,
                                       const CancelFlag& /*cancel*/) override {
    translate_request = request;
    if (on_text) on_text(translate_response.text);
    return translate_response;
  }
  std::vector<store::DocumentInfo> List(const service::ListRequest& request) override {
    list_request = request;
    std::vector<store::DocumentInfo> found = documents;
    if (request.limit > 0 && found.size() > request.limit) found.resize(request.limit);
    return found;
  }
  store::DocumentInfo Show(const std::string& /*id_or_path*/) override { return documents.at(0); }
  std::string ShowText(const std::string& /*id_or_path*/, std::uint32_t version) override {
    shown_version = version;
    return text;
  }
  service::RemoveReport Remove(const std::string& /*id_or_path*/) override {
    return {documents, {}};
  }
  service::StatusReport Status() override { return status_report; }
  std::vector<store::CollectionInfo> Collections() override { return status_report.collections; }
  void CreateCollection(const std::string& name) override { created.push_back(name); }
  void RemoveCollection(const std::string& name) override { removed.push_back(name); }
  std::vector<nlohmann::json> AuditList(const AuditListRequest& request) override {
    audit_request = request;
    return entries;
  }
  nlohmann::json AuditShow(std::uint64_t index) override { return entries.at(index); }
  nlohmann::json AuditVerify() override { return verify_report; }
  void AuditExport(const std::function<void(const nlohmann::json&)>& line) override {
    for (const auto& entry : entries) line(entry);
  }
  std::string AuditReceipt(std::uint64_t index) override {
    return "receipt of " + std::to_string(index);
  }
  std::vector<service::ModelEntry> Models() override { return models; }
  service::ModelEntry ModelInfo(const std::string& /*id*/) override { return models.at(0); }
  service::EmbedResponse Embed(const service::EmbedRequest& request) override {
    embed_request = request;
    return {"minilm", {0.6F, -0.8F}};
  }
  service::ModelEntry VerifyModel(const std::string& /*id*/) override { return models.at(0); }
  service::ModelEntry RemoveModel(const std::string& /*id*/) override { return models.at(0); }
  service::ModelEntry ImportModel(const service::ModelImportRequest& request,
                                  const service::ProgressSink& /*progress*/,
                                  const CancelFlag& /*cancel*/) override {
    import_request = request;
    return models.at(0);
  }
  service::ModelEntry PullModel(const service::ModelPullRequest& request,
                                const service::ProgressSink& /*progress*/,
                                const CancelFlag& /*cancel*/) override {
    pull_request = request;
    return models.at(0);
  }
  std::vector<nlohmann::json> Fsck(bool /*repair*/,
                                   const std::function<void(std::string_view)>& progress) override {
    progress("catalog");
    return faults;
  }
  void Backup(const std::filesystem::path& /*file*/, bool with_keys) override {
    backup_with_keys = with_keys;
  }

  service::IndexRequest index_request;
  service::IndexReport index_report;
  std::vector<service::IndexProgress> progress_to_report;
  service::SearchRequest search_request;
  service::SearchResponse search_response;
  service::AskRequest ask_request;
  service::AskResponse ask_response;
  service::SummarizeRequest summarize_request;
  service::TranslateRequest translate_request;
  service::TranslateResponse translate_response;
  std::vector<service::ModelEntry> models;
  service::ModelImportRequest import_request;
  service::EmbedRequest embed_request;
  service::ModelPullRequest pull_request;
  service::ListRequest list_request;
  std::vector<store::DocumentInfo> documents;
  std::string text;
  std::uint32_t shown_version = 0;
  service::StatusReport status_report;
  std::vector<std::string> created;
  std::vector<std::string> removed;
  AuditListRequest audit_request;
  std::vector<nlohmann::json> entries;
  nlohmann::json verify_report;
  std::vector<nlohmann::json> faults;
  bool backup_with_keys = false;
};

}  // namespace sworn::test
