// Whether the store is what its digests say.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/sqlite.h"
#include "store/knowledge_store.h"
#include "store/open_snapshot.h"

namespace sworn::store {

/// Checks the catalog, every stored text, chunk and embedding, every segment's files, and that the
/// segments hold what the catalog says. Faults of segments, which can be rebuilt, go to `segments`;
/// all others are returned.
std::vector<IntegrityFault> CheckStore(const StorePaths& paths, SqliteConnection& catalog,
                                       const std::function<void(std::string_view what)>& progress,
                                       std::vector<SegmentFault>& segments);

}  // namespace sworn::store
