// The live contents of the generations that a snapshot shows, and which chunks are theirs.
#pragma once

#include <functional>
#include <vector>

#include "core/types.h"
#include "store/catalog_read.h"
#include "store/snapshot.h"

namespace sworn::store {

/// Immutable after construction, so threads may share it.
class LiveContents {
 public:
  LiveContents() = default;
  /// The rows outlive it. In any order.
  explicit LiveContents(std::vector<const ContentRow*> rows);

  /// Null unless live.
  [[nodiscard]] const ContentRow* Find(ContentId id) const;

  /// The content that a chunk belongs to; 0 for a chunk that is not live.
  [[nodiscard]] ContentId ContentOf(ChunkId id) const;

  /// Tells whether a chunk is live and let through by `only`, which may be null. Must not outlive
  /// this.
  [[nodiscard]] std::function<bool(ChunkId)> Accepting(const ContentSet* only) const;

 private:
  [[nodiscard]] std::vector<bool> ChunksIn(const ContentSet* only) const;

  std::vector<const ContentRow*> by_id_;
  std::vector<const ContentRow*> by_chunk_;  // without empty ones, by first chunk
  std::vector<bool> chunks_;                 // every live one
};

}  // namespace sworn::store
