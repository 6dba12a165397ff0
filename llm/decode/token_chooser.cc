#include "llm/decode/token_chooser.h"

#include <algorithm>
#include <utility>

namespace sworn::llm {
namespace {

// Up to here computing the logits of listed tokens costs less than reading the coarse copy of the
// output matrix.
constexpr std::size_t kMaxListed = 4'096;
// Asked for beyond what the sampler needs, so that a forbidden token or two cost no second look.
constexpr std::size_t kSpareLogits = 8;
constexpr std::size_t kGrowth = 4;

}  // namespace

TokenChooser::TokenChooser(const Model& model, ThreadTeam& team, const SamplerOptions& sampler,
                           std::optional<Constraint> constraint, const VocabularyIndex* index)
    : model_(model),
      team_(team),
      sampler_(sampler),
      constraint_(std::move(constraint)),
      index_(index) {}

void TokenChooser::SetHidden(std::span<const float> hidden) {
  hidden_ = hidden;
  best_.clear();
}

std::span<const float> TokenChooser::HiddenOf(std::size_t row) const {
  const std::size_t width = model_.config().hidden;
  return hidden_.subspan(row * width, width);
}

bool TokenChooser::IsEnd(Token token) const {
  const auto ends = model_.tokenizer().ends();
  return std::find(ends.begin(), ends.end(), token) != ends.end();
}

bool TokenChooser::IsAllowed(Token token) const {
  if (static_cast<std::size_t>(token) >= model_.tokenizer().vocabulary()) return false;
  if (!constraint_) return true;
  if (IsEnd(token)) return constraint_->may_end();
  const std::string_view bytes = model_.tokenizer().Bytes(token);
  return !bytes.empty() && constraint_->Allows(bytes);
}

void TokenChooser::ListAllowed() {
  if (is_listed_) return;
  is_listed_ = true;
  listed_.reset();
  if (!constraint_) return;
  listed_ = constraint_->AllowedTokens(*index_, kMaxListed);
  if (!listed_ || !constraint_->may_end()) return;
  const auto ends = model_.tokenizer().ends();
  listed_->insert(listed_->end(), ends.begin(), ends.end());
}

std::vector<TokenLogit> TokenChooser::FromList(std::size_t row) const {
  std::vector<float> logits(listed_->size());
  model_.head().LogitsOf(HiddenOf(row), *listed_, logits.data());
  std::vector<TokenLogit> choice;
  choice.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) choice.push_back({(*listed_)[i], logits[i]});
  return choice;
}

std::vector<TokenLogit> TokenChooser::FromBest(std::size_t row) {
  const std::size_t all = model_.head().vocabulary();
  const std::size_t needed = std::min(all, sampler_.candidates());
  if (best_.empty()) {
    // For the rows behind this one as well: they share the cost.
    const std::size_t rows = hidden_.size() / model_.config().hidden - row;
    best_from_ = row;
    best_ = model_.head().Best(hidden_.subspan(row * model_.config().hidden), rows,
                               std::min(all, needed + rows + kSpareLogits), team_);
  }
  std::vector<TokenLogit> best = best_[row - best_from_];
  while (true) {
    std::vector<TokenLogit> choice;
    for (const TokenLogit& entry : best) {
      if (IsAllowed(entry.token)) choice.push_back(entry);
    }
    if (choice.size() >= needed || best.size() == all) return choice;
    best = model_.head().Best(HiddenOf(row), 1, std::min(all, best.size() * kGrowth), team_)[0];
  }
}

std::optional<Token> TokenChooser::Choose(std::size_t row) {
  if (const auto forced = Forced()) return forced;
  const std::vector<TokenLogit> choice = listed_ ? FromList(row) : FromBest(row);
  if (choice.empty()) return std::nullopt;
  return sampler_.Choose(choice);
}

std::optional<Token> TokenChooser::Forced() {
  ListAllowed();
  if (!listed_ || listed_->size() != 1) return std::nullopt;
  return listed_->front();
}

void TokenChooser::Accept(Token token) {
  sampler_.Accept(token);
  if (constraint_) constraint_->Accept(model_.tokenizer().Bytes(token));
  is_listed_ = false;
}

void TokenChooser::KeepAllowed(std::vector<Token>& tokens) const {
  if (!constraint_) return;
  Constraint ahead = *constraint_;
  std::size_t kept = 0;
  for (; kept < tokens.size(); ++kept) {
    const std::string_view bytes = model_.tokenizer().Bytes(tokens[kept]);
    if (bytes.empty() || !ahead.Allows(bytes)) break;
    ahead.Accept(bytes);
  }
  tokens.resize(kept);
}

}  // namespace sworn::llm
