#include "store/change_embedder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "store/catalog_write.h"
#include "store/index_job.h"
#include "store/staging.h"

namespace sworn::store {
namespace {

// Enough that texts of like length can be put together, little enough to lose.
constexpr std::size_t kEmbedBatch = 256;

/// The last content of the collection; 0 if it has none.
ContentId LastContent(SqliteConnection& catalog, std::int64_t collection) {
  SqliteStatement row = catalog.Prepare("SELECT max(id) FROM content WHERE collection = ?");
  row.Bind(1, collection);
  row.Step();
  return static_cast<ContentId>(row.Int(0));
}

std::vector<ContentId> UnremovedContents(SqliteConnection& catalog, std::int64_t collection) {
  SqliteStatement rows = catalog.Prepare(
      "SELECT id FROM content WHERE collection = ? AND removed_generation IS NULL ORDER BY id");
  rows.Bind(1, collection);
  std::vector<ContentId> ids;
  while (rows.Step()) ids.push_back(static_cast<ContentId>(rows.Int(0)));
  return ids;
}

struct MissingChunk {
  ContentId content_id = 0;
  ChunkId chunk_id = 0;
};

/// Chunks without a vector of `embedder`, in their order.
std::vector<MissingChunk> MissingChunks(SqliteConnection& catalog, std::int64_t collection,
                                        std::int64_t embedder) {
  SqliteStatement rows = catalog.Prepare(
      "SELECT k.content_id, k.id FROM chunk k JOIN content t ON t.id = k.content_id "
      "WHERE t.collection = ? AND t.removed_generation IS NULL AND NOT EXISTS "
      "(SELECT 1 FROM embedding e WHERE e.embedder = ? AND e.chunk_id = k.id) "
      "ORDER BY k.content_id, k.id");
  rows.Bind(1, collection).Bind(2, embedder);
  std::vector<MissingChunk> missing;
  while (rows.Step()) {
    missing.push_back({static_cast<ContentId>(rows.Int(0)), static_cast<ChunkId>(rows.Int(1))});
  }
  return missing;
}

/// What is embedded of the chunks, which are in the order of their contents.
std::vector<std::string> Passages(SqliteConnection& catalog, std::span<const MissingChunk> chunks) {
  std::vector<std::string> passages;
  std::string text;
  std::string title;
  std::vector<ChunkRow> rows;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const ContentId content_id = chunks[i].content_id;
    if (i == 0 || chunks[i - 1].content_id != content_id) {
      text = LoadContentText(catalog, content_id);
      title = LoadContentHead(catalog, content_id).title;
      rows = LoadChunkRows(catalog, content_id);
    }
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const ChunkRow& candidate) {
      return candidate.chunk.chunk_id == chunks[i].chunk_id;
    });
    if (row == rows.end()) throw Error(ErrorCode::kInternal, "a chunk without its content");
    passages.push_back(EmbeddingText(title, row->chunk.heading, ChunkText(*row, text)));
  }
  return passages;
}

void EmbedBatch(const Publication& publication, std::span<const MissingChunk> chunks,
                std::int64_t row, const Embedder& embedder) {
  const std::size_t dimension = embedder.identity().dimension;
  const std::vector<std::string> passages = Passages(publication.catalog, chunks);
  const std::vector<std::string_view> views(passages.begin(), passages.end());
  const std::vector<float> vectors = embedder.EmbedPassages(views);
  if (vectors.size() != views.size() * dimension) {
    throw Error(ErrorCode::kInternal, "the embedder gave vectors of another shape");
  }
  if (!std::all_of(vectors.begin(), vectors.end(), [](float v) { return std::isfinite(v); })) {
    throw Error(ErrorCode::kIntegrity,
                "the embedder '" + embedder.identity().name + "' gave a vector that is not finite");
  }
  SqliteTransaction transaction(publication.catalog);
  EmbeddingWriter writer(publication.catalog, row);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto first = vectors.begin() + static_cast<std::ptrdiff_t>(i * dimension);
    writer.Add(chunks[i].chunk_id, {first, first + static_cast<std::ptrdiff_t>(dimension)});
  }
  CommitStep(publication.context.files, transaction, "embed batch");
}

void EmbedMissing(const Publication& publication, const CollectionRow& collection, std::int64_t row,
                  const Embedder& embedder, const EmbeddingWork& work) {
  const std::vector<MissingChunk> missing = MissingChunks(publication.catalog, collection.id, row);
  for (std::size_t begin = 0; begin < missing.size(); begin += kEmbedBatch) {
    if (work.cancel != nullptr) work.cancel->ThrowIfCancelled();
    const std::size_t end = std::min(begin + kEmbedBatch, missing.size());
    EmbedBatch(publication, std::span(missing).subspan(begin, end - begin), row, embedder);
    if (work.progress) work.progress(end, missing.size());
  }
}

/// The vectors of other embedders than `row`.
void DropOtherVectors(SqliteConnection& catalog, std::int64_t collection, std::int64_t row) {
  catalog
      .Prepare(
          "DELETE FROM embedding WHERE embedder <> ? AND chunk_id IN (SELECT k.id FROM chunk k "
          "JOIN content t ON t.id = k.content_id WHERE t.collection = ?)")
      .Bind(1, row)
      .Bind(2, collection)
      .Run();
}

}  // namespace

void ChangeEmbedder(const Publication& publication, const CollectionRow& collection,
                    const VectorSource& source, const EmbeddingWork& work) {
  SqliteConnection& catalog = publication.catalog;
  CollectionRow next = collection;
  const EmbedderIdentity& identity = IdentityOf(source);
  next.fitted = std::holds_alternative<const TermEmbedderFactory*>(source);
  next.embedder = EnsureEmbedder(catalog, identity, {next.fitted, 0});
  next.base = 0;
  next.dimension = identity.dimension;
  if (const auto* reader = std::get_if<const Embedder*>(&source)) {
    EmbedMissing(publication, collection, next.embedder, **reader, work);
  }
  // The change itself is one transaction: a death in the middle leaves the old vectors in place.
  SqliteTransaction transaction(catalog);
  SetCollectionEmbedder(catalog, collection.id, next.embedder);
  const std::vector<SegmentRow> former = LoadSegments(catalog, collection.id);
  const std::vector<ContentId> contents = UnremovedContents(catalog, collection.id);
  if (!former.empty() || !contents.empty()) {
    if (!next.fitted) DropOtherVectors(catalog, collection.id, next.embedder);
    for (const SegmentRow& segment : former) DeleteSegment(catalog, segment.name);
    if (!contents.empty()) {
      SegmentRow plan;
      plan.collection = collection.id;
      plan.embedder = next.embedder;
      plan.first_content = contents.front();
      plan.last_content = LastContent(catalog, collection.id);
      plan.purged_generation = collection.published;
      InsertSegment(catalog, BuildFromCatalog(publication.context.files, publication.paths, catalog,
                                              next, plan, nullptr));
    }
    Staging(catalog, next, collection.published + 1).Publish(publication.context.clock.UtcMillis());
  }
  CommitStep(publication.context.files, transaction, "change embedder");
}

}  // namespace sworn::store
