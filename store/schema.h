// The catalog's tables (docs/formats/store.md). Migrations run by PRAGMA user_version.
#pragma once

#include "core/file.h"
#include "core/sqlite.h"

namespace sworn::store {

inline constexpr int kCatalogVersion = 2;

/// The version of an opened catalog; 0 for a new file. Throws kConflict for a newer one.
int CatalogVersion(SqliteConnection& catalog);

/// Brings a catalog to kCatalogVersion in one transaction. The caller holds the index lock.
void MigrateCatalog(SqliteConnection& catalog);

/// Journal mode and durability of the writing connection.
void PrepareWriter(SqliteConnection& catalog);

}  // namespace sworn::store
