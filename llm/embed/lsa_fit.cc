#include "llm/embed/lsa_fit.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "llm/embed/randomized_svd.h"
#include "llm/embed/term_index.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {
namespace {

/// Terms of more than one passage, the most common kMaxLsaTerms of them, ascending.
std::vector<TermKey> ChooseTerms(const TermRows& rows) {
  std::vector<TermKey> all;
  all.reserve(rows.counts().size());
  for (const TermCount& entry : rows.counts()) all.push_back(entry.term);
  std::sort(all.begin(), all.end());
  std::vector<std::pair<std::size_t, TermKey>> shared;  // passages, term
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end] == all[i]) ++end;
    if (end - i > 1) shared.emplace_back(end - i, all[i]);
    i = end;
  }
  if (shared.size() > kMaxLsaTerms) {
    std::nth_element(shared.begin(), shared.begin() + kMaxLsaTerms, shared.end(),
                     [](const auto& a, const auto& b) {
                       return a.first != b.first ? a.first > b.first : a.second < b.second;
                     });
    shared.resize(kMaxLsaTerms);
  }
  std::vector<TermKey> terms;
  terms.reserve(shared.size());
  for (const auto& [passages, term] : shared) terms.push_back(term);
  std::sort(terms.begin(), terms.end());
  return terms;
}

std::vector<float> EntropyWeights(const TermRows& rows, const TermIndex& index) {
  std::vector<TermSpread> spreads(index.terms().size());
  for (const TermCount& entry : rows.counts()) {
    if (const auto term = index.Find(entry.term)) spreads[*term].Add(entry.count);
  }
  std::vector<float> weights;
  weights.reserve(spreads.size());
  for (const TermSpread& spread : spreads) {
    weights.push_back(static_cast<float>(spread.EntropyWeight(rows.size())));
  }
  return weights;
}

SparseMatrix WeighRows(const TermRows& rows, const TermIndex& index,
                       std::span<const float> weights) {
  SparseMatrix matrix;
  matrix.columns = index.terms().size();
  matrix.row_begins.reserve(rows.size() + 1);
  matrix.row_begins.push_back(0);
  matrix.entries.reserve(rows.counts().size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::size_t begin = matrix.entries.size();
    double square = 0;
    for (const TermCount& entry : rows[row]) {
      const auto term = index.Find(entry.term);
      if (!term || weights[*term] == 0) continue;
      const float value = CountWeight(entry.count) * weights[*term];
      square += static_cast<double>(value) * value;
      matrix.entries.push_back({*term, value});
    }
    const auto scale = static_cast<float>(square > 0 ? 1 / std::sqrt(square) : 0);
    for (std::size_t i = begin; i < matrix.entries.size(); ++i) matrix.entries[i].value *= scale;
    matrix.row_begins.push_back(matrix.entries.size());
  }
  return matrix;
}

/// Each row of V as int8 with a scale of its own.
void Quantise(std::span<const float> directions, LsaState& state) {
  state.scales.reserve(state.terms.size());
  state.directions.reserve(directions.size());
  for (std::size_t term = 0; term < state.terms.size(); ++term) {
    const auto row = directions.subspan(term * state.dimension, state.dimension);
    float largest = 0;
    for (const float value : row) largest = std::max(largest, std::abs(value));
    const float scale = largest / 127;
    state.scales.push_back(scale);
    for (const float value : row) {
      state.directions.push_back(scale > 0 ? static_cast<std::int8_t>(std::lround(value / scale))
                                           : std::int8_t{0});
    }
  }
}

}  // namespace

std::size_t LsaDimension(std::size_t passages) noexcept {
  if (passages < 100) return passages / 4;
  return std::clamp<std::size_t>(passages / 8, 16, kMaxLsaDimension);
}

std::optional<LsaState> FitLsa(const TermRows& rows, std::uint64_t seed, std::size_t threads) {
  const TermIndex index(ChooseTerms(rows));
  if (index.terms().empty()) return std::nullopt;
  LsaState state;
  state.weights = EntropyWeights(rows, index);
  const SparseMatrix matrix = WeighRows(rows, index, state.weights);
  if (matrix.entries.empty()) return std::nullopt;
  ThreadTeam team(threads);
  const RightSingularVectors vectors = RandomizedSvd(matrix, LsaDimension(rows.size()), seed, team);
  state.terms.assign(index.terms().begin(), index.terms().end());
  state.dimension = static_cast<std::uint32_t>(vectors.count);
  Quantise(vectors.values, state);
  return state;
}

}  // namespace sworn::llm
