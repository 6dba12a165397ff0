#include "api/service/beir.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaxLineBytes = 64 << 20;
constexpr std::size_t kMaxLines = 20'000'000;
constexpr const char* kUploadRoot = "upload:";

[[noreturn]] void Refuse(const fs::path& file, std::size_t line, const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument,
              "'" + file.native() + "', line " + std::to_string(line) + ": " + reason);
}

void ForEachLine(const fs::path& file,
                 const std::function<void(std::size_t, const std::string&)>& handle) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ErrorCode::kNotFound, "cannot read '" + file.native() + "'");
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.size() > kMaxLineBytes) Refuse(file, number, "longer than 64 MiB");
    if (number > kMaxLines) Refuse(file, number, "more lines than 20,000,000");
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) handle(number, line);
  }
}

std::string Field(const json& record, const char* name, bool required, const fs::path& file,
                  std::size_t line) {
  const auto field = record.find(name);
  if (field == record.end() && !required) return "";
  if (field == record.end() || !field->is_string()) {
    Refuse(file, line, std::string("'") + name + "' must be a string");
  }
  return field->get<std::string>();
}

json ParseRecord(const fs::path& file, std::size_t line, const std::string& text) {
  json record = json::parse(text, nullptr, false);
  if (!record.is_object()) Refuse(file, line, "not a JSON object");
  return record;
}

std::vector<BeirCollection::Document> ReadDocuments(const fs::path& file) {
  std::vector<BeirCollection::Document> documents;
  std::set<std::string> seen;
  ForEachLine(file, [&](std::size_t line, const std::string& text) {
    const json record = ParseRecord(file, line, text);
    BeirCollection::Document document{Field(record, "_id", true, file, line),
                                      Field(record, "title", false, file, line),
                                      Field(record, "text", true, file, line)};
    // A record that has only a title is a document with that text.
    if (document.text.empty()) document.text.swap(document.title);
    if (!seen.insert(document.id).second) Refuse(file, line, "_id '" + document.id + "' again");
    documents.push_back(std::move(document));
  });
  return documents;
}

using Judgements = std::map<std::string, std::map<std::string, int>>;

Judgements ReadJudgements(const fs::path& file) {
  Judgements judgements;
  ForEachLine(file, [&](std::size_t line, const std::string& text) {
    const std::size_t first = text.find('\t');
    const std::size_t second = text.find('\t', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) Refuse(file, line, "not three columns");
    const std::string grade_text = text.substr(second + 1);
    int grade = 0;
    const char* end = grade_text.data() + grade_text.size();
    const auto parsed = std::from_chars(grade_text.data(), end, grade);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      if (line == 1) return;  // the header
      Refuse(file, line, "'" + grade_text + "' is no grade");
    }
    judgements[text.substr(0, first)][text.substr(first + 1, second - first - 1)] = grade;
  });
  return judgements;
}

bool HasRelevant(const std::map<std::string, int>& judgements) {
  return std::any_of(judgements.begin(), judgements.end(),
                     [](const auto& judgement) { return judgement.second > 0; });
}

}  // namespace

BeirCollection ReadBeir(const fs::path& folder) {
  BeirCollection collection;
  collection.name = fs::absolute(folder).lexically_normal().filename().native();
  if (collection.name.empty()) {
    collection.name = fs::absolute(folder).lexically_normal().parent_path().filename().native();
  }
  collection.documents = ReadDocuments(folder / "corpus.jsonl");
  const Judgements judgements = ReadJudgements(folder / "qrels" / "test.tsv");
  const fs::path queries = folder / "queries.jsonl";
  ForEachLine(queries, [&](std::size_t line, const std::string& text) {
    const json record = ParseRecord(queries, line, text);
    BeirCollection::Query query{
        Field(record, "_id", true, queries, line), Field(record, "text", true, queries, line), {}};
    const auto judged = judgements.find(query.id);
    if (judged == judgements.end() || !HasRelevant(judged->second)) return;
    query.judgements = judged->second;
    collection.queries.push_back(std::move(query));
  });
  if (collection.documents.empty() || collection.queries.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + folder.native() + "' holds no documents, or no judged queries");
  }
  return collection;
}

void TagDocuments(BeirCollection& collection) {
  const std::string tag = collection.name + "/";
  for (BeirCollection::Document& document : collection.documents) document.id.insert(0, tag);
  for (BeirCollection::Query& query : collection.queries) {
    std::map<std::string, int> tagged;
    for (const auto& [id, grade] : query.judgements) tagged.emplace(tag + id, grade);
    query.judgements = std::move(tagged);
  }
}

indexer::SourceListing BeirSource::List() {
  indexer::SourceListing listing;
  for (const BeirCollection& collection : collections_) {
    for (const BeirCollection::Document& document : collection.documents) {
      by_id_.emplace(document.id, &document);
    }
  }
  for (const auto& [id, document] : by_id_) {
    indexer::SourceItem item;
    item.key = {kUploadRoot, id};
    item.facts.size = document->text.size();
    item.title = document->title;
    item.media_type = "text/plain";
    listing.items.push_back(std::move(item));
  }
  listing.scopes.push_back({kUploadRoot, ""});
  return listing;
}

indexer::SourceBytes BeirSource::Read(const indexer::SourceItem& item, std::uint64_t max_bytes) {
  const BeirCollection::Document& document = *by_id_.at(item.key.relative_path);
  if (document.text.size() > max_bytes) {
    throw Error(ErrorCode::kTooLarge, "larger than max_file_bytes");
  }
  return {document.text, item.facts};
}

}  // namespace sworn::service
