// The keyword leg: BM25 of chunks with their documents' evidence, and the exact check of phrases.
#pragma once

#include <cstddef>
#include <vector>

#include "core/text/analyzer.h"
#include "core/text/keyword_query.h"
#include "retriever/fusion.h"
#include "retriever/parameters.h"
#include "store/snapshot.h"

namespace sworn::retriever {

/// The keyword leg of one question. What it is given outlives it.
class KeywordLeg {
 public:
  /// `only` may be null.
  KeywordLeg(const store::Snapshot& snapshot, const Parameters& parameters,
             const text::KeywordQuery& query, std::size_t limit, const store::ContentSet* only)
      : snapshot_(snapshot), parameters_(parameters), query_(query), limit_(limit), only_(only) {}

  /// Chunks with (1 - share) * chunk / best chunk + share * document / best document.
  [[nodiscard]] std::vector<LegCandidate> Run() const;

 private:
  /// Documents that no chunk found so far belongs to come in with their best chunk.
  void AddBestChunks(const std::vector<ScoredContent>& documents,
                     std::vector<store::KeywordHit>& hits) const;

  const store::Snapshot& snapshot_;
  const Parameters& parameters_;
  const text::KeywordQuery& query_;
  std::size_t limit_;
  const store::ContentSet* only_;
};

/// The index matches stemmed words side by side; a quotation means these very words. Recounts the
/// tier of candidates that have one.
void VerifyPhrases(const store::Snapshot& snapshot, const text::KeywordQuery& query,
                   text::Analyzer& analyzer, std::vector<LegCandidate>& candidates);

}  // namespace sworn::retriever
