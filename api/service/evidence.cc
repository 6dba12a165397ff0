#include "api/service/evidence.h"

#include <array>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>
#include <pwd.h>
#include <unistd.h>

#include "api/service/json.h"
#include "api/service/model_answer.h"
#include "api/service/version.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "retriever/extractive.h"

namespace sworn::service {
namespace {

using nlohmann::json;

constexpr double kMicrosPerMilli = 1000;

std::string UserName() {
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const uid_t uid = ::geteuid();
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  const std::string name = found != nullptr ? found->pw_name : "unknown";
  return "os:" + name + ":" + std::to_string(uid);
}

json FilterJson(const store::DocumentFilter& filter) {
  json out = json::object();
  if (!filter.path_globs.empty()) out["path"] = filter.path_globs;
  if (!filter.media_types.empty()) out["type"] = filter.media_types;
  if (filter.since_ms) out["since"] = FormatRfc3339(*filter.since_ms);
  if (filter.until_ms) out["until"] = FormatRfc3339(*filter.until_ms);
  if (!filter.where.empty()) out["where"] = filter.where;
  return out;
}

/// The digest of the collections' embedder; of several, SHA-256 of their digests in ascending
/// order, a line each; empty if there is none.
std::string EmbeddersOf(const std::vector<store::CollectionInfo>& collections) {
  std::set<std::string> digests;
  for (const store::CollectionInfo& collection : collections) {
    if (!collection.embedder_id.empty()) digests.insert(collection.embedder_id);
  }
  if (digests.size() <= 1) return digests.empty() ? "" : *digests.begin();
  Sha256Hasher hasher;
  for (const std::string& digest : digests) hasher.Update(digest + "\n");
  return ToHex(hasher.Finish());
}

std::vector<audit::PassageRecord> PassagesOf(const std::vector<Hit>& hits) {
  std::vector<audit::PassageRecord> passages;
  passages.reserve(hits.size());
  for (const Hit& hit : hits) {
    audit::PassageRecord passage;
    passage.document_id = hit.chunk.document_id;
    passage.version = hit.chunk.version;
    passage.document_sha256 = hit.chunk.document_sha256;
    passage.chunk_id = hit.chunk.chunk_id;
    passage.byte_begin = hit.chunk.range.begin;
    passage.byte_end = hit.chunk.range.end;
    passage.rank = hit.rank;
    passage.score = hit.score;
    passage.keyword_score = hit.keyword_score.value_or(0);
    passage.vector_score = hit.vector_score.value_or(0);
    passages.push_back(std::move(passage));
  }
  return passages;
}

std::uint64_t Micros(double millis) {
  return static_cast<std::uint64_t>(std::llround(millis * kMicrosPerMilli));
}

audit::OutcomeStatus StatusOf(AnswerStatus status) {
  switch (status) {
    case AnswerStatus::kAnswered:
      return audit::OutcomeStatus::kAnswered;
    case AnswerStatus::kPartial:
      return audit::OutcomeStatus::kPartial;
    case AnswerStatus::kAbstained:
      break;
  }
  return audit::OutcomeStatus::kAbstained;
}

// Who writes, how, and what a second run needs to write the same.
void AddPlan(const WritingOptions& options, const WritingPlan& plan, json& payload) {
  payload["model"] = plan.model ? plan.model->id : std::string(retriever::kExtractiveModelId);
  payload["answer_id"] = plan.answer_id;
  if (!plan.model) return;
  payload["model_sha256"] = plan.model->sha256;
  payload["prompt_nonce"] = plan.prompt_nonce;
  payload["writing"] = WritingJson(options);
}

}  // namespace

audit::Actor MakeActor(const Config& config) {
  // Only what can change an answer; the folder's name is nobody's business here.
  const json settings = {{"chunk_bytes", config.chunk_bytes},
                         {"max_file_bytes", config.max_file_bytes},
                         {"max_pages", config.max_pages},
                         {"max_inflated_bytes", config.max_inflated_bytes}};
  return {UserName(), kVersion, ToHex(Sha256(settings.dump()))};
}

audit::IntentRecord IntentOf(const SearchRequest& request) {
  audit::IntentRecord record;
  record.operation = audit::Operation::kSearch;
  record.payload = {{"query", request.text},
                    {"collections", request.collections},
                    {"filter", FilterJson(request.filter)}};
  return record;
}

audit::IntentRecord IntentOf(const AskRequest& request, const WritingPlan& plan) {
  audit::IntentRecord record;
  record.operation = audit::Operation::kAsk;
  record.payload = {{"question", request.text},
                    {"collections", request.collections},
                    {"filter", FilterJson(request.filter)}};
  AddPlan(request.writing, plan, record.payload);
  if (!request.matter.empty()) record.payload["matter"] = request.matter;
  if (!request.purpose.empty()) record.payload["purpose"] = request.purpose;
  return record;
}

audit::IntentRecord IntentOf(const SummarizeRequest& request, const WritingPlan& plan) {
  audit::IntentRecord record;
  record.operation = audit::Operation::kSummarize;
  record.payload = {{"what", request.what}, {"language", request.language}};
  AddPlan(request.writing, plan, record.payload);
  return record;
}

audit::IntentRecord IntentOf(const TranslateRequest& request, const WritingPlan& plan) {
  audit::IntentRecord record;
  record.operation = audit::Operation::kTranslate;
  record.payload = {{"text", request.text}, {"to", request.to}};
  AddPlan(request.writing, plan, record.payload);
  return record;
}

std::vector<audit::CollectionState> StatesOf(
    const std::vector<store::CollectionInfo>& collections) {
  std::vector<audit::CollectionState> states;
  states.reserve(collections.size());
  for (const auto& collection : collections) {
    states.push_back({collection.collection_id, collection.generation});
  }
  return states;
}

audit::OutcomeRecord OutcomeOf(const SearchResponse& response,
                               const std::vector<store::CollectionInfo>& collections) {
  audit::OutcomeRecord record;
  record.collections = StatesOf(collections);
  record.passages = PassagesOf(response.hits);
  record.embedder_sha256 = EmbeddersOf(collections);
  record.retrieve_us = record.total_us = Micros(response.took_ms);
  record.answer = ToJson(response);
  record.answer.erase("took_ms");  // the digest is of what was found, not of how fast
  return record;
}

audit::OutcomeRecord OutcomeOf(const AskResponse& response, const std::vector<Hit>& passages,
                               const std::vector<store::CollectionInfo>& collections) {
  audit::OutcomeRecord record;
  record.status = StatusOf(response.status);
  if (response.status == AnswerStatus::kAbstained) record.reason = "no_support";
  if (response.status == AnswerStatus::kPartial) record.reason = "partial_support";
  record.collections = StatesOf(collections);
  record.passages = PassagesOf(passages);
  record.model_id = response.model_id;
  record.model_sha256 = response.model_sha256.value_or("");
  record.embedder_sha256 = EmbeddersOf(collections);
  record.citation_count = response.citations.size();
  record.prompt_tokens = response.prompt_tokens;
  record.completion_tokens = response.completion_tokens;
  record.retrieve_us = Micros(response.timing.retrieve);
  record.generate_us = Micros(response.timing.generate);
  record.total_us = Micros(response.timing.total);
  record.answer = ToJson(response);
  return record;
}

audit::OutcomeRecord OutcomeOf(const TranslateResponse& response) {
  audit::OutcomeRecord record;
  record.model_id = response.model_id;
  record.model_sha256 = response.model_sha256;
  record.prompt_tokens = response.prompt_tokens;
  record.completion_tokens = response.completion_tokens;
  record.generate_us = Micros(response.prefill_ms + response.generate_ms);
  record.total_us = Micros(response.total_ms);
  record.answer = ToJson(response);
  return record;
}

void MarkCancelled(audit::OutcomeRecord& record) {
  record.status = audit::OutcomeStatus::kFailed;
  record.reason = ErrorCodeName(ErrorCode::kCancelled);
}

}  // namespace sworn::service
