// BM25 of single passages from their term rows: for a handful of passages, a search of the whole
// index would cost more than reading them.
#pragma once

#include <span>
#include <vector>

#include "core/term_rows.h"
#include "core/text/keyword_query.h"
#include "store/snapshot.h"

namespace sworn::retriever {

/// The formula of the keyword index (store/xapian_index.cc).
class RowScorer {
 public:
  /// `mean_length`: words of a passage.
  RowScorer(const store::Snapshot& snapshot, const text::KeywordQuery& query,
            const store::Bm25& bm25, double mean_length);

  [[nodiscard]] double Score(std::span<const TermCount> row) const;

 private:
  struct WeightedTerm {
    TermKey term = 0;
    double weight = 0;
  };
  using Alternatives = std::vector<WeightedTerm>;  // a passage gets the best of them

  void Add(const store::Snapshot& snapshot, const text::TermAlternatives& word);

  store::Bm25 bm25_;
  double mean_length_;
  std::vector<Alternatives> words_;
};

}  // namespace sworn::retriever
