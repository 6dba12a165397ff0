#include "store/schema.h"

#include <string>

#include "core/error.h"

namespace sworn::store {
namespace {

// A row of entry, content, ... is part of generation g when added_generation <= g and
// removed_generation is null or > g. Rows of a pending generation are therefore invisible until
// collection.published says so.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE embedder (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  dimension INTEGER NOT NULL
);
CREATE TABLE collection (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  collection_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  removed_at_ms INTEGER,
  published INTEGER NOT NULL DEFAULT 0,
  embedder INTEGER REFERENCES embedder(id)
);
CREATE UNIQUE INDEX collection_name ON collection(name) WHERE removed_at_ms IS NULL;
CREATE TABLE root (
  collection INTEGER NOT NULL REFERENCES collection(id),
  root TEXT NOT NULL,
  PRIMARY KEY (collection, root)
) WITHOUT ROWID;
CREATE TABLE document (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  document_id TEXT NOT NULL UNIQUE,
  collection INTEGER NOT NULL REFERENCES collection(id),
  root TEXT,
  relative_path TEXT,
  UNIQUE (collection, root, relative_path)
);
CREATE TABLE content (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  collection INTEGER NOT NULL REFERENCES collection(id),
  document_sha256 TEXT NOT NULL,
  text_sha256 TEXT NOT NULL,
  media_type TEXT NOT NULL,
  extractor TEXT NOT NULL,
  normalization_version INTEGER NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  metadata TEXT NOT NULL,
  warnings TEXT NOT NULL,
  flags TEXT NOT NULL,
  page_count INTEGER NOT NULL,
  text_bytes INTEGER NOT NULL,
  first_chunk INTEGER NOT NULL,
  chunk_count INTEGER NOT NULL,
  chunk_languages TEXT NOT NULL,
  added_generation INTEGER NOT NULL,
  removed_generation INTEGER
);
CREATE INDEX content_live ON content(collection, removed_generation);
CREATE INDEX content_bytes ON content(collection, document_sha256);
CREATE TABLE content_text (
  content_id INTEGER PRIMARY KEY REFERENCES content(id),
  text BLOB NOT NULL
);
CREATE TABLE entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  document INTEGER NOT NULL REFERENCES document(id),
  collection INTEGER NOT NULL REFERENCES collection(id),
  version INTEGER NOT NULL,
  root TEXT NOT NULL,
  relative_path TEXT NOT NULL,
  content_id INTEGER REFERENCES content(id),
  unreadable_kind INTEGER NOT NULL,
  reason TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  document_date_ms INTEGER NOT NULL,
  indexed_at_ms INTEGER NOT NULL,
  user_meta TEXT NOT NULL,
  added_generation INTEGER NOT NULL,
  removed_generation INTEGER
);
CREATE INDEX entry_document ON entry(document);
CREATE INDEX entry_content ON entry(content_id);
CREATE INDEX entry_live ON entry(collection, removed_generation);
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_id INTEGER NOT NULL REFERENCES content(id),
  ordinal INTEGER NOT NULL,
  byte_begin INTEGER NOT NULL,
  byte_end INTEGER NOT NULL,
  heading TEXT NOT NULL,
  page INTEGER,
  page_end INTEGER,
  page_label TEXT NOT NULL,
  line_begin INTEGER,
  line_end INTEGER,
  sheet TEXT NOT NULL,
  slide INTEGER,
  sheet_row INTEGER,
  attachment_path TEXT NOT NULL,
  language TEXT NOT NULL,
  ocr INTEGER NOT NULL,
  sha256 BLOB NOT NULL
);
CREATE TABLE embedding (
  embedder INTEGER NOT NULL REFERENCES embedder(id),
  chunk_id INTEGER NOT NULL REFERENCES chunk(id),
  vector BLOB NOT NULL,
  sha256 BLOB NOT NULL,
  PRIMARY KEY (embedder, chunk_id)
);
CREATE TABLE generation (
  collection INTEGER NOT NULL REFERENCES collection(id),
  number INTEGER NOT NULL,
  published_at_ms INTEGER,
  PRIMARY KEY (collection, number)
) WITHOUT ROWID;
CREATE TABLE segment (
  name TEXT PRIMARY KEY,
  collection INTEGER NOT NULL REFERENCES collection(id),
  embedder INTEGER NOT NULL REFERENCES embedder(id),
  first_content INTEGER NOT NULL,
  last_content INTEGER NOT NULL,
  purged_generation INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  analyzer_version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE segment_file (
  segment TEXT NOT NULL REFERENCES segment(name) ON DELETE CASCADE,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (segment, path)
) WITHOUT ROWID;
)sql";

// Embedders fitted to a collection: `base` is the row of what is common to all states of one, null
// for itself and for readers of texts. Segments get a format, so that older ones are built anew.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE embedder ADD COLUMN fitted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE embedder ADD COLUMN base INTEGER REFERENCES embedder(id);
ALTER TABLE collection ADD COLUMN fit_chunks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collection ADD COLUMN fit_content INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
)sql";

}  // namespace

int CatalogVersion(SqliteConnection& catalog) {
  SqliteStatement query = catalog.Prepare("PRAGMA user_version");
  query.Step();
  const auto version = static_cast<int>(query.Int(0));
  if (version > kCatalogVersion) {
    throw Error(ErrorCode::kConflict, "the catalog has format " + std::to_string(version) +
                                          ", newer than this program's " +
                                          std::to_string(kCatalogVersion));
  }
  return version;
}

void PrepareWriter(SqliteConnection& catalog) {
  SqliteStatement mode = catalog.Prepare("PRAGMA journal_mode=WAL");
  mode.Step();
  catalog.Execute("PRAGMA synchronous=FULL");
}

void MigrateCatalog(SqliteConnection& catalog) {
  PrepareWriter(catalog);
  if (CatalogVersion(catalog) == kCatalogVersion) return;
  SqliteTransaction transaction(catalog);
  const int found = CatalogVersion(catalog);
  if (found < 1) catalog.Execute(kVersion1);
  if (found < 2) catalog.Execute(kVersion2);
  catalog.Execute("PRAGMA user_version=" + std::to_string(kCatalogVersion));
  transaction.Commit();
}

}  // namespace sworn::store
