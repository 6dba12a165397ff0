#include "retriever/row_scorer.h"

#include <algorithm>
#include <cmath>

namespace sworn::retriever {
namespace {

double Rarity(const store::TermStatistics& statistics) {
  const auto all = static_cast<double>(statistics.passages);
  const auto with_term = static_cast<double>(statistics.passages_with_term);
  const double odds = (all - with_term + 0.5) / (with_term + 0.5);
  return std::log(odds < 2 ? odds * 0.5 + 1 : odds);
}

std::uint32_t CountOf(TermKey term, std::span<const TermCount> row) {
  const auto at =
      std::lower_bound(row.begin(), row.end(), term,
                       [](const TermCount& entry, TermKey wanted) { return entry.term < wanted; });
  return at != row.end() && at->term == term ? at->count : 0;
}

}  // namespace

RowScorer::RowScorer(const store::Snapshot& snapshot, const text::KeywordQuery& query,
                     const store::Bm25& bm25, double mean_length)
    : bm25_(bm25), mean_length_(mean_length) {
  for (const auto& word : query.words) Add(snapshot, word);
  for (const auto& identifier : query.identifiers) Add(snapshot, {{identifier}, 1});
  for (const auto& phrase : query.phrases) {
    for (const auto& word : phrase.words) Add(snapshot, word);
  }
}

void RowScorer::Add(const store::Snapshot& snapshot, const text::TermAlternatives& word) {
  const double repeated =
      word.weight < 1 ? word.weight : (bm25_.k3 + 1) * word.weight / (bm25_.k3 + word.weight);
  Alternatives alternatives;
  for (const std::string& term : word.terms) {
    const store::TermStatistics statistics = snapshot.Statistics(term);
    if (statistics.passages_with_term == 0) continue;
    alternatives.push_back({TermKeyOf(term), Rarity(statistics) * (bm25_.k1 + 1) * repeated});
  }
  if (!alternatives.empty()) words_.push_back(std::move(alternatives));
}

double RowScorer::Score(std::span<const TermCount> row) const {
  constexpr double kMinLength = 0.5;
  double length = 0;
  for (const TermCount& entry : row) length += entry.count;
  const double share = std::max(mean_length_ > 0 ? length / mean_length_ : 1, kMinLength);
  const double norm = bm25_.k1 * (bm25_.b * share + 1 - bm25_.b);
  double score = 0;
  for (const Alternatives& word : words_) {
    double best = 0;
    for (const WeightedTerm& term : word) {
      const double count = CountOf(term.term, row);
      best = std::max(best, term.weight * count / (norm + count));
    }
    score += best;
  }
  return score;
}

}  // namespace sworn::retriever
