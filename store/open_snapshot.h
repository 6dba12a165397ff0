// Opens a Snapshot, or says which segment stands in the way.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>

#include "core/embedder.h"
#include "store/segment.h"
#include "store/snapshot.h"

namespace sworn::store {

struct SegmentFault {
  CollectionRow collection;
  SegmentRow segment;
  std::string reason;
};

/// Reads the catalog in one transaction, locks and verifies each segment. A fault may also mean
/// that the segment was replaced meanwhile: the caller looks at the catalog again. `fitting` reads
/// the states of fitted embedders and outlives the snapshot; it may be null. Throws kNotFound for
/// an unknown collection.
std::variant<std::shared_ptr<const Snapshot>, SegmentFault> TryOpenSnapshot(
    const StorePaths& paths, std::span<const std::string> collections,
    const TermEmbedderFactory* fitting);

}  // namespace sworn::store
