// Which collections of a snapshot the vector leg can search, and how.
#pragma once

#include <string>

#include "core/embedder.h"
#include "store/snapshot.h"

namespace sworn::retriever {

struct VectorReach {
  bool text = false;    // some have vectors of the embedder: Snapshot::SearchVectors
  bool fitted = false;  // some have vectors fitted to them: Snapshot::SearchFitted
  std::string reason;   // why not all; empty where all can be searched
};

/// `embedder` may be null.
VectorReach ReachOf(const store::Snapshot& snapshot, const Embedder* embedder);

}  // namespace sworn::retriever
