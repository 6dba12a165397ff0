// A collection gets another source of vectors.
#pragma once

#include "core/embedder.h"
#include "store/knowledge_store.h"
#include "store/publish.h"

namespace sworn::store {

/// Embeds every chunk that has no vector of a reading `source` yet, in batches that stay when the
/// work is cut short, then publishes the next generation with them; until then the present one
/// serves. For a fitted source the segments wait without vectors until it is fitted to them; the
/// vectors of the former one stay in the catalog. Throws kCancelled, and kIntegrity for a vector
/// that is not finite.
void ChangeEmbedder(const Publication& publication, const CollectionRow& collection,
                    const VectorSource& source, const EmbeddingWork& work);

}  // namespace sworn::store
