// One prompt becoming one text: prefill, then tokens until there is a reason to stop.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/generator.h"
#include "llm/decode/draft.h"
#include "llm/decode/prefix_tree.h"
#include "llm/decode/token_chooser.h"
#include "llm/decode/vocabulary_index.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"
#include "llm/graph/transformer.h"
#include "llm/text/text_stream.h"

namespace sworn::llm {

/// What generations share.
struct Workshop {
  const Model& model;
  ThreadTeam& team;
  const Clock& clock;
  PrefixTree& prefixes;
};

/// Run once; not thread-safe.
class Generation {
 public:
  /// All must outlive it. `tokens`, the prompt, is not empty; `index` may be null without a
  /// constraint. Throws for options out of range.
  Generation(const Workshop& workshop, const VocabularyIndex* index, const Prompt& prompt,
             std::span<const Token> tokens, const GenerationOptions& options,
             const CancelFlag& cancel, const TextSink& on_text);

  Completion Run();

 private:
  [[nodiscard]] bool Prefill();
  void Decode();
  [[nodiscard]] bool Forward(std::span<const Token> tokens, std::size_t want);
  [[nodiscard]] bool Walk();
  [[nodiscard]] bool AddForced();
  [[nodiscard]] bool Take(std::optional<Token> token);
  [[nodiscard]] bool StopsFor(StopReason reason);
  void Draft();

  const Workshop& workshop_;
  const Prompt& prompt_;
  const std::span<const Token> tokens_;
  const GenerationOptions& options_;
  const CancelFlag& cancel_;
  const bool drafts_allowed_;

  Completion completion_;
  TextStream stream_;
  TokenChooser chooser_;
  Drafter drafter_;
  KvCache cache_;
  Transformer transformer_;
  std::vector<Token> next_;   // chosen, not yet computed
  std::vector<Token> draft_;  // computed behind them, not yet chosen
};

}  // namespace sworn::llm
