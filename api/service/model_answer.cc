#include "api/service/model_answer.h"

#include <algorithm>
#include <utility>

#include "api/service/stopwatch.h"
#include "core/canonical_json.h"
#include "core/crypto.h"
#include "core/error.h"

namespace sworn::service {
namespace {

using nlohmann::json;

std::string_view StopName(StopReason stop) {
  switch (stop) {
    case StopReason::kEnd:
      return "end";
    case StopReason::kStopText:
      return "stop_text";
    case StopReason::kLength:
      return "length";
    case StopReason::kCancelled:
      break;
  }
  return "cancelled";
}

std::uint32_t FindCitation(const AskResponse& response, const Citation& wanted) {
  for (const Citation& citation : response.citations) {
    if (citation.chunk.document_id == wanted.chunk.document_id &&
        citation.chunk.version == wanted.chunk.version && citation.range == wanted.range) {
      return citation.number;
    }
  }
  return 0;
}

}  // namespace

void CheckWriting(const WritingOptions& options) {
  const GenerationOptions& generation = options.generation;
  CheckSampler(generation.sampler);
  if (generation.max_tokens < 1 || generation.max_tokens > kMaxAnswerTokens) {
    throw Error(ErrorCode::kInvalidArgument,
                "max_tokens must be from 1 to " + std::to_string(kMaxAnswerTokens));
  }
  if (generation.stop.size() > kMaxStopTexts) {
    throw Error(ErrorCode::kInvalidArgument,
                "at most " + std::to_string(kMaxStopTexts) + " stop texts can be given");
  }
  for (const std::string& stop : generation.stop) {
    if (stop.empty() || stop.size() > kMaxStopBytes) {
      throw Error(ErrorCode::kInvalidArgument,
                  "a stop text has 1 to " + std::to_string(kMaxStopBytes) + " bytes");
    }
  }
}

std::string SamplerText(const SamplerOptions& options) {
  return "t=" + EcmaScriptNumber(options.temperature) + " k=" + std::to_string(options.top_k) +
         " p=" + EcmaScriptNumber(options.top_p) + " m=" + EcmaScriptNumber(options.min_p) +
         " r=" + EcmaScriptNumber(options.repeat_penalty) +
         " w=" + std::to_string(options.repeat_window);
}

json WritingJson(const WritingOptions& options) {
  const SamplerOptions& sampler = options.generation.sampler;
  return {{"sampler", SamplerText(sampler)},
          {"seed", std::to_string(sampler.seed)},  // a JSON number would lose its low bits
          {"max_tokens", options.generation.max_tokens},
          {"stop", options.generation.stop},
          {"quote", options.quote},
          {"keep_unverified", options.keep_unverified}};
}

json PromptJson(const Prompt& prompt) {
  json turns = json::array();
  for (const PromptTurn& turn : prompt.turns) {
    turns.push_back({{"from_user", turn.from_user}, {"text", turn.text}});
  }
  return {{"system", prompt.system}, {"turns", turns}, {"passages", prompt.passages}};
}

std::string PromptDigest(const json& prompts) { return ToHex(Sha256(CanonicalJson(prompts))); }

json CompletionJson(const Completion& completion) {
  return {{"text", completion.text},
          {"stop", StopName(completion.stop)},
          {"cached_tokens", completion.cached_tokens},
          {"drafted_tokens", completion.drafted_tokens},
          {"accepted_tokens", completion.accepted_tokens}};
}

audit::GenerationRecord RecordGeneration(const GeneratorIdentity& generator,
                                         const WritingOptions& options, std::size_t threads,
                                         const json& prompts, const json& completions) {
  audit::GenerationRecord record;
  record.kernels = generator.kernels;
  record.seed = options.generation.sampler.seed;
  record.sampler = SamplerText(options.generation.sampler);
  record.max_tokens = options.generation.max_tokens;
  record.threads = threads;
  record.prompt_template = kPromptTemplate;
  record.prompt_sha256 = PromptDigest(prompts);
  record.payload = {{"model", {{"id", generator.id}, {"sha256", generator.sha256}}},
                    {"completions", completions}};
  return record;
}

ModelAnswer::ModelAnswer(const Generator& generator, const WritingOptions& options,
                         QuoteVerifier& verifier, AskResponse& response, const SentenceSink& sink,
                         const CancelFlag& cancel)
    : generator_(generator),
      options_(options),
      verifier_(verifier),
      response_(response),
      sink_(sink),
      cancel_(cancel) {}

void ModelAnswer::Write(const PassagePrompt& prompt, const std::string& language,
                        SentenceChecker& checker) {
  GenerationOptions generation = options_.generation;
  generation.constraint = options_.quote ? TextConstraint::kQuote : TextConstraint::kCite;
  prompts_.push_back(PromptJson(prompt.prompt));
  SentenceStream stream(language);
  const auto take = [&](const WrittenSentence& written) { Take(written, prompt, checker); };
  const Completion completion = generator_.Generate(
      prompt.prompt, generation, cancel_, [&](std::string_view piece) { stream.Add(piece, take); });
  cancelled_ = cancelled_ || completion.stop == StopReason::kCancelled;
  const bool broken_off = cancelled_ || completion.stop == StopReason::kLength;
  cut_ = stream.Finish(broken_off, take) || cut_;
  completions_.push_back(CompletionJson(completion));
  response_.prompt_tokens += completion.prompt_tokens;
  response_.completion_tokens += completion.completion_tokens;
  response_.timing.prefill += completion.prefill_seconds * kMillisPerSecond;
  response_.timing.generate += completion.decode_seconds * kMillisPerSecond;
}

void ModelAnswer::Take(const WrittenSentence& written, const PassagePrompt& prompt,
                       SentenceChecker& checker) {
  if (StatementForm(written.text) == StatementForm(kNoAnswer)) {
    declined_ = true;
    return;
  }
  // A small model repeats itself; nobody needs to read it twice.
  if (!said_.insert(StatementForm(written.text)).second) return;
  CheckedSentence checked = checker.Check(written);
  AnswerSentence sentence;
  sentence.text = std::move(checked.text);
  const std::size_t first_new = response_.citations.size();
  if (checked.supported) {
    if (Cite(checked, prompt, sentence)) {
      sentence.verified = true;
      Append(std::move(sentence), first_new);
      return;
    }
    checked.reason = "a quotation does not equal the stored text: run `sworn fsck`";
  }
  ++response_.left_out;
  if (first_objection_.empty()) first_objection_ = checked.reason;
  if (options_.keep_unverified) Append(std::move(sentence), first_new);
}

bool ModelAnswer::Cite(const CheckedSentence& checked, const PassagePrompt& prompt,
                       AnswerSentence& sentence) {
  const std::size_t before = response_.citations.size();
  for (const SupportingSpan& span : checked.spans) {
    const retriever::Passage& passage = prompt.passages[span.passage];
    Citation citation;
    citation.number = static_cast<std::uint32_t>(response_.citations.size() + 1);
    citation.quote = span.quote;
    citation.range = span.range;
    citation.chunk = retriever::ChunkAt(passage, span.range.begin);
    citation.chunk.location = retriever::LocateSpan(passage, span.range);
    citation.verified = verifier_.Stands(citation);
    if (!citation.verified) {
      response_.citations.resize(before);
      sentence.citations.clear();
      return false;
    }
    const std::uint32_t known = FindCitation(response_, citation);
    const std::uint32_t number = known != 0 ? known : citation.number;
    if (known == 0) response_.citations.push_back(std::move(citation));
    const auto& given = sentence.citations;
    if (std::find(given.begin(), given.end(), number) == given.end()) {
      sentence.citations.push_back(number);
    }
  }
  return true;
}

void ModelAnswer::Append(AnswerSentence sentence, std::size_t first_new) {
  if (!response_.answer.empty()) response_.answer.push_back(' ');
  response_.answer += MarkedText(sentence);
  response_.sentences.push_back(std::move(sentence));
  if (sink_) {
    sink_(response_.sentences.back(),
          std::span<const Citation>(response_.citations).subspan(first_new));
  }
}

void ModelAnswer::Finish() {
  const auto verified = std::count_if(response_.sentences.begin(), response_.sentences.end(),
                                      [](const AnswerSentence& one) { return one.verified; });
  if (verified == 0) {
    response_.status = AnswerStatus::kAbstained;
    if (response_.left_out > 0) {
      response_.reason = "the passages do not support what the model wrote: " + first_objection_;
    } else if (declined_) {
      response_.reason = "the model found no answer in the passages";
    } else {
      response_.reason =
          cut_ ? "the model wrote no whole sentence within max_tokens" : "the model wrote nothing";
    }
    return;
  }
  response_.status = AnswerStatus::kAnswered;
  std::string reason;
  if (response_.left_out > 0) {
    reason = std::to_string(response_.left_out) +
             (response_.left_out == 1 ? " sentence" : " sentences") +
             " of the model without support in the passages" +
             (options_.keep_unverified ? "" : " left out");
  }
  if (cut_) reason += (reason.empty() ? "" : "; ") + std::string("cut at max_tokens");
  if (!reason.empty()) {
    response_.status = AnswerStatus::kPartial;
    response_.reason = reason;
  }
}

audit::GenerationRecord ModelAnswer::Record(std::size_t threads) const {
  return RecordGeneration(generator_.identity(), options_, threads, prompts_, completions_);
}

}  // namespace sworn::service
