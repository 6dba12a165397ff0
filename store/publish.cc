#include "store/publish.h"

#include <algorithm>

#include "core/error.h"
#include "store/catalog_write.h"
#include "store/index_job.h"
#include "store/staging.h"

namespace sworn::store {
namespace {

constexpr std::size_t kEmbedBatch = 64;

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

/// Embeds the chunks of one content in batches.
void EmbedContent(SqliteConnection& catalog, ContentId content_id, std::int64_t row,
                  const Embedder& embedder) {
  const std::size_t dimension = embedder.identity().dimension;
  const std::string text = LoadContentText(catalog, content_id);
  const std::string title = LoadContentHead(catalog, content_id).title;
  const std::vector<ChunkRow> chunks = LoadChunkRows(catalog, content_id);
  EmbeddingWriter writer(catalog, row);
  for (std::size_t begin = 0; begin < chunks.size(); begin += kEmbedBatch) {
    const std::size_t end = std::min(begin + kEmbedBatch, chunks.size());
    std::vector<std::string> passages;
    for (std::size_t i = begin; i < end; ++i) {
      passages.push_back(EmbeddingText(title, chunks[i].chunk.heading, ChunkText(chunks[i], text)));
    }
    const std::vector<std::string_view> views(passages.begin(), passages.end());
    const std::vector<float> vectors = embedder.EmbedPassages(views);
    if (vectors.size() != views.size() * dimension) {
      throw Error(ErrorCode::kInternal, "the embedder gave vectors of another shape");
    }
    for (std::size_t i = begin; i < end; ++i) {
      const auto first = vectors.begin() + static_cast<std::ptrdiff_t>((i - begin) * dimension);
      writer.Add(chunks[i].chunk.chunk_id, {first, first + static_cast<std::ptrdiff_t>(dimension)});
    }
  }
}

}  // namespace

std::optional<SegmentRow> PlanPendingSegment(SqliteConnection& catalog,
                                             const CollectionRow& collection) {
  ContentId covered = 0;
  for (const SegmentRow& segment : LoadSegments(catalog, collection.id)) {
    covered = std::max(covered, segment.last_content);
  }
  SqliteStatement row = catalog.Prepare(
      "SELECT min(id), max(id) FROM content WHERE collection = ? AND id > ? "
      "AND added_generation > ?");
  row.Bind(1, collection.id)
      .Bind(2, std::int64_t{covered})
      .Bind(3, static_cast<std::int64_t>(collection.published));
  if (!row.Step() || row.IsNull(0)) return std::nullopt;
  SegmentRow plan;
  plan.collection = collection.id;
  plan.embedder = collection.embedder;
  plan.first_content = static_cast<ContentId>(row.Int(0));
  plan.last_content = static_cast<ContentId>(row.Int(1));
  return plan;
}

void PublishPending(const Publication& publication, const CollectionRow& collection,
                    const std::optional<SegmentRow>& segment) {
  SqliteTransaction transaction(publication.catalog);
  if (segment) InsertSegment(publication.catalog, *segment);
  Staging(publication.catalog, collection, collection.published + 1)
      .Publish(publication.context.clock.UtcMillis());
  CommitStep(publication.context.files, transaction, "publish");
}

bool PublishLeftovers(const Publication& publication, const CollectionRow& collection,
                      const FittedState* state) {
  if (!Staging(publication.catalog, collection, collection.published + 1).HasChanges()) {
    return false;
  }
  std::optional<SegmentRow> segment = PlanPendingSegment(publication.catalog, collection);
  if (segment) {
    segment = BuildFromCatalog(publication.context.files, publication.paths, publication.catalog,
                               collection, *segment, state);
  }
  PublishPending(publication, collection, segment);
  return true;
}

void ChangeEmbedder(const Publication& publication, const CollectionRow& collection,
                    const VectorSource& source) {
  SqliteConnection& catalog = publication.catalog;
  // All in one transaction: a death in the middle leaves the old vectors in place.
  SqliteTransaction transaction(catalog);
  CollectionRow next = collection;
  const EmbedderIdentity& identity = IdentityOf(source);
  next.fitted = std::holds_alternative<const TermEmbedderFactory*>(source);
  next.embedder = EnsureEmbedder(catalog, identity, {next.fitted, 0});
  next.base = 0;
  next.dimension = identity.dimension;
  SetCollectionEmbedder(catalog, collection.id, next.embedder);
  const std::vector<SegmentRow> former = LoadSegments(catalog, collection.id);
  const std::vector<ContentId> contents = UnremovedContents(catalog, collection.id);
  if (!former.empty() || !contents.empty()) {
    catalog
        .Prepare(
            "DELETE FROM embedding WHERE chunk_id IN (SELECT k.id FROM chunk k "
            "JOIN content t ON t.id = k.content_id WHERE t.collection = ?)")
        .Bind(1, collection.id)
        .Run();
    if (const auto* reader = std::get_if<const Embedder*>(&source)) {
      for (const ContentId content_id : contents) {
        EmbedContent(catalog, content_id, next.embedder, **reader);
      }
    }
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

void MergeIfMany(const Publication& publication, const CollectionRow& collection) {
  const std::vector<SegmentRow> segments = LoadSegments(publication.catalog, collection.id);
  const MergeRange range = PlanMerge(segments);
  if (range.begin == range.end) return;
  const std::vector<SegmentRow> sources(segments.begin() + static_cast<std::ptrdiff_t>(range.begin),
                                        segments.begin() + static_cast<std::ptrdiff_t>(range.end));
  const SegmentRow merged = MergeSegments(publication.context.files, publication.paths,
                                          publication.catalog, collection, sources);
  SqliteTransaction transaction(publication.catalog);
  for (const SegmentRow& source : sources) DeleteSegment(publication.catalog, source.name);
  InsertSegment(publication.catalog, merged);
  Staging(publication.catalog, collection, collection.published + 1)
      .Publish(publication.context.clock.UtcMillis());
  CommitStep(publication.context.files, transaction, "publish merge");
}

void ReplaceSegment(const Publication& publication, const CollectionRow& collection,
                    const SegmentRow& damaged, const FittedState* state) {
  const SegmentRow rebuilt = BuildFromCatalog(publication.context.files, publication.paths,
                                              publication.catalog, collection, damaged, state);
  SqliteTransaction transaction(publication.catalog);
  DeleteSegment(publication.catalog, damaged.name);
  InsertSegment(publication.catalog, rebuilt);
  CommitStep(publication.context.files, transaction, "replace segment");
}

}  // namespace sworn::store
