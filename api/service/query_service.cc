#include "api/service/query_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/service/answer.h"
#include "api/service/embedder_choice.h"
#include "api/service/evidence.h"
#include "api/service/model_answer.h"
#include "api/service/stopwatch.h"
#include "api/service/writing_plan.h"
#include "core/error.h"
#include "core/text/analyzer.h"
#include "core/text/language.h"
#include "indexer/folder_source.h"
#include "retriever/context.h"
#include "retriever/extractive.h"
#include "retriever/retriever.h"

namespace sworn::service {
namespace {

constexpr std::size_t kAskHits = 24;     // candidates for the passages of an answer
constexpr std::size_t kNearestHits = 3;  // shown when nothing answers

Hit HitOf(const retriever::Hit& found) {
  Hit hit;
  hit.rank = found.rank;
  hit.score = found.place.score;
  hit.tier = found.place.tier;
  hit.keyword_rank = found.place.keyword_rank;
  hit.vector_rank = found.place.vector_rank;
  hit.local_rank = found.place.local_rank;
  hit.keyword_score = found.place.keyword_score;
  hit.vector_score = found.place.vector_score;
  hit.local_score = found.place.local_score;
  hit.chunk = found.chunk;
  for (const store::StoredChunk& duplicate : found.duplicates) {
    hit.chunk.also_at.push_back(duplicate.path);
  }
  return hit;
}

std::vector<Hit> HitsOf(const std::vector<retriever::Hit>& found, std::size_t limit) {
  std::vector<Hit> hits;
  for (const retriever::Hit& hit : found) {
    if (hits.size() == limit) break;
    hits.push_back(HitOf(hit));
  }
  return hits;
}

std::vector<LegReport> LegsOf(const retriever::SearchResult& result) {
  const auto report = [](const char* name, const retriever::LegReport& leg) {
    return LegReport{name, leg.ran, leg.candidates, leg.reason};
  };
  return {report("keyword", result.keyword), report("vector", result.vector),
          report("local", result.local)};
}

// Why the model of a collection did not take part comes first.
void Explain(const QueryModel& model, std::vector<LegReport>& legs) {
  if (model.problem.empty()) return;
  for (LegReport& leg : legs) {
    if (leg.name == "vector") {
      leg.reason = model.problem + (leg.reason.empty() ? "" : "; ") + leg.reason;
    }
  }
}

std::map<std::string, std::uint64_t> GenerationsOf(const store::Snapshot& snapshot) {
  std::map<std::string, std::uint64_t> generations;
  for (const auto& collection : snapshot.collections()) {
    generations[collection.name] = collection.generation;
  }
  return generations;
}

Coverage CoverageOf(const store::Snapshot& snapshot) {
  Coverage coverage;
  for (const auto& collection : snapshot.collections()) {
    coverage.searched += collection.documents;
    coverage.skipped += collection.skipped;
    coverage.unreadable += collection.unreadable;
  }
  for (const store::UnreadableFile& file : snapshot.Unreadable()) {
    if (file.kind == store::UnreadableKind::kSkipped) continue;
    const bool needs_ocr = file.kind == store::UnreadableKind::kNeedsOcr;
    coverage.unreadable_list.push_back(
        {indexer::PathOf(file.key).native(), needs_ocr ? "needs_ocr" : "failed", file.reason});
  }
  return coverage;
}

retriever::Query CheckedQuery(const std::string& text, std::size_t top_k, SearchMode mode,
                              const store::DocumentFilter& filter,
                              const std::vector<std::string>& collections) {
  retriever::Query query{text, top_k, mode, filter, collections};
  retriever::CheckQuery(query);
  return query;
}

// What two requests must have in common to share what was computed for a prompt: who may read the
// same texts.
std::string PartitionOf(const store::Snapshot& snapshot) {
  std::vector<std::string> ids;
  for (const auto& collection : snapshot.collections()) ids.push_back(collection.collection_id);
  std::sort(ids.begin(), ids.end());
  std::string partition;
  for (const std::string& id : ids) partition += id + '\n';
  return partition;
}

// One ask: the state that its steps hand on.
class Ask {
 public:
  Ask(Components& parts, const AskRequest& request, const WritingPlan& plan,
      const SentenceSink& sink, const CancelFlag& cancel)
      : parts_(parts),
        request_(request),
        plan_(plan),
        sink_(sink),
        cancel_(cancel),
        verifier_(*parts.store) {
    response_.answer_id = plan.answer_id;
    response_.question = request.text;
    response_.model_id = plan.model ? plan.model->id : retriever::kExtractiveModelId;
    if (plan.model) response_.model_sha256 = plan.model->sha256;
  }

  audit::OutcomeRecord Run(const retriever::Query& query) {
    const Stopwatch total(parts_.clock);
    const auto snapshot = parts_.snapshots->Get(request_.collections);
    Retrieve(query, *snapshot);
    Answer(*snapshot);
    if (response_.status == AnswerStatus::kAbstained) {
      response_.nearest = hits_;
      if (response_.nearest.size() > kNearestHits) response_.nearest.resize(kNearestHits);
    }
    response_.timing.total = total.Millis();
    audit::OutcomeRecord record = OutcomeOf(response_, hits_, snapshot->collections());
    record.generation = std::move(generation_);
    if (cancelled_) MarkCancelled(record);
    return record;
  }

  [[nodiscard]] bool cancelled() const { return cancelled_; }
  AskResponse TakeResponse() { return std::move(response_); }

