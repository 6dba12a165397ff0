#include "api/service/query_service.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/service/answer.h"
#include "api/service/evidence.h"
#include "core/crypto.h"
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
constexpr double kNanosPerMilli = 1e6;

class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock) : clock_(clock), start_ns_(clock.MonotonicNanos()) {}
  [[nodiscard]] double Millis() const {
    return static_cast<double>(clock_.MonotonicNanos() - start_ns_) / kNanosPerMilli;
  }

 private:
  const Clock& clock_;
  std::int64_t start_ns_;
};

Hit HitOf(const retriever::Hit& found) {
  Hit hit;
  hit.rank = found.rank;
  hit.score = found.place.score;
  hit.tier = found.place.tier;
  hit.keyword_rank = found.place.keyword_rank;
  hit.vector_rank = found.place.vector_rank;
  hit.keyword_score = found.place.keyword_score;
  hit.vector_score = found.place.vector_score;
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
  return {report("keyword", result.keyword), report("vector", result.vector)};
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

// One ask: the state that its steps hand on.
class Ask {
 public:
  Ask(Components& parts, const AskRequest& request) : parts_(parts), request_(request) {
    response_.answer_id = "a_" + RandomBase32Id();
    response_.question = request.text;
    response_.model_id = retriever::kExtractiveModelId;
  }

  audit::OutcomeRecord Run(const retriever::Query& query) {
    const Stopwatch total(parts_.clock);
    const auto snapshot = parts_.snapshots->Get(request_.collections);
    Retrieve(query, *snapshot);
    const Stopwatch generate(parts_.clock);
    Answer(*snapshot);
    VerifyQuotes(*parts_.store, response_);
    response_.timing.generate = generate.Millis();
    response_.timing.total = total.Millis();
    return OutcomeOf(response_, hits_, snapshot->collections(), parts_.embedder->identity());
  }

  AskResponse TakeResponse() { return std::move(response_); }

 private:
  void Retrieve(const retriever::Query& query, const store::Snapshot& snapshot) {
    const Stopwatch watch(parts_.clock);
    retriever::Retriever retriever(snapshot, parts_.embedder.get());
    const retriever::SearchResult result = retriever.Search(query);
    context_ = retriever::BuildContext(snapshot, result.hits);
    hits_ = HitsOf(result.hits, result.hits.size());
    response_.legs = LegsOf(result);
    response_.generations = GenerationsOf(snapshot);
    response_.coverage = CoverageOf(snapshot);
    response_.timing.retrieve = watch.Millis();
  }

  void Answer(const store::Snapshot& snapshot) {
    text::Analyzer analyzer;
    const std::vector<std::string> languages = retriever::QuestionLanguages(snapshot);
    response_.language = text::DetectLanguage(request_.text);
    WriteAnswer(
        retriever::AnswerFromPassages(request_.text, context_, languages, snapshot, analyzer),
        context_, response_);
    if (response_.status == AnswerStatus::kAbstained) {
      response_.nearest = hits_;
      if (response_.nearest.size() > kNearestHits) response_.nearest.resize(kNearestHits);
    }
  }

  Components& parts_;
  const AskRequest& request_;
  retriever::Context context_;
  std::vector<Hit> hits_;
  AskResponse response_;
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
    retriever::Retriever retriever(*snapshot, parts.embedder.get());
    const retriever::SearchResult result = retriever.Search(query);
    response.hits = HitsOf(result.hits, result.hits.size());
    response.legs = LegsOf(result);
    response.generations = GenerationsOf(*snapshot);
    response.took_ms = watch.Millis();
    return OutcomeOf(response, snapshot->collections(), parts.embedder->identity());
  });
  return response;
}

AskResponse RunAsk(Components& parts, audit::AuditLog& log, const AskRequest& request) {
  if (request.model != "extractive" && request.model != retriever::kExtractiveModelId) {
    throw Error(ErrorCode::kNotConfigured,
                "model '" + request.model + "' is not installed; 'extractive' needs none");
  }
  const retriever::Query query = CheckedQuery(request.text, kAskHits, SearchMode::kHybrid,
                                              request.filter, request.collections);
  Ask ask(parts, request);
  const AuditReference reference = Attest(log, IntentOf(request), [&] { return ask.Run(query); });
  AskResponse response = ask.TakeResponse();
  response.audit = reference;
  return response;
}

}  // namespace sworn::service
