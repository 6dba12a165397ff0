#include "llm/decode/suffix_automaton.h"

#include "core/error.h"

namespace sworn::llm {
namespace {

constexpr std::uint32_t kNoState = UINT32_MAX;
constexpr std::size_t kFirstTableSize = 1'024;  // powers of two

std::size_t Hash(std::uint32_t state, Token token) {
  std::uint64_t key =
      (std::uint64_t{state} << 32U) | static_cast<std::uint64_t>(static_cast<std::uint32_t>(token));
  key ^= key >> 33U;
  key *= 0xff51afd7ed558ccdULL;  // the finaliser of MurmurHash3
  key ^= key >> 33U;
  return static_cast<std::size_t>(key);
}

}  // namespace

SuffixAutomaton::SuffixAutomaton() : states_(1), edges_(1), table_(kFirstTableSize) {
  states_[0].link = kNoState;
}

SuffixAutomaton::Edge* SuffixAutomaton::FindEdge(std::uint32_t state, Token token) noexcept {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t slot = Hash(state, token) & mask; table_[slot] != 0; slot = (slot + 1) & mask) {
    Edge& edge = edges_[table_[slot]];
    if (edge.from == state && edge.token == token) return &edge;
  }
  return nullptr;
}

void SuffixAutomaton::GrowTable() {
  table_.assign(table_.size() * 2, 0);
  const std::size_t mask = table_.size() - 1;
  for (std::uint32_t i = 1; i < edges_.size(); ++i) {
    std::size_t slot = Hash(edges_[i].from, edges_[i].token) & mask;
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = i;
  }
}

void SuffixAutomaton::AddEdge(std::uint32_t from, Token token, std::uint32_t to) {
  if (edges_.size() * 2 > table_.size()) GrowTable();
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = Hash(from, token) & mask;
  while (table_[slot] != 0) slot = (slot + 1) & mask;
  table_[slot] = static_cast<std::uint32_t>(edges_.size());
  edges_.push_back({token, from, to, states_[from].edges});
  states_[from].edges = table_[slot];
}

// No edge is ever taken away, so all copies together are at most the edges of the final automaton.
std::uint32_t SuffixAutomaton::Clone(std::uint32_t state, std::uint32_t length) {
  const auto clone = static_cast<std::uint32_t>(states_.size());
  states_.push_back({length, states_[state].link, states_[state].first_end, 0});
  for (std::uint32_t i = states_[state].edges; i != 0; i = edges_[i].next) {
    AddEdge(clone, edges_[i].token, edges_[i].to);
  }
  return clone;
}

void SuffixAutomaton::Append(Token token) {
  if (tokens_.size() == kMaxSuffixTokens) {
    throw Error(ErrorCode::kTooLarge, "a token sequence of more than " +
                                          std::to_string(kMaxSuffixTokens) +
                                          " tokens cannot be indexed for drafting");
  }
  const auto end = static_cast<std::uint32_t>(tokens_.size());
  tokens_.push_back(token);
  const auto added = static_cast<std::uint32_t>(states_.size());
  states_.push_back({end + 1, 0, end, 0});

  std::uint32_t state = last_;
  last_ = added;
  Edge* edge = nullptr;
  while (state != kNoState && (edge = FindEdge(state, token)) == nullptr) {
    AddEdge(state, token, added);
    state = states_[state].link;
  }
  if (state == kNoState) return;  // the token is new: linked to the start
  const std::uint32_t target = edge->to;
  const std::uint32_t length = states_[state].length + 1;
  if (states_[target].length == length) {
    states_[added].link = target;
    return;
  }
  const std::uint32_t clone = Clone(target, length);
  for (; state != kNoState; state = states_[state].link) {
    Edge* moved = FindEdge(state, token);
    if (moved == nullptr || moved->to != target) break;
    moved->to = clone;
  }
  states_[target].link = clone;
  states_[added].link = clone;
}

SuffixAutomaton::Repeat SuffixAutomaton::LongestRepeat() const noexcept {
  if (last_ == 0) return {};
  const State& repeated = states_[states_[last_].link];
  if (repeated.length == 0) return {};
  return {repeated.length, std::size_t{repeated.first_end} + 1};
}

}  // namespace sworn::llm
