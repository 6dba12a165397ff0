// An answer that a model writes and code checks, sentence by sentence, while it is written.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/service/answer.h"
#include "api/service/citations.h"
#include "api/service/prompt.h"
#include "api/service/requests.h"
#include "audit/audit_records.h"
#include "core/cancel.h"
#include "core/generator.h"

namespace sworn::service {

inline constexpr std::size_t kMaxStopTexts = 16;
inline constexpr std::size_t kMaxStopBytes = 256;
inline constexpr std::size_t kMaxAnswerTokens = 8'192;

/// Throws kInvalidArgument naming the option that is out of its range.
void CheckWriting(const WritingOptions& options);

/// "t=0.7 k=40 p=0.95 m=0.05 r=1.1 w=64": everything of it but the seed.
std::string SamplerText(const SamplerOptions& options);

/// All of the options, for the log's payload.
nlohmann::json WritingJson(const WritingOptions& options);

/// SHA-256 of the RFC 8785 form of the prompts, hexadecimal.
std::string PromptDigest(const nlohmann::json& prompts);
nlohmann::json PromptJson(const Prompt& prompt);

nlohmann::json CompletionJson(const Completion& completion);

/// What the log says of a text that a model wrote; `prompts` and `completions` are arrays.
audit::GenerationRecord RecordGeneration(const GeneratorIdentity& generator,
                                         const WritingOptions& options, std::size_t threads,
                                         const nlohmann::json& prompts,
                                         const nlohmann::json& completions);

/// One answer in the making, of one prompt or several. Everything given outlives it.
class ModelAnswer {
 public:
  ModelAnswer(const Generator& generator, const WritingOptions& options, QuoteVerifier& verifier,
              AskResponse& response, const SentenceSink& sink, const CancelFlag& cancel);

  /// Generates, and adds each sentence that `checker` lets through to the response (and hands it to
  /// the sink) as soon as it is complete. `language`: of the text that comes.
  void Write(const PassagePrompt& prompt, const std::string& language, SentenceChecker& checker);

  /// Sets status, reason, usage and timing of the response.
  void Finish();

  /// Somebody cancelled; the response holds what was written until then.
  [[nodiscard]] bool cancelled() const { return cancelled_; }

  /// `threads`: that the model worked on.
  [[nodiscard]] audit::GenerationRecord Record(std::size_t threads) const;

 private:
  void Take(const WrittenSentence& written, const PassagePrompt& prompt, SentenceChecker& checker);
  bool Cite(const CheckedSentence& checked, const PassagePrompt& prompt, AnswerSentence& sentence);
  void Append(AnswerSentence sentence, std::size_t first_new);

  const Generator& generator_;
  const WritingOptions& options_;
  QuoteVerifier& verifier_;
  AskResponse& response_;
  const SentenceSink& sink_;
  const CancelFlag& cancel_;
  std::set<std::string> said_;  // forms of the sentences so far
  std::string first_objection_;
  bool declined_ = false;  // the model says that the passages do not answer
  bool cut_ = false;
  bool cancelled_ = false;
  nlohmann::json prompts_ = nlohmann::json::array();
  nlohmann::json completions_ = nlohmann::json::array();
};

}  // namespace sworn::service
