#include "store/publish.h"

#include <algorithm>

#include "core/error.h"
#include "store/catalog_write.h"
#include "store/index_job.h"
#include "store/staging.h"

namespace sworn::store {
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