 private:
  void Retrieve(const retriever::Query& query, const store::Snapshot& snapshot) {
    const Stopwatch watch(parts_.clock);
    const QueryModel model = ModelForQuery(parts_, snapshot.collections());
    retriever::Retriever retriever(snapshot, model.embedder.get());
    const retriever::SearchResult result = retriever.Search(query);
    context_ = retriever::BuildContext(snapshot, result.hits);
    hits_ = HitsOf(result.hits, result.hits.size());
    response_.legs = LegsOf(result);
    Explain(model, response_.legs);
    response_.generations = GenerationsOf(snapshot);
    response_.coverage = CoverageOf(snapshot);
    response_.timing.retrieve = watch.Millis();
  }

  void Answer(const store::Snapshot& snapshot) {
    const Stopwatch generate(parts_.clock);
    text::Analyzer analyzer;
    const std::vector<std::string> languages = retriever::QuestionLanguages(snapshot);
    response_.language = text::DetectLanguage(request_.text);
    const retriever::ExtractiveAnswer extracted =
        retriever::AnswerFromPassages(request_.text, context_, languages, snapshot, analyzer);
    response_.support = extracted.support;
    if (!plan_.model || IsOffTopic(extracted)) {
      Quote(extracted);
      response_.timing.generate = generate.Millis();
      return;
    }
    Write(snapshot, languages, analyzer);
    const bool silent = response_.status == AnswerStatus::kAbstained && !cancelled_;
    if (silent && parts_.config.extractive_fallback &&
        extracted.status != AnswerStatus::kAbstained) {
      response_.fallback_reason = response_.reason;
      response_.model_id = retriever::kExtractiveModelId;
      response_.model_sha256.reset();
      Quote(extracted);
    }
  }

  // The test of whether passages are about the question is the same with and without a model. It
  // compares words, so it says nothing where no passage is in the question's language.
  [[nodiscard]] bool IsOffTopic(const retriever::ExtractiveAnswer& extracted) const {
    if (extracted.status != AnswerStatus::kAbstained) return false;
    const auto comparable = [&](const retriever::Passage& passage) {
      return passage.chunks[passage.best].language == response_.language;
    };
    return response_.language == text::kUnknownLanguage || context_.passages.empty() ||
           std::any_of(context_.passages.begin(), context_.passages.end(), comparable);
  }

  void Quote(const retriever::ExtractiveAnswer& extracted) {
    WriteAnswer(extracted, context_, response_);
    VerifyQuotes(*parts_.store, response_);
    if (!sink_) return;
    for (const AnswerSentence& sentence : response_.sentences) {
      const std::size_t first = sentence.citations.front() - 1;  // each has one of its own
      sink_(sentence, std::span<const Citation>(response_.citations).subspan(first, 1));
    }
  }

  void Write(const store::Snapshot& snapshot, const std::vector<std::string>& languages,
             text::Analyzer& analyzer) {
    const auto generator = parts_.generators->Get(*plan_.model);
    PromptRequest prompt_request;
    prompt_request.text = request_.text;
    prompt_request.language = response_.language;
    prompt_request.nonce = plan_.prompt_nonce;
    prompt_request.cache_partition = PartitionOf(snapshot);
    prompt_request.max_tokens = request_.writing.generation.max_tokens;
    prompt_request.quote = request_.writing.quote;
    const PassagePrompt prompt = BuildAskPrompt(prompt_request, context_.passages, *generator);
    SentenceChecker checker(request_.text, prompt.passages, languages, snapshot, analyzer);
    ModelAnswer answer(*generator, request_.writing, verifier_, response_, sink_, cancel_);
    answer.Write(prompt, response_.language, checker);
    answer.Finish();
    cancelled_ = answer.cancelled();
    generation_ = answer.Record(parts_.models.threads);
  }

  Components& parts_;
  const AskRequest& request_;
  const WritingPlan& plan_;
  const SentenceSink& sink_;
  const CancelFlag& cancel_;
  QuoteVerifier verifier_;
  retriever::Context context_;
  std::vector<Hit> hits_;
  AskResponse response_;
  std::optional<audit::GenerationRecord> generation_;
  bool cancelled_ = false;
};

}  // namespace

SearchResponse RunSearch(Components& parts, audit::AuditLog& log, const SearchRequest& request) {
  const retriever::Query query =
      CheckedQuery(request.text, request.top_k, request.mode, request.filter, request.collections);
  SearchResponse response;
  response.query = request.text;
  response.mode = request.mode;
  response.audit = Attest(log, IntentOf(request), [&] {
    const Stopwatch watch(parts.clock);
    const auto snapshot = parts.snapshots->Get(request.collections);
    const QueryModel model = ModelForQuery(parts, snapshot->collections());
    retriever::Retriever retriever(*snapshot, model.embedder.get());
    const retriever::SearchResult result = retriever.Search(query);
    response.hits = HitsOf(result.hits, result.hits.size());
    response.legs = LegsOf(result);
    Explain(model, response.legs);
    response.generations = GenerationsOf(*snapshot);
    response.took_ms = watch.Millis();
    return OutcomeOf(response, snapshot->collections());
  });
  return response;
}

AskResponse RunAsk(Components& parts, audit::AuditLog& log, const AskRequest& request,
                   const SentenceSink& sink, const CancelFlag& cancel) {
  const WritingPlan plan = PlanWriting(parts, request.writing);
  const retriever::Query query = CheckedQuery(request.text, kAskHits, SearchMode::kHybrid,
                                              request.filter, request.collections);
  Ask ask(parts, request, plan, sink, cancel);
  const AuditReference reference =
      Attest(log, IntentOf(request, plan), [&] { return ask.Run(query); });
  if (ask.cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
  AskResponse response = ask.TakeResponse();
  response.audit = reference;
  return response;
}

}  // namespace sworn::service
