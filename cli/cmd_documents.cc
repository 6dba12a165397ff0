#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "core/clock.h"
#include "core/text/unicode.h"

namespace sworn::cli {
namespace {

using nlohmann::json;

// As the JSON has it, so that both faces use the same words.
std::string StateOf(const store::DocumentInfo& document) {
  return service::ToJson(document).at("state").get<std::string>();
}

std::string TimeOf(std::int64_t millis) { return millis == 0 ? "" : FormatRfc3339(millis); }

std::string CountOf(std::uint64_t count) { return count == 0 ? "" : WithThousands(count); }

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

void PrintDocument(Console& console, const store::DocumentInfo& document) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {"Document", document.document_id},
      {"Collection", document.collection},
      {"Path", document.path},
      {"Version", std::to_string(document.version)},
      {"State", StateOf(document)},
      {"Reason", document.reason},
      {"Title", document.title},
      {"Type", document.media_type},
      {"Language", document.language},
      {"Flags", document.flags},
      {"Size", ByteSize(document.facts.size)},
      {"Text", document.text_bytes == 0 ? "" : ByteSize(document.text_bytes)},
      {"Pages", CountOf(document.page_count)},
      {"Chunks", CountOf(document.chunk_count)},
      {"Date", TimeOf(document.document_date_ms)},
      {"Indexed", TimeOf(document.indexed_at_ms)},
      {"SHA-256", document.document_sha256},
      {"Text SHA-256", document.text_sha256},
      {"Extractor", document.extractor}};
  for (const auto& [key, value] : document.user_meta) fields.emplace_back("Meta " + key, value);
  for (const auto& [key, value] : document.metadata) fields.emplace_back("Has " + key, value);
  for (const std::string& warning : document.warnings) fields.emplace_back("Warning", warning);
  for (auto& [name, value] : fields) name = OneLine(name);
  PrintFields(console, fields);
}

std::vector<std::string> CollectionRow(const store::CollectionInfo& collection) {
  return {collection.name,
          WithThousands(collection.documents),
          WithThousands(collection.chunks),
          WithThousands(collection.skipped),
          WithThousands(collection.unreadable),
          std::to_string(collection.generation),
          ByteSize(collection.index_bytes),
          Joined(collection.languages)};
}

void PrintCollections(Console& console, const std::vector<store::CollectionInfo>& collections) {
  std::vector<std::vector<std::string>> rows = {{"COLLECTION", "DOCUMENTS", "CHUNKS", "SKIPPED",
                                                 "UNREADABLE", "GENERATION", "INDEX", "LANGUAGES"}};
  for (const auto& collection : collections) rows.push_back(CollectionRow(collection));
  PrintTable(console, rows);
  if (!console.verbose) return;
  for (const auto& collection : collections) {
    for (const std::string& root : collection.roots) {
      console.out << collection.name << " mirrors " << OneLine(root) << '\n';
    }
  }
}

}  // namespace

int RunList(service::KnowledgeBase& kb, const ListCommand& command, Session& session) {
  Console& console = session.console;
  service::ListRequest request = command.request;
  // One more than asked for tells whether there is a next page.
  if (request.limit > 0) ++request.limit;
  std::vector<store::DocumentInfo> documents = kb.List(request);
  json next = nullptr;
  if (command.request.limit > 0 && documents.size() > command.request.limit) {
    documents.resize(command.request.limit);
    next = documents.back().document_id;
  }
  if (console.json) {
    json data = json::array();
    for (const auto& document : documents) data.push_back(service::ToJson(document));
    PrintJson(console.out, {{"data", data}, {"next", next}});
    return kExitSuccess;
  }
  std::vector<std::vector<std::string>> rows = {
      {"DOCUMENT", "COLLECTION", "STATE", "VERSION", "PAGES", "CHUNKS", "PATH"}};
  for (const auto& document : documents) {
    std::string path = document.path;
    if (!document.reason.empty()) path += " (" + document.reason + ")";
    if (console.verbose && !document.title.empty()) path += "  \"" + document.title + '"';
    rows.push_back({document.document_id, document.collection, StateOf(document),
                    std::to_string(document.version), CountOf(document.page_count),
                    CountOf(document.chunk_count), path});
  }
  if (documents.empty()) {
    PrintNote(console, "No documents.");
  } else {
    PrintTable(console, rows);
  }
  if (!next.is_null()) PrintNote(console, "More: --after " + next.get<std::string>());
  return kExitSuccess;
}

int RunShow(service::KnowledgeBase& kb, const ShowCommand& command, Session& session) {
  Console& console = session.console;
  if (!command.text) {
    const store::DocumentInfo document = kb.Show(command.id_or_path);
    if (console.json) {
      PrintJson(console.out, service::ToJson(document));
    } else {
      PrintDocument(console, document);
    }
    return kExitSuccess;
  }
  const std::string text = kb.ShowText(command.id_or_path, command.version);
  if (console.json) {
    const store::DocumentInfo document = kb.Show(command.id_or_path);
    PrintJson(console.out, {{"document_id", document.document_id},
                            {"version", command.version == 0 ? document.version : command.version},
                            {"text", text}});
  } else if (console.out_is_terminal) {
    console.out << text::ForTerminal(text) << '\n';
  } else {
    console.out << text;  // to the byte: offsets of citations count in it
  }
  return kExitSuccess;
}

int RunRemove(service::KnowledgeBase& kb, const RemoveCommand& command, Session& session) {
  Console& console = session.console;
  const service::RemoveReport report = kb.Remove(command.id_or_path);
  if (console.json) {
    PrintJson(console.out, service::ToJson(report));
    return kExitSuccess;
  }
  for (const auto& document : report.removed) {
    console.out << "Withdrawn: " << document.document_id << ' ' << OneLine(document.path) << '\n';
  }
  PrintNote(console, "Withdrawn documents are found no more; their text stays in the catalog.");
  return kExitSuccess;
}

int RunStatus(service::KnowledgeBase& kb, Session& session) {
  Console& console = session.console;
  const service::StatusReport report = kb.Status();
  if (console.json) {
    PrintJson(console.out, service::ToJson(report));
    return kExitSuccess;
  }
  PrintFields(console, {{"Knowledge base", report.kb_folder},
                        {"Id", report.kb_id},
                        {"Version", report.version},
                        {"Answers by", report.model_id},
                        {"Catalog", ByteSize(report.catalog_bytes)},
                        {"Audit entries", WithThousands(report.audit_entries)}});
  if (!report.collections.empty()) {
    console.out << '\n';
    PrintCollections(console, report.collections);
  }
  return kExitSuccess;
}

int RunCollectionList(service::KnowledgeBase& kb, Session& session) {
  Console& console = session.console;
  const std::vector<store::CollectionInfo> collections = kb.Collections();
  if (console.json) {
    json data = json::array();
    for (const auto& collection : collections) data.push_back(service::ToJson(collection));
    PrintJson(console.out, {{"data", data}, {"next", nullptr}});
  } else if (collections.empty()) {
    PrintNote(console, "No collections.");
  } else {
    PrintCollections(console, collections);
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
