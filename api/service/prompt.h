// The prompts. What comes from documents is fenced and named as quoted material; the question comes
// last; what stays the same from request to request comes first, so that its computation can be
// reused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/generator.h"
#include "retriever/context.h"

namespace sworn::service {

/// Names the wording of the prompts; recorded with every answer, raised with every change.
inline constexpr const char* kPromptTemplate = "sworn-prompt/1";

/// Passages shown for one question, and their size together: a small model reads few pages well,
/// and every token is computed before the first word.
inline constexpr std::size_t kMaxPromptPassages = 5;
inline constexpr std::size_t kMaxPassageTokens = 1'536;

/// What the model writes instead of an answer that the passages do not give.
inline constexpr std::string_view kNoAnswer = "NO ANSWER";

struct PromptRequest {
  std::string_view text;      // the question, or what is to be translated
  std::string_view language;  // to write in: a code as text::DetectLanguage gives it
  std::string_view nonce;     // random, recorded: the fences are derived from it
  std::string cache_partition;
  std::size_t max_tokens = 0;  // of the answer
  bool quote = false;          // the answer consists of sentences of the passages
};

/// A prompt and the passages in it, numbered from 1 as there. A passage may be shorter than given:
/// whole sentences are left out at its end.
struct PassagePrompt {
  Prompt prompt;
  std::vector<retriever::Passage> passages;
};

/// The fence of a passage: unlike for every other text and not to be found without the nonce, but
/// the same for the same passage within one nonce. 8 characters of a-z and 2-7; never part of
/// `text`.
std::string FenceOf(std::string_view nonce, std::string_view text);

/// Fits as many of `passages` (best first) as the generator's context has room for. Throws
/// kTooLarge if not one sentence fits.
PassagePrompt BuildAskPrompt(const PromptRequest& request,
                             const std::vector<retriever::Passage>& passages,
                             const Generator& generator);

/// The same for a summary of passages in the order of their document: takes as many from the front
/// as fit, at least one, which alone may be shortened. The rest needs another prompt.
PassagePrompt BuildSummaryPrompt(const PromptRequest& request,
                                 const std::vector<retriever::Passage>& passages,
                                 const Generator& generator);

/// `request.text` fenced, to be written in `request.language`. Throws kTooLarge if it does not fit.
Prompt BuildTranslationPrompt(const PromptRequest& request, const Generator& generator);

/// "English" for "en"; the code itself for a language without a name here, "the language of the
/// text" for "und".
std::string LanguageName(std::string_view code);

}  // namespace sworn::service
