#include "llm/decode/generation.h"

#include <optional>

#include "core/error.h"

namespace sworn::llm {
namespace {

// Forced tokens that are added before they are computed.
constexpr std::size_t kMaxForced = 64;

std::optional<Constraint> MakeConstraint(const Prompt& prompt, TextConstraint kind) {
  if (kind == TextConstraint::kFree) return std::nullopt;
  return Constraint(kind, prompt.passages);
}

double Seconds(std::int64_t nanos) { return static_cast<double>(nanos) * 1e-9; }

}  // namespace

Generation::Generation(const Workshop& workshop, const VocabularyIndex* index, const Prompt& prompt,
                       std::span<const Token> tokens, const GenerationOptions& options,
                       const CancelFlag& cancel, const TextSink& on_text)
    : workshop_(workshop),
      prompt_(prompt),
      tokens_(tokens),
      options_(options),
      cancel_(cancel),
      drafts_allowed_(options.draft_from_passages &&
                      tokens.size() + options.max_tokens <= kMaxSuffixTokens),
      stream_(options.stop, on_text),
      chooser_(workshop.model, workshop.team, options.sampler,
               MakeConstraint(prompt, options.constraint), index),
      cache_(workshop.model.config(), tokens.size() + options.max_tokens),
      transformer_(workshop.model, workshop.team) {
  completion_.prompt_tokens = tokens.size();
  for (const Token token : tokens) {
    chooser_.AcceptPrompt(token);
    if (drafts_allowed_) drafter_.Append(token);
  }
}

Completion Generation::Run() {
  const std::int64_t begin = workshop_.clock.MonotonicNanos();
  const bool is_ready = Prefill();
  const std::int64_t middle = workshop_.clock.MonotonicNanos();
  if (is_ready) Decode();
  if (completion_.stop != StopReason::kStopText) stream_.Finish(chooser_.unfinished());
  completion_.prefill_seconds = Seconds(middle - begin);
  completion_.decode_seconds = Seconds(workshop_.clock.MonotonicNanos() - middle);
  completion_.text = stream_.text();
  return std::move(completion_);
}

bool Generation::StopsFor(StopReason reason) {
  completion_.stop = reason;
  return false;
}

bool Generation::Forward(std::span<const Token> tokens, std::size_t want) {
  try {
    chooser_.SetHidden(transformer_.Forward(tokens, want, cache_, cancel_));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    return StopsFor(StopReason::kCancelled);
  }
  return true;
}

bool Generation::Prefill() {
  // The last token is always computed: the answer begins with its hidden state.
  PrefixTree::Pages pages =
      workshop_.prefixes.Find(prompt_.cache_partition, tokens_.first(tokens_.size() - 1));
  cache_.Adopt(pages);
  completion_.cached_tokens = cache_.length();
  if (!Forward(tokens_.subspan(cache_.length()), 1)) return false;
  for (std::size_t i = pages.size(); i < tokens_.size() / kPagePositions; ++i) {
    pages.push_back(cache_.SharePage(i));
  }
  workshop_.prefixes.Insert(prompt_.cache_partition, tokens_, pages);
  return true;
}

void Generation::Decode() {
  while (Walk() && AddForced()) {
    Draft();
    std::vector<Token> batch = next_;
    batch.insert(batch.end(), draft_.begin(), draft_.end());
    if (!Forward(batch, draft_.size() + 1)) return;
  }
}

// Chooses behind the last computed token, and behind each drafted one as long as it is what was
// chosen; forgets the rest. False if the text is at its end.
bool Generation::Walk() {
  next_.clear();
  std::size_t accepted = 0;
  while (next_.empty()) {
    if (cancel_.cancelled()) return StopsFor(StopReason::kCancelled);
    const std::optional<Token> token = chooser_.Choose(accepted);
    const bool was_drafted = accepted < draft_.size() && token == draft_[accepted];
    if (was_drafted) ++completion_.accepted_tokens;
    if (!Take(token)) return false;
    if (was_drafted) {
      ++accepted;
    } else {
      next_.push_back(*token);
    }
  }
  cache_.Truncate(cache_.length() - draft_.size() + accepted);
  drafter_.Report(draft_.size(), accepted);
  return true;
}

bool Generation::AddForced() {
  while (next_.size() < kMaxForced) {
    const std::optional<Token> token = chooser_.Forced();
    if (!token) return true;
    if (cancel_.cancelled()) return StopsFor(StopReason::kCancelled);
    if (!Take(token)) return false;
    next_.push_back(*token);
  }
  return true;
}

// False if the text ends before or behind the token.
bool Generation::Take(std::optional<Token> token) {
  if (!token || chooser_.IsEnd(*token)) return StopsFor(StopReason::kEnd);
  const Tokenizer& tokenizer = workshop_.model.tokenizer();
  chooser_.Accept(*token);
  if (drafts_allowed_) drafter_.Append(*token);
  // Alone at the start of a text a token may lose the space that SentencePiece put before it.
  const bool is_first = completion_.completion_tokens++ == 0;
  const std::string bytes =
      is_first ? tokenizer.Decode({&*token, 1}) : std::string(tokenizer.Bytes(*token));
  if (stream_.Push(bytes, chooser_.unfinished())) return StopsFor(StopReason::kStopText);
  if (completion_.completion_tokens == options_.max_tokens) return StopsFor(StopReason::kLength);
  return true;
}

void Generation::Draft() {
  draft_.clear();
  if (!drafts_allowed_) return;
  draft_ = drafter_.Propose();
  // The token behind the last drafted one is chosen as well.
  const std::size_t room = options_.max_tokens - completion_.completion_tokens - 1;
  if (draft_.size() > room) draft_.resize(room);
  chooser_.KeepAllowed(draft_);
  completion_.drafted_tokens += draft_.size();
}

}  // namespace sworn::llm
