#include "api/service/writing_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/service/evidence.h"
#include "api/service/model_answer.h"
#include "api/service/stopwatch.h"
#include "core/error.h"
#include "core/text/analyzer.h"
#include "core/text/language.h"
#include "core/text/sentences.h"
#include "core/text/unicode.h"
#include "retriever/retriever.h"

namespace sworn::service {
namespace {

constexpr std::size_t kTextPassageBytes = 1000;
constexpr std::size_t kMaxLanguageBytes = 32;

void CheckLanguage(const std::string& code) {
  const bool fits =
      code.size() <= kMaxLanguageBytes && std::all_of(code.begin(), code.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
      });
  if (!fits) {
    throw Error(ErrorCode::kInvalidArgument, "'" + code + "' is no language; en, de or es is one");
  }
}

retriever::Passage PassageOf(store::StoredChunk chunk) {
  retriever::Passage passage;
  passage.range = chunk.range;
  passage.text = chunk.text;
  passage.chunks.push_back(std::move(chunk));
  return passage;
}

// Sentences of a text that is no document, in pieces of about a chunk's size.
std::vector<retriever::Passage> PassagesOfText(const std::string& text,
                                               const std::string& language) {
  std::vector<retriever::Passage> passages;
  const std::vector<ByteRange> sentences = text::SplitSentences(text, language);
  for (std::size_t i = 0; i < sentences.size();) {
    ByteRange range = sentences[i++];
    while (i < sentences.size() && sentences[i].end - range.begin <= kTextPassageBytes) {
      range.end = sentences[i++].end;
    }
    store::StoredChunk chunk;
    chunk.range = range;
    chunk.text = text.substr(range.begin, range.end - range.begin);
    chunk.language = language;
    passages.push_back(PassageOf(std::move(chunk)));
  }
  return passages;
}

class Summary {
 public:
  Summary(Components& parts, const SummarizeRequest& request, const WritingPlan& plan,
          const SentenceSink& sink, const CancelFlag& cancel)
      : parts_(parts), request_(request), plan_(plan), sink_(sink), cancel_(cancel) {
    response_.answer_id = plan.answer_id;
    response_.question = request.what;
    response_.model_id = plan.model->id;
    response_.model_sha256 = plan.model->sha256;
  }

  audit::OutcomeRecord Run() {
    const Stopwatch total(parts_.clock);
    const auto snapshot = Load();
    response_.timing.retrieve = total.Millis();
    for (const auto& collection : snapshot->collections()) {
      response_.generations[collection.name] = collection.generation;
    }
    if (response_.language.empty()) response_.language = "und";
    audit::OutcomeRecord record = Write(*snapshot);
    response_.timing.total = total.Millis();
    return record;
  }

  [[nodiscard]] bool cancelled() const { return cancelled_; }
  AskResponse TakeResponse() { return std::move(response_); }

 private:
  // Fills text_ or hits_, and passages_.
  std::shared_ptr<const store::Snapshot> Load() {
    const std::vector<store::DocumentInfo> found = parts_.store->Find(request_.what);
    if (found.size() > 1) {
      throw Error(ErrorCode::kConflict, "'" + request_.what + "' fits several documents: " +
                                            found[0].path + ", " + found[1].path + ", ...");
    }
    if (found.size() == 1) return LoadDocument(found.front());
    if (request_.what.find_first_of(" \n\t") == std::string::npos) {
      throw Error(ErrorCode::kNotFound, "no document '" + request_.what + "'");
    }
    text_ = text::Normalize(request_.what).text;
    response_.language = text::DetectLanguage(text_);
    passages_ = PassagesOfText(text_, response_.language);
    return parts_.snapshots->Get({});
  }

  std::shared_ptr<const store::Snapshot> LoadDocument(const store::DocumentInfo& document) {
    if (document.state != store::DocumentState::kCurrent) {
      throw Error(ErrorCode::kNotFound, document.path + " is not in the index");
    }
    auto snapshot = parts_.snapshots->Get({document.collection});
    response_.language = document.language;
    const std::vector<ChunkId> ids = snapshot->ChunksOf(document.content_id);
    for (store::StoredChunk& chunk : snapshot->LoadChunks(ids)) {
      Hit hit;
      hit.rank = static_cast<std::uint32_t>(hits_.size() + 1);
      hit.chunk = chunk;
      hits_.push_back(std::move(hit));
      passages_.push_back(PassageOf(std::move(chunk)));
    }
    return snapshot;
  }

  QuoteVerifier Verifier() {
    if (!hits_.empty()) return QuoteVerifier(*parts_.store);
    return QuoteVerifier([this](const std::string& /*document*/, std::uint32_t /*version*/) {
      return std::optional<std::string>(text_);
    });
  }

