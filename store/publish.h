// From a pending generation to a published one.
#pragma once

#include <optional>

#include "core/sqlite.h"
#include "store/knowledge_store.h"
#include "store/segment.h"

namespace sworn::store {

/// What the functions below work on. The caller holds the index lock and `catalog` writes.
struct Publication {
  const StorePaths& paths;
  StoreContext context;
  SqliteConnection& catalog;
};

/// The contents of a pending generation that no segment holds yet; nothing if there are none.
std::optional<SegmentRow> PlanPendingSegment(SqliteConnection& catalog,
                                             const CollectionRow& collection);

/// One transaction: contents that lost their last document leave, `segment` joins, the generation
/// becomes the published one.
void PublishPending(const Publication& publication, const CollectionRow& collection,
                    const std::optional<SegmentRow>& segment);

/// Publishes what a dead job committed and did not publish; false if there is nothing. `state` is
/// that of a fitted embedder, else null.
bool PublishLeftovers(const Publication& publication, const CollectionRow& collection,
                      const FittedState* state);

/// Merges small segments, if there are too many, as a generation of equal content.
void MergeIfMany(const Publication& publication, const CollectionRow& collection);

/// Builds a damaged segment anew and puts it in the other's place. `state` as above.
void ReplaceSegment(const Publication& publication, const CollectionRow& collection,
                    const SegmentRow& damaged, const FittedState* state);

}  // namespace sworn::store
