// What the catalog says: SELECTs only. Every function works on any connection, inside the caller's
// transaction if there is one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sqlite.h"
#include "store/records.h"

namespace sworn::store {

struct CollectionRow {
  std::int64_t id = 0;
  std::string collection_id;
  std::string name;
  std::uint64_t published = 0;
  std::int64_t embedder = 0;  // row of embedder; 0 before the first job
  std::string embedder_id;    // digest
  std::string embedder_name;
  std::uint32_t dimension = 0;
  bool fitted = false;           // its vectors are not in the catalog
  std::int64_t base = 0;         // fitted, with a state: the embedder row without; else 0
  std::string base_id;           // digest of that one
  std::uint64_t fit_chunks = 0;  // live ones when it was last fitted or tried to; 0: never
  ContentId fit_content = 0;     // the last content then

  /// Whether its segments hold vectors.
  [[nodiscard]] bool HasVectors() const { return !fitted || base != 0; }
};

struct SegmentFile {
  std::string path;  // relative to the segment's folder
  std::uint64_t bytes = 0;
  std::string sha256;  // hex
};

/// A segment holds every content of its collection from first_content to last_content but those
/// removed at or before purged_generation, so it can be built again from the catalog alone.
struct SegmentRow {
  std::string name;
  std::int64_t collection = 0;
  std::int64_t embedder = 0;
  ContentId first_content = 0;
  ContentId last_content = 0;
  std::uint64_t purged_generation = 0;
  std::uint64_t chunks = 0;  // live and dead
  int analyzer_version = 0;
  int format = 0;  // kSegmentFormat when it was made
  std::vector<SegmentFile> files;
};

/// Chunks first_chunk to first_chunk + chunk_count - 1 belong to the content.
struct ContentRow {
  ContentId id = 0;
  ChunkId first_chunk = 0;
  std::uint32_t chunk_count = 0;
  std::map<std::string, std::uint64_t> chunk_languages;
};

/// Those not removed, in the order of their creation.
std::vector<CollectionRow> LoadCollections(SqliteConnection& catalog);
std::optional<CollectionRow> FindCollection(SqliteConnection& catalog, const std::string& name);

/// Contents visible in the collection's published generation, ascending.
std::vector<ContentRow> LoadLiveContents(SqliteConnection& catalog, const CollectionRow& row);

/// Segments of the published generation, by first content.
std::vector<SegmentRow> LoadSegments(SqliteConnection& catalog, std::int64_t collection);

/// The collection as its published generation stands.
CollectionInfo Describe(SqliteConnection& catalog, const CollectionRow& row,
                        const std::vector<ContentRow>& live,
                        const std::vector<SegmentRow>& segments);

/// Which documents LoadDocuments gives; each in its newest entry at the generation.
struct DocumentQuery {
  std::vector<std::int64_t> collections;
  bool pending = false;  // with what the running job staged
  bool with_withdrawn = false;
  std::optional<std::string> root;
  std::string document_id;
  std::string path_or_tail;
  std::string after_document_id;
  std::size_t limit = 0;
};
std::vector<DocumentInfo> LoadDocuments(SqliteConnection& catalog, const DocumentQuery& query);

/// The text of a content, its digest checked.
std::string LoadContentText(SqliteConnection& catalog, ContentId content_id);

/// The text of a document's version (0: the newest with a text) in a published generation.
std::optional<std::string> LoadVersionText(SqliteConnection& catalog,
                                           const std::string& document_id, std::uint32_t version);

/// A chunk's row without its text and without its document.
struct ChunkRow {
  StoredChunk chunk;
  std::string sha256;  // 32 bytes
};
std::optional<ChunkRow> LoadChunkRow(SqliteConnection& catalog, ChunkId chunk_id);

/// All chunks of a content in order, without text.
std::vector<ChunkRow> LoadChunkRows(SqliteConnection& catalog, ContentId content_id);

/// The text of a chunk from its content's, the digest checked.
std::string ChunkText(const ChunkRow& row, std::string_view content_text);

/// The vector of a chunk, its digest and shape checked; throws kIntegrity if it is missing.
std::vector<float> LoadVector(SqliteConnection& catalog, std::int64_t embedder, ChunkId chunk_id,
                              std::uint32_t dimension);

/// Title and language of a content.
struct ContentHead {
  std::string title;
  std::string language;
};
ContentHead LoadContentHead(SqliteConnection& catalog, ContentId content_id);

/// Ids of the contents that a segment with this range holds, ascending.
std::vector<ContentId> ContentsOfSegment(SqliteConnection& catalog, const SegmentRow& segment);

std::string JoinPath(const SourceKey& key);

}  // namespace sworn::store