  audit::OutcomeRecord Write(const store::Snapshot& snapshot) {
    const auto generator = parts_.generators->Get(*plan_.model);
    PromptRequest prompt;
    prompt.language = request_.language.empty() ? response_.language : request_.language;
    prompt.nonce = plan_.prompt_nonce;
    prompt.cache_partition = hits_.empty() ? "text" : hits_.front().chunk.collection;
    prompt.max_tokens = request_.writing.generation.max_tokens;
    text::Analyzer analyzer;
    const std::vector<std::string> languages = retriever::QuestionLanguages(snapshot);
    QuoteVerifier verifier = Verifier();
    ModelAnswer answer(*generator, request_.writing, verifier, response_, sink_, cancel_);
    std::size_t done = 0;
    std::size_t prompts = 0;
    while (done < passages_.size() && prompts < kMaxSummaryPrompts && !answer.cancelled()) {
      const std::vector<retriever::Passage> rest(
          passages_.begin() + static_cast<std::ptrdiff_t>(done), passages_.end());
      const PassagePrompt part = BuildSummaryPrompt(prompt, rest, *generator);
      SentenceChecker checker("", part.passages, languages, snapshot, analyzer);
      answer.Write(part, std::string(prompt.language), checker);
      done += part.passages.size();
      ++prompts;
    }
    answer.Finish();
    if (done < passages_.size() && response_.status != AnswerStatus::kAbstained) {
      response_.status = AnswerStatus::kPartial;
      response_.reason += (response_.reason.empty() ? "" : "; ") + std::string("of ") +
                          std::to_string(passages_.size()) + " passages the first " +
                          std::to_string(done) + " were read";
    }
    cancelled_ = answer.cancelled();
    audit::OutcomeRecord record = OutcomeOf(response_, hits_, snapshot.collections());
    record.generation = answer.Record(parts_.models.threads);
    if (cancelled_) MarkCancelled(record);
    return record;
  }

  Components& parts_;
  const SummarizeRequest& request_;
  const WritingPlan& plan_;
  const SentenceSink& sink_;
  const CancelFlag& cancel_;
  std::string text_;  // of no document
  std::vector<Hit> hits_;
  std::vector<retriever::Passage> passages_;
  AskResponse response_;
  bool cancelled_ = false;
};

}  // namespace

AskResponse RunSummarize(Components& parts, audit::AuditLog& log, const SummarizeRequest& request,
                         const SentenceSink& sink, const CancelFlag& cancel) {
  CheckLanguage(request.language);
  const WritingPlan plan = PlanModelWriting(parts, request.writing, "summarize");
  Summary summary(parts, request, plan, sink, cancel);
  const AuditReference reference =
      Attest(log, IntentOf(request, plan), [&] { return summary.Run(); });
  if (summary.cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
  AskResponse response = summary.TakeResponse();
  response.audit = reference;
  return response;
}

TranslateResponse RunTranslate(Components& parts, audit::AuditLog& log,
                               const TranslateRequest& request, const TextSink& on_text,
                               const CancelFlag& cancel) {
  CheckLanguage(request.to);
  const WritingPlan plan = PlanModelWriting(parts, request.writing, "translate");
  TranslateResponse response;
  bool cancelled = false;
  response.audit = Attest(log, IntentOf(request, plan), [&] {
    const Stopwatch total(parts.clock);
    const auto generator = parts.generators->Get(*plan.model);
    const std::string text = text::Normalize(request.text).text;
    PromptRequest prompt_request;
    prompt_request.text = text;
    prompt_request.language = request.to;
    prompt_request.nonce = plan.prompt_nonce;
    prompt_request.cache_partition = "text";
    prompt_request.max_tokens = request.writing.generation.max_tokens;
    const Prompt prompt = BuildTranslationPrompt(prompt_request, *generator);
    const Completion completion =
        generator->Generate(prompt, request.writing.generation, cancel, on_text);
    cancelled = completion.stop == StopReason::kCancelled;
    response.text = completion.text;
    response.from = text::DetectLanguage(text);
    response.to = request.to;
    response.model_id = plan.model->id;
    response.model_sha256 = plan.model->sha256;
    response.cut = completion.stop == StopReason::kLength;
    response.prompt_tokens = completion.prompt_tokens;
    response.completion_tokens = completion.completion_tokens;
    response.prefill_ms = completion.prefill_seconds * kMillisPerSecond;
    response.generate_ms = completion.decode_seconds * kMillisPerSecond;
    response.total_ms = total.Millis();
    audit::OutcomeRecord record = OutcomeOf(response);
    record.generation =
        RecordGeneration(generator->identity(), request.writing, parts.models.threads,
                         nlohmann::json::array({PromptJson(prompt)}),
                         nlohmann::json::array({CompletionJson(completion)}));
    if (cancelled) MarkCancelled(record);
    return record;
  });
  if (cancelled) throw Error(ErrorCode::kCancelled, "cancelled");
  return response;
}

}  // namespace sworn::service
