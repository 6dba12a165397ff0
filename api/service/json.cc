#include "api/service/json.h"

#include <string_view>

#include "core/clock.h"

namespace sworn::service {
namespace {

using nlohmann::json;

template <typename T>
json OrNull(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json OrNull(const std::string& value) { return value.empty() ? json(nullptr) : json(value); }

// A time, null where there is none.
json Time(std::int64_t millis) { return millis == 0 ? json(nullptr) : json(FormatRfc3339(millis)); }

// Chunk ids are strings in JSON: a client must not count with them.
json IdText(std::uint32_t id) { return std::to_string(id); }

void AddLocation(const Location& location, json& out) {
  out["page"] = OrNull(location.page);
  out["page_end"] = OrNull(location.page_end);
  out["page_label"] = OrNull(location.page_label);
  out["line_begin"] = OrNull(location.line_begin);
  out["line_end"] = OrNull(location.line_end);
  out["sheet"] = OrNull(location.sheet);
  out["slide"] = OrNull(location.slide);
  out["row"] = OrNull(location.row);
  out["attachment_path"] = OrNull(location.attachment_path);
}

// What a hit and a citation have in common.
json Source(const store::StoredChunk& chunk) {
  json out = {{"collection", chunk.collection},
              {"document_id", chunk.document_id},
              {"document_version", chunk.version},
              {"document_sha256", chunk.document_sha256},
              {"text_sha256", chunk.text_sha256},
              {"path", chunk.path},
              {"title", chunk.title},
              {"heading", OrNull(chunk.heading)},
              {"media_type", chunk.media_type},
              {"language", chunk.language},
              {"chunk_id", IdText(chunk.chunk_id)},
              {"ocr", chunk.ocr},
              {"also_at", chunk.also_at}};
  AddLocation(chunk.location, out);
  return out;
}

json HitJson(const Hit& hit) {
  json out = Source(hit.chunk);
  out["rank"] = hit.rank;
  out["score"] = hit.score;
  out["tier"] = hit.tier;
  out["keyword_rank"] = OrNull(hit.keyword_rank);
  out["vector_rank"] = OrNull(hit.vector_rank);
  out["local_rank"] = OrNull(hit.local_rank);
  out["keyword_score"] = OrNull(hit.keyword_score);
  out["vector_score"] = OrNull(hit.vector_score);
  out["local_score"] = OrNull(hit.local_score);
  out["byte_begin"] = hit.chunk.range.begin;
  out["byte_end"] = hit.chunk.range.end;
  out["text"] = hit.chunk.text;
  return out;
}

json Hits(const std::vector<Hit>& hits) {
  json out = json::array();
  for (const Hit& hit : hits) out.push_back(HitJson(hit));
  return out;
}

json Legs(const std::vector<LegReport>& legs) {
  json out = json::object();
  for (const LegReport& leg : legs) {
    out[leg.name] = {
        {"ran", leg.ran}, {"candidates", leg.candidates}, {"reason", OrNull(leg.reason)}};
  }
  return out;
}

json Audit(const AuditReference& audit) {
  return {{"intent", audit.intent}, {"outcome", audit.outcome}, {"checkpoint", audit.checkpoint}};
}

json CitationJson(const Citation& citation) {
  json out = Source(citation.chunk);
  out["number"] = citation.number;
  out["quote"] = citation.quote;
  out["byte_begin"] = citation.range.begin;
  out["byte_end"] = citation.range.end;
  out["verified"] = citation.verified;
  return out;
}

std::string_view StateText(const store::DocumentInfo& document) {
  switch (document.state) {
    case store::DocumentState::kCurrent:
      return "current";
    case store::DocumentState::kSuperseded:
      return "superseded";
    case store::DocumentState::kWithdrawn:
      return "withdrawn";
    case store::DocumentState::kUnreadable:
      break;
  }
  switch (document.unreadable_kind) {
    case store::UnreadableKind::kSkipped:
      return "skipped";
    case store::UnreadableKind::kNeedsOcr:
      return "needs_ocr";
    case store::UnreadableKind::kFailed:
      break;
  }
  return "failed";
}

json Notes(const std::vector<FileNote>& notes) {
  json out = json::array();
  for (const FileNote& note : notes) {
    out.push_back(
        {{"path", note.path}, {"outcome", note.outcome}, {"reason", OrNull(note.reason)}});
  }
  return out;
}

json BeirRows(const std::vector<BeirScores>& rows, const char* name) {
  json list = json::array();
  for (const BeirScores& row : rows) {
    list.push_back({{name, row.name},
                    {"ndcg@10", row.ndcg_at_10},
                    {"recall@100", row.recall_at_100},
                    {"mrr", row.mrr},
                    {"p_value_vs_keyword", OrNull(row.p_value_vs_keyword)},
                    {"ran", row.ran},
                    {"p50_ms", OrNull(row.p50_ms)},
                    {"p99_ms", OrNull(row.p99_ms)}});
  }
  return list;
}

}  // namespace

json ToJson(const SearchResponse& response) {
  return {{"query", response.query},
          {"mode", retriever::ModeName(response.mode)},
          {"hits", Hits(response.hits)},
          {"legs", Legs(response.legs)},
          {"generations", response.generations},
          {"took_ms", response.took_ms},
          {"audit", Audit(response.audit)}};
}

json ToJson(const AskResponse& response) {
  json sentences = json::array();
  for (const AnswerSentence& sentence : response.sentences) {
    sentences.push_back(ToJson(sentence));
  }
  json citations = json::array();
  for (const Citation& citation : response.citations) citations.push_back(CitationJson(citation));
  return {{"answer_id", response.answer_id},
          {"question", response.question},
          {"language", response.language},
          {"status", retriever::AnswerStatusName(response.status)},
          {"reason", OrNull(response.reason)},
          {"answer", response.answer},
          {"sentences", sentences},
          {"citations", citations},
          {"support",
           {{"sentence_share", response.support.sentence_share},
            {"passage_share", response.support.passage_share},
            {"covered_share", response.support.covered_share},
            {"margin", response.support.margin}}},
          {"nearest", Hits(response.nearest)},
          {"model", {{"id", response.model_id}, {"sha256", OrNull(response.model_sha256)}}},
          {"left_out", response.left_out},
          {"fallback_reason", OrNull(response.fallback_reason)},
          {"generations", response.generations},
          {"legs", Legs(response.legs)},
          {"coverage",
           {{"searched", response.coverage.searched},
            {"skipped", response.coverage.skipped},
            {"unreadable", response.coverage.unreadable},
            {"unreadable_list", Notes(response.coverage.unreadable_list)}}},
          {"usage",
           {{"prompt_tokens", response.prompt_tokens},
            {"completion_tokens", response.completion_tokens}}},
          {"timing_ms",
           {{"retrieve", response.timing.retrieve},
            {"prefill", response.timing.prefill},
            {"generate", response.timing.generate},
            {"total", response.timing.total}}},
          {"audit", Audit(response.audit)}};
}

json ToJson(const AnswerSentence& sentence) {
  return {
      {"text", sentence.text}, {"citations", sentence.citations}, {"verified", sentence.verified}};
}

json ToJson(const Citation& citation) { return CitationJson(citation); }

json ToJson(const TranslateResponse& response) {
  return {{"text", response.text},
          {"from", response.from},
          {"to", response.to},
          {"verified", false},
          {"cut", response.cut},
          {"model", {{"id", response.model_id}, {"sha256", response.model_sha256}}},
          {"usage",
           {{"prompt_tokens", response.prompt_tokens},
            {"completion_tokens", response.completion_tokens}}},
          {"timing_ms",
           {{"prefill", response.prefill_ms},
            {"generate", response.generate_ms},
            {"total", response.total_ms}}},
          {"audit", Audit(response.audit)}};
}

json ToJson(const IndexReport& report) {
  return {{"collection", report.collection}, {"added", report.added},
          {"updated", report.updated},       {"unchanged", report.unchanged},
          {"removed", report.removed},       {"failed", report.failed},
          {"skipped", report.skipped},       {"chunks", report.chunks},
          {"text_bytes", report.text_bytes}, {"generation", report.generation},
          {"seconds", report.seconds},       {"cancelled", report.cancelled},
          {"dry_run", report.dry_run},       {"notes", Notes(report.notes)}};
}

json ToJson(const IndexProgress& progress) {
  return {{"phase", progress.phase},    {"done", progress.done},
          {"total", progress.total},    {"chunks", progress.chunks},
          {"path", progress.path},      {"generation", progress.generation},
          {"seconds", progress.seconds}};
}

json ToJson(const store::DocumentInfo& document) {
  return {{"document_id", document.document_id},
          {"collection", document.collection},
          {"path", document.path},
          {"version", document.version},
          {"state", StateText(document)},
          {"reason", OrNull(document.reason)},
          {"title", OrNull(document.title)},
          {"media_type", OrNull(document.media_type)},
          {"extractor", OrNull(document.extractor)},
          {"language", OrNull(document.language)},
          {"flags", OrNull(document.flags)},
          {"document_sha256", OrNull(document.document_sha256)},
          {"text_sha256", OrNull(document.text_sha256)},
          {"size", document.facts.size},
          {"text_bytes", document.text_bytes},
          {"pages", document.page_count},
          {"chunks", document.chunk_count},
          {"date", Time(document.document_date_ms)},
          {"indexed_at", Time(document.indexed_at_ms)},
          {"metadata", document.metadata},
          {"meta", document.user_meta},
          {"warnings", document.warnings}};
}

json ToJson(const store::CollectionInfo& collection) {
  json vector_lists = json::array();
  for (const store::VectorListsInfo& segment : collection.vector_lists) {
    vector_lists.push_back({{"rows", segment.rows},
                            {"lists", segment.lists},
                            {"probes", segment.probes},
                            {"recall_at_10", segment.recall_at_10}});
  }
  return {{"name", collection.name},
          {"generation", collection.generation},
          {"documents", collection.documents},
          {"chunks", collection.chunks},
          {"skipped", collection.skipped},
          {"unreadable", collection.unreadable},
          {"languages", collection.languages},
          {"roots", collection.roots},
          {"embedder",
           {{"name", OrNull(collection.embedder_name)}, {"id", OrNull(collection.embedder_id)}}},
          {"segments", collection.segments},
          {"index_bytes", collection.index_bytes},
          {"vector_lists", vector_lists}};
}

json ToJson(const RemoveReport& report) {
  json removed = json::array();
  for (const store::DocumentInfo& document : report.removed) removed.push_back(ToJson(document));
  return {{"removed", removed}, {"generations", report.generations}};
}

json ToJson(const StatusReport& report) {
  json collections = json::array();
  for (const auto& collection : report.collections) collections.push_back(ToJson(collection));
  return {{"kb", report.kb_folder},
          {"kb_id", report.kb_id},
          {"version", report.version},
          {"collections", collections},
          {"audit_entries", report.audit_entries},
          {"catalog_bytes", report.catalog_bytes},
          {"model", {{"id", report.model_id}, {"sha256", OrNull(report.model_sha256)}}}};
}

json ToJson(const DoctorFinding& finding) {
  return {{"subject", finding.subject},
          {"ok", finding.ok},
          {"required", finding.required},
          {"detail", finding.detail}};
}

json ToJson(const EmbedResponse& response) {
  return {{"model", response.model},
          {"dimension", response.vector.size()},
          {"vector", response.vector}};
}

json ToJson(const ModelEntry& model) {
  json embedding;  // null of a model that writes text
  if (model.embedding) {
    embedding = {{"query_prefix", model.embedding->query_prefix},
                 {"passage_prefix", model.embedding->passage_prefix},
                 {"pooling", model.embedding->pooling},
                 {"storage", model.embedding->storage}};
  }
  return {{"id", model.id},
          {"file", model.file},
          {"sha256", model.sha256},
          {"bytes", model.bytes},
          {"architecture", model.architecture},
          {"kind", model.embedding ? "embedder" : "generator"},
          {"embedding", std::move(embedding)},
          {"imported_at", Time(model.imported_ms)},
          {"source", model.source}};
}

json ToJson(const BeirEvaluation& evaluation) {
  json collections = json::array();
  for (const BeirReport& report : evaluation.collections) {
    collections.push_back({{"collection", report.collection},
                           {"documents", report.documents},
                           {"queries", report.queries},
                           {"chunks", report.chunks},
                           {"index_seconds", report.index_seconds},
                           {"modes", BeirRows(report.modes, "mode")},
                           {"legs", BeirRows(report.legs, "leg")}});
  }
  if (collections.size() == 1) return collections.front();
  return {{"mixed", evaluation.mixed},
          {"collections", collections},
          {"mean",
           {{"modes", BeirRows(evaluation.mean_modes, "mode")},
            {"legs", BeirRows(evaluation.mean_legs, "leg")}}}};
}

json ToJson(const AnswerEvaluation& evaluation) {
  return {{"questions", evaluation.questions},
          {"answerable", evaluation.answerable},
          {"answered", evaluation.answered},
          {"sentence_accuracy", evaluation.sentence_accuracy},
          {"citation_precision", evaluation.citation_precision},
          {"abstention_precision", evaluation.abstention_precision},
          {"abstention_recall", evaluation.abstention_recall},
          {"latency_p50_ms", evaluation.latency_p50_ms},
          {"fitted_thresholds",
           {{"min_passage_share", evaluation.fitted_min_passage_share},
            {"min_sentence_share", evaluation.fitted_min_sentence_share}}},
          {"mistakes", evaluation.mistakes}};
}

}  // namespace sworn::service
