// Rows of what is derived from the texts: embedders, embeddings, segments. Every function works
// inside the caller's transaction on the one writing connection; the caller holds the index lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/embedder.h"
#include "core/sqlite.h"
#include "store/catalog_read.h"
#include "store/records.h"

namespace sworn::store {

/// Which kind an embedder row is.
struct EmbedderKind {
  bool fitted = false;
  std::int64_t base = 0;  // of a fitted state: the row of its factory
};

/// The row of an embedder, made when missing.
std::int64_t EnsureEmbedder(SqliteConnection& catalog, const EmbedderIdentity& identity,
                            EmbedderKind kind);

/// The collection's vectors are `embedder`'s from now on; it was not fitted yet.
void SetCollectionEmbedder(SqliteConnection& catalog, std::int64_t collection,
                           std::int64_t embedder);

/// Remembers on what the collection's embedder was fitted, or was tried to be.
void SetFit(SqliteConnection& catalog, std::int64_t collection, std::uint64_t chunks,
            ContentId last_content);

/// Writes vectors with their digests.
class EmbeddingWriter {
 public:
  EmbeddingWriter(SqliteConnection& catalog, std::int64_t embedder);
  void Add(ChunkId chunk_id, const std::vector<float>& vector);

 private:
  std::int64_t embedder_;
  SqliteStatement insert_;
};

void InsertSegment(SqliteConnection& catalog, const SegmentRow& segment);
void DeleteSegment(SqliteConnection& catalog, const std::string& name);

}  // namespace sworn::store
