// A Generator without a model: it copies a sentence of a passage and cites it, so that everything
// around a model can be tested to the byte.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/generator.h"
#include "core/text/sentences.h"

namespace sworn::test {

/// Answers "SENTENCE [k]" with the first sentence of passage k = 1, or "I do not know." without
/// passages. A temperature above 0 chooses sentence `seed` modulo their number instead. A token is
/// a word with the white space before it; each is one piece for the sink. Thread-safe but for the
/// setters.
class FakeGenerator : public Generator {
 public:
  FakeGenerator() : identity_{"fake/1", std::string(64, 'f'), "none", 4'096} {}

  /// Passage `number` (from 1) is copied and cited.
  void set_passage(std::size_t number) { passage_ = number; }
  /// This text comes out, whatever the prompt.
  void set_answer(std::string answer) { answer_ = std::move(answer); }
  void set_context(std::size_t tokens) { identity_.context = tokens; }

  /// The prompts and options of all calls of Generate, in their order.
  [[nodiscard]] std::vector<std::pair<Prompt, GenerationOptions>> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  [[nodiscard]] const GeneratorIdentity& identity() const override { return identity_; }

  [[nodiscard]] std::size_t CountTokens(std::string_view text) const override {
    return Tokens(text).size();
  }

  [[nodiscard]] std::size_t CountTokens(const Prompt& prompt) const override {
    std::size_t count = 1 + CountTokens(prompt.system);  // each message has one marker
    for (const PromptTurn& turn : prompt.turns) count += 1 + CountTokens(turn.text);
    return count;
  }

  [[nodiscard]] Completion Generate(const Prompt& prompt, const GenerationOptions& options,
                                    const CancelFlag& cancel,
                                    const TextSink& on_text) const override {
    {
      const std::lock_guard lock(mutex_);
      calls_.emplace_back(prompt, options);
    }
    Completion completion;
    completion.prompt_tokens = CountTokens(prompt);
    if (completion.prompt_tokens + options.max_tokens > identity_.context) {
      throw Error(ErrorCode::kTooLarge, "the prompt and max_tokens exceed the context");
    }
    const std::string answer = Answer(prompt, options.sampler);
    const std::size_t end = StopAt(answer, options.stop);
    if (end < answer.size()) completion.stop = StopReason::kStopText;
    for (const std::string_view token : Tokens(std::string_view(answer).substr(0, end))) {
      if (cancel.cancelled()) {
        completion.stop = StopReason::kCancelled;
        break;
      }
      if (completion.completion_tokens == options.max_tokens) {
        completion.stop = StopReason::kLength;
        break;
      }
      completion.text += token;
      ++completion.completion_tokens;
      if (on_text) on_text(token);
    }
    return completion;
  }

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t'; }

  // Together they are the whole text: white space at the end belongs to the last one.
  static std::vector<std::string_view> Tokens(std::string_view text) {
    std::vector<std::string_view> tokens;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool ends = !IsSpace(text[i]) && i + 1 < text.size() && IsSpace(text[i + 1]);
      if (!ends || text.find_first_not_of(" \n\t", i + 1) == std::string_view::npos) continue;
      tokens.push_back(text.substr(begin, i + 1 - begin));
      begin = i + 1;
    }
    if (begin < text.size()) tokens.push_back(text.substr(begin));
    return tokens;
  }

  static std::size_t StopAt(std::string_view text, const std::vector<std::string>& stop) {
    std::size_t at = text.size();
    for (const std::string& end : stop) at = std::min(at, text.find(end));
    return at;
  }

  [[nodiscard]] std::string Answer(const Prompt& prompt, const SamplerOptions& sampler) const {
    if (answer_) return *answer_;
    if (passage_ == 0 || passage_ > prompt.passages.size()) return "I do not know.";
    const std::string& passage = prompt.passages[passage_ - 1];
    const auto sentences = text::SplitSentences(passage, "en");
    if (sentences.empty()) return "I do not know.";
    const std::size_t chosen = sampler.temperature > 0 ? sampler.seed % sentences.size() : 0;
    const ByteRange& range = sentences[chosen];
    return passage.substr(range.begin, range.end - range.begin) + " [" + std::to_string(passage_) +
           "]";
  }

  GeneratorIdentity identity_;
  std::size_t passage_ = 1;
  std::optional<std::string> answer_;
  mutable std::mutex mutex_;  // guards calls_
  mutable std::vector<std::pair<Prompt, GenerationOptions>> calls_;
};

}  // namespace sworn::test
