// Which token comes next: what the constraint allows, as the sampler chooses.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "llm/decode/constraint.h"
#include "llm/decode/sampler.h"
#include "llm/decode/vocabulary_index.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// Of one generation; not thread-safe.
///
/// A token is chosen as if all logits of the vocabulary had been computed, those of forbidden
/// tokens dropped and the rest given to the sampler. Where a constraint leaves few tokens, only
/// their logits are computed; elsewhere the best ones, more of them until enough are allowed. Ids
/// that the model has but the tokenizer has not are never chosen. Where a single token is allowed
/// it is taken without a logit and without a random number.
class TokenChooser {
 public:
  /// What is passed by reference must outlive it. `index` may be null without a constraint.
  TokenChooser(const Model& model, ThreadTeam& team, const SamplerOptions& sampler,
               std::optional<Constraint> constraint, const VocabularyIndex* index);

  /// Choose(row) will choose from these; row-major [rows, hidden], valid until the next call.
  void SetHidden(std::span<const float> hidden);

  /// The token that follows, chosen from hidden state `row`; nothing if none may: the vocabulary
  /// cannot spell what the constraint demands. May end the text.
  [[nodiscard]] std::optional<Token> Choose(std::size_t row);

  /// The token that follows if no other may.
  [[nodiscard]] std::optional<Token> Forced();

  /// `token` stands in the prompt.
  void AcceptPrompt(Token token) { sampler_.Accept(token); }
  /// `token`, which does not end the text, now stands in the answer.
  void Accept(Token token);

  /// Leaves of `tokens` those up to the first that the constraint forbids.
  void KeepAllowed(std::vector<Token>& tokens) const;

  [[nodiscard]] bool IsEnd(Token token) const;
  /// Bytes at the end of the answer that belong to a citation that is not complete.
  [[nodiscard]] std::size_t unfinished() const {
    return constraint_ ? constraint_->unfinished() : 0;
  }

 private:
  void ListAllowed();
  [[nodiscard]] bool IsAllowed(Token token) const;
  [[nodiscard]] std::span<const float> HiddenOf(std::size_t row) const;
  [[nodiscard]] std::vector<TokenLogit> FromList(std::size_t row) const;
  [[nodiscard]] std::vector<TokenLogit> FromBest(std::size_t row);

  const Model& model_;
  ThreadTeam& team_;
  Sampler sampler_;
  std::optional<Constraint> constraint_;
  const VocabularyIndex* index_;
  bool is_listed_ = false;                    // for the text so far
  std::optional<std::vector<Token>> listed_;  // nothing: too many to list

  std::span<const float> hidden_;
  std::size_t best_from_ = 0;                  // the row of best_[0]
  std::vector<std::vector<TokenLogit>> best_;  // empty: not computed yet
};

}  // namespace sworn::llm
