#include "retriever/keyword_leg.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "core/term_rows.h"
#include "retriever/folded_text.h"
#include "retriever/row_scorer.h"

namespace sworn::retriever {
namespace {

// Of the documents that only their whole text finds, this part of the limit come in: those further
// down would not be among the first hits.
constexpr std::size_t kMissingShare = 4;
constexpr std::size_t kMaxMissingChunks = 2000;  // that are read to find the best ones

double BestScore(const std::vector<store::KeywordHit>& hits) {
  double best = 0;
  for (const auto& hit : hits) best = std::max(best, hit.score);
  return best;
}

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
}

/// Whether `text` has `phrase` with no word going on at either end; both in comparison form.
bool HasWords(const std::string& text, const std::string& phrase) {
  for (std::size_t at = text.find(phrase); at != std::string::npos;
       at = text.find(phrase, at + 1)) {
    const std::size_t end = at + phrase.size();
    const bool begins = at == 0 || !IsWordByte(text[at - 1]) || !IsWordByte(phrase.front());
    const bool ends = end == text.size() || !IsWordByte(text[end]) || !IsWordByte(phrase.back());
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

std::vector<LegCandidate> KeywordLeg::Run() const {
  std::vector<store::KeywordHit> hits =
      snapshot_.SearchChunks(query_, parameters_.chunk_bm25, limit_, only_);
  const double best_chunk = BestScore(hits);
  const std::vector<ScoredContent> documents =
      snapshot_.SearchContents(query_, parameters_.document_bm25, limit_, only_);
  double best_document = 0;
  std::unordered_map<ContentId, double> document_scores;
  for (const ScoredContent& document : documents) {
    best_document = std::max(best_document, document.score);
    document_scores[document.content_id] = document.score;
  }
  AddBestChunks(documents, hits);
  std::vector<LegCandidate> candidates;
  candidates.reserve(hits.size());
  for (const store::KeywordHit& hit : hits) {
    const auto document = document_scores.find(snapshot_.ContentOf(hit.chunk_id));
    const double whole = document == document_scores.end() || best_document <= 0
                             ? 0
                             : document->second / best_document;
    const double part = best_chunk <= 0 ? 0 : hit.score / best_chunk;
    const double share = parameters_.document_share;
    candidates.push_back({hit.chunk_id, (1 - share) * part + share * whole, hit.tier});
  }
  return candidates;
}

void KeywordLeg::AddBestChunks(const std::vector<ScoredContent>& documents,
                               std::vector<store::KeywordHit>& hits) const {
  std::unordered_set<ContentId> present;
  for (const store::KeywordHit& hit : hits) present.insert(snapshot_.ContentOf(hit.chunk_id));
  std::vector<ChunkId> chunks;
  std::vector<std::size_t> ends;  // of a document's chunks
  const std::size_t most_documents = std::max<std::size_t>(limit_ / kMissingShare, 1);
  for (const ScoredContent& document : documents) {
    if (ends.size() == most_documents || chunks.size() >= kMaxMissingChunks) break;
    if (!present.insert(document.content_id).second) continue;
    const std::vector<ChunkId> own = snapshot_.ChunksOf(document.content_id);
    const std::size_t count = std::min(own.size(), kMaxMissingChunks - chunks.size());
    chunks.insert(chunks.end(), own.begin(), own.begin() + static_cast<std::ptrdiff_t>(count));
    if (count > 0) ends.push_back(chunks.size());
  }
  if (chunks.empty()) return;
  const TermRows rows = snapshot_.LoadTermRows(chunks);
  double words = 0;
  for (const TermCount& entry : rows.counts()) words += entry.count;
  const RowScorer scorer(snapshot_, query_, parameters_.chunk_bm25,
                         words / static_cast<double>(rows.size()));
  // A chunk that the search did not give scores no more than its last hit.
  double most = hits.empty() ? 0 : hits.front().score;
  for (const store::KeywordHit& hit : hits) most = std::min(most, hit.score);
  std::size_t chunk = 0;
  for (const std::size_t end : ends) {
    store::KeywordHit best{chunks[chunk], 0, 0};
    for (; chunk < end; ++chunk) {
      const double score = scorer.Score(rows[chunk]);
      if (score > best.score) best = {chunks[chunk], 0, score};
    }
    best.score = std::min(best.score, most);
    hits.push_back(best);
  }
}

void VerifyPhrases(const store::Snapshot& snapshot, const text::KeywordQuery& query,
                   text::Analyzer& analyzer, std::vector<LegCandidate>& candidates) {
  std::vector<std::string> wanted;
  for (const text::Phrase& phrase : query.phrases) wanted.push_back(ComparisonForm(phrase.folded));
  for (LegCandidate& candidate : candidates) {
    if (candidate.tier == 0) continue;
    const store::StoredChunk chunk = snapshot.LoadChunks({&candidate.chunk_id, 1}).front();
    std::uint32_t tier = 0;
    if (!query.identifiers.empty()) {
      const auto postings =
          analyzer.AnalyzePassage({chunk.title, chunk.heading, chunk.text, chunk.language});
      for (const std::string& identifier : query.identifiers) {
        const auto at = std::lower_bound(postings.begin(), postings.end(), identifier,
                                         [](const text::Posting& posting, const std::string& term) {
                                           return posting.term < term;
                                         });
        if (at != postings.end() && at->term == identifier) ++tier;
      }
    }
    const std::string fields[] = {ComparisonForm(chunk.text), ComparisonForm(chunk.title),
                                  ComparisonForm(chunk.heading)};
    for (const std::string& phrase : wanted) {
      const bool found =
          std::any_of(std::begin(fields), std::end(fields),
                      [&phrase](const std::string& field) { return HasWords(field, phrase); });
      if (found) ++tier;
    }
    candidate.tier = tier;
  }
}

}  // namespace sworn::retriever
