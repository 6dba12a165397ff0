// The read side of the store: one published generation per collection, immutable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/term_rows.h"
#include "core/text/keyword_query.h"
#include "core/types.h"
#include "store/records.h"

namespace sworn::store {

/// The set of contents that a DocumentFilter lets through, evaluated once per query.
class ContentSet {
 public:
  explicit ContentSet(std::vector<bool> members) : members_(std::move(members)) {}
  [[nodiscard]] bool Contains(ContentId id) const noexcept {
    return id < members_.size() && members_[id];
  }

 private:
  std::vector<bool> members_;
};

/// BM25 parameters (Robertson and Zaragoza, 2009). The defaults were the best single set on six
/// collections.
struct Bm25 {
  double k1 = 1.2;
  double k3 = 1;
  double b = 0.75;
};

struct TermStatistics {
  std::uint64_t passages = 0;  // live and dead: what the index counts
  std::uint64_t passages_with_term = 0;
};

/// A passage of the keyword leg: `tier` is the number of distinct identifiers and phrases of the
/// query that it contains; tiers stand above scores.
struct KeywordHit {
  ChunkId chunk_id = 0;
  std::uint32_t tier = 0;
  double score = 0;
};

/// Holds the segments of its generations open and their files in place. Shared freely between
/// threads; calls on one snapshot are serialised inside, so parallel readers open one each.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  /// The collections searched, as they stood when the snapshot was opened.
  [[nodiscard]] virtual const std::vector<CollectionInfo>& collections() const = 0;

  /// Null when the filter restricts nothing.
  [[nodiscard]] virtual std::unique_ptr<const ContentSet> Resolve(
      const DocumentFilter& filter) const = 0;

  /// Best `limit` live chunks, by tier, score, then chunk id. `only` may be null.
  [[nodiscard]] virtual std::vector<KeywordHit> SearchChunks(const text::KeywordQuery& query,
                                                             const Bm25& bm25, std::size_t limit,
                                                             const ContentSet* only) const = 0;

  /// Best `limit` live contents by their document-level postings (identifiers and phrases of the
  /// query count as words here), then content id.
  [[nodiscard]] virtual std::vector<ScoredContent> SearchContents(const text::KeywordQuery& query,
                                                                  const Bm25& bm25,
                                                                  std::size_t limit,
                                                                  const ContentSet* only) const = 0;

  /// Best `limit` live chunks of the collections whose embedder has `embedder_id`, by inner
  /// product.
  [[nodiscard]] virtual std::vector<ScoredChunk> SearchVectors(std::string_view embedder_id,
                                                               std::span<const float> query,
                                                               std::size_t limit,
                                                               const ContentSet* only) const = 0;

  /// Best `limit` live chunks of the collections whose embedder was fitted to them
  /// (VectorsKind::kFitted), by inner product of unit vectors, then chunk id. `query` is one row:
  /// each collection embeds it in its own space and moves it by half the mean vector of those
  /// chunks of `feedback` that are its own (Rocchio 1971). A collection that knows no term of the
  /// query has no hits.
  [[nodiscard]] virtual std::vector<ScoredChunk> SearchFitted(const TermRows& query,
                                                              std::span<const ChunkId> feedback,
                                                              std::size_t limit,
                                                              const ContentSet* only) const = 0;

  /// Index rows of live chunks, in the order asked; throws kNotFound for a chunk that is not live.
  [[nodiscard]] virtual TermRows LoadTermRows(std::span<const ChunkId> chunk_ids) const = 0;

  /// Entropy weight of each term over all passages of the segments searched, live and dead; 0 for a
  /// term that none has.
  [[nodiscard]] virtual std::vector<double> TermWeights(std::span<const TermKey> terms) const = 0;

  [[nodiscard]] virtual TermStatistics Statistics(std::string_view term) const = 0;

  /// The content a live chunk belongs to; 0 for a chunk that is not of this generation.
  [[nodiscard]] virtual ContentId ContentOf(ChunkId chunk_id) const = 0;

  /// In the order asked; throws kIntegrity if a text does not match its digest, kNotFound for a
  /// chunk that is not live.
  [[nodiscard]] virtual std::vector<StoredChunk> LoadChunks(
      std::span<const ChunkId> chunk_ids) const = 0;

  /// Ids of the live chunks of a content, in document order.
  [[nodiscard]] virtual std::vector<ChunkId> ChunksOf(ContentId content_id) const = 0;

  /// The stored text of a document version (live or not) straight from the catalog, its digest
  /// checked (kIntegrity); nothing if the version is unknown.
  [[nodiscard]] virtual std::optional<std::string> LoadText(const std::string& document_id,
                                                            std::uint32_t version) const = 0;

  /// Files of these collections that gave no text.
  [[nodiscard]] virtual std::vector<UnreadableFile> Unreadable() const = 0;
};

}  // namespace sworn::store
