// How the read path weighs what it finds.
#pragma once

#include <cstddef>

#include "store/snapshot.h"

namespace sworn::retriever {

/// One set for every collection; docs/retrieval.md shows what each is worth.
struct Parameters {
  store::Bm25 chunk_bm25;
  store::Bm25 document_bm25{.k1 = 1.6};  // a word comes more often in a whole document
  double document_share = 0.7;           // of the whole document in a chunk's keyword score
  std::size_t min_candidates = 400;      // asked of each leg; more when top_k asks for more

  /// Weight of the vector leg where vectors are fitted to the collection; those of a text embedder
  /// have the fusion_weight of its identity.
  double fitted_weight = 0.15;
  /// Of the local leg in what the vector leg leaves to the words: .30 beside .55 and .15.
  double local_share = 0.353;
  /// Passages at the top of a first ranking by whose mean the fitted and the local leg move the
  /// question (Rocchio).
  std::size_t feedback_passages = 5;
  /// The fitted and the local leg have their whole weight where the keyword scores of the documents
  /// at ranks 2 to 10 are, on average, this share of the best one's or more, and none where they
  /// are `sharp` or less: words that single out one document need no company.
  double diffuse = 0.8;
  double sharp = 0.4;
};

}  // namespace sworn::retriever
