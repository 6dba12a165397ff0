// The one writer of a collection.
#pragma once

#include <memory>
#include <string>

#include "core/sqlite.h"
#include "store/knowledge_store.h"
#include "store/segment.h"

namespace sworn::store {

/// Starts a job under `lock`: empties tmp/, publishes what a dead job left pending, re-embeds for
/// another embedder. Throws kNotFound for an unknown collection.
std::unique_ptr<IndexJob> StartIndexJob(const StorePaths& paths, StoreContext context,
                                        std::unique_ptr<FileLock> lock,
                                        const std::string& collection, const VectorSource& source,
                                        const EmbeddingWork& work);

/// Deletes what a dead job left in tmp/. The caller holds the index lock.
void EmptyTemporary(const StorePaths& paths);

/// COMMIT with the steps before and after it announced to `files`.
void CommitStep(FileOps& files, SqliteTransaction& transaction, std::string_view step);

}  // namespace sworn::store
