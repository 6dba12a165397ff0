#include "store/catalog_read.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include "core/crypto.h"
#include "core/error.h"

namespace sworn::store {
namespace {

using Json = nlohmann::json;

Error Damaged(const std::string& what) {
  return {ErrorCode::kIntegrity, what + " does not match its digest"};
}

template <typename T>
T FromJson(std::string_view bytes, const std::string& what) {
  try {
    return Json::parse(bytes).get<T>();
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kIntegrity, what + " is damaged");
  }
}

constexpr std::string_view kCollectionColumns =
    "SELECT c.id, c.name, c.published, c.embedder, m.digest, m.name, m.dimension, "
    "c.collection_id, m.fitted, m.base, b.digest, c.fit_chunks, c.fit_content "
    "FROM collection c LEFT JOIN embedder m ON m.id = c.embedder "
    "LEFT JOIN embedder b ON b.id = m.base "
    "WHERE c.removed_at_ms IS NULL";

CollectionRow ReadCollection(const SqliteStatement& row) {
  CollectionRow result;
  result.id = row.Int(0);
  result.name = row.Text(1);
  result.published = static_cast<std::uint64_t>(row.Int(2));
  result.embedder = row.IsNull(3) ? 0 : row.Int(3);
  result.embedder_id = row.Text(4);
  result.embedder_name = row.Text(5);
  result.dimension = static_cast<std::uint32_t>(row.Int(6));
  result.collection_id = row.Text(7);
  result.fitted = row.Int(8) != 0;
  result.base = row.IsNull(9) ? 0 : row.Int(9);
  result.base_id = row.Text(10);
  result.fit_chunks = static_cast<std::uint64_t>(row.Int(11));
  result.fit_content = static_cast<ContentId>(row.Int(12));
  return result;
}

constexpr std::string_view kDocumentColumns = R"sql(
SELECT d.document_id, c.name, e.root, e.relative_path, e.version, e.content_id, e.unreadable_kind,
       e.reason, e.size, e.mtime_ns, e.inode, e.document_date_ms, e.indexed_at_ms, e.user_meta,
       e.removed_generation IS NOT NULL AND e.removed_generation <= c.published + ?1,
       t.document_sha256, t.text_sha256, t.media_type, t.extractor, t.title, t.language, t.flags,
       t.page_count, t.chunk_count, t.text_bytes, t.metadata, t.warnings
FROM entry e JOIN document d ON d.id = e.document JOIN collection c ON c.id = e.collection
     LEFT JOIN content t ON t.id = e.content_id
WHERE c.removed_at_ms IS NULL
  AND e.id = (SELECT max(n.id) FROM entry n
              WHERE n.document = e.document AND n.added_generation <= c.published + ?1))sql";

DocumentInfo ReadDocument(const SqliteStatement& row) {
  DocumentInfo info;
  info.document_id = row.Text(0);
  info.collection = row.Text(1);
  info.key = {row.Text(2), row.Text(3)};
  info.path = JoinPath(info.key);
  info.version = static_cast<std::uint32_t>(row.Int(4));
  info.unreadable_kind = static_cast<UnreadableKind>(row.Int(6));
  info.reason = row.Text(7);
  info.facts.size = static_cast<std::uint64_t>(row.Int(8));
  info.facts.mtime_ns = row.Int(9);
  info.facts.inode = static_cast<std::uint64_t>(row.Int(10));
  info.document_date_ms = row.Int(11);
  info.indexed_at_ms = row.Int(12);
  info.user_meta = FromJson<std::map<std::string, std::string>>(row.Bytes(13), info.document_id);
  if (row.Int(14) != 0) {
    info.state = DocumentState::kWithdrawn;
  } else if (row.IsNull(5)) {
    info.state = DocumentState::kUnreadable;
  }
  if (row.IsNull(5)) return info;
  info.content_id = static_cast<ContentId>(row.Int(5));
  info.document_sha256 = row.Text(15);
  info.text_sha256 = row.Text(16);
  info.media_type = row.Text(17);
  info.extractor = row.Text(18);
  info.title = row.Text(19);
  info.language = row.Text(20);
  info.flags = row.Text(21);
  info.page_count = static_cast<std::uint32_t>(row.Int(22));
  info.chunk_count = static_cast<std::uint32_t>(row.Int(23));
  info.text_bytes = static_cast<std::uint64_t>(row.Int(24));
  info.metadata = FromJson<std::map<std::string, std::string>>(row.Bytes(25), info.document_id);
  info.warnings = FromJson<std::vector<std::string>>(row.Bytes(26), info.document_id);
  return info;
}

constexpr std::string_view kChunkColumns =
    "SELECT id, content_id, ordinal, byte_begin, byte_end, heading, page, page_end, page_label, "
    "line_begin, line_end, sheet, slide, sheet_row, attachment_path, language, ocr, sha256 "
    "FROM chunk ";

ChunkRow ReadChunk(const SqliteStatement& row) {
  ChunkRow result;
  StoredChunk& chunk = result.chunk;
  chunk.chunk_id = static_cast<ChunkId>(row.Int(0));
  chunk.content_id = static_cast<ContentId>(row.Int(1));
  chunk.ordinal = static_cast<std::uint32_t>(row.Int(2));
  chunk.range = {static_cast<std::uint64_t>(row.Int(3)), static_cast<std::uint64_t>(row.Int(4))};
  chunk.heading = row.Text(5);
  chunk.location.page = row.OptionalInt<std::uint32_t>(6);
  chunk.location.page_end = row.OptionalInt<std::uint32_t>(7);
  chunk.location.page_label = row.Text(8);
  chunk.location.line_begin = row.OptionalInt<std::uint32_t>(9);
  chunk.location.line_end = row.OptionalInt<std::uint32_t>(10);
  chunk.location.sheet = row.Text(11);
  chunk.location.slide = row.OptionalInt<std::uint32_t>(12);
  chunk.location.row = row.OptionalInt<std::uint32_t>(13);
  chunk.location.attachment_path = row.Text(14);
  chunk.language = row.Text(15);
  chunk.ocr = row.Int(16) != 0;
  result.sha256 = row.Text(17);
  return result;
}

}  // namespace

std::string JoinPath(const SourceKey& key) {
  if (key.relative_path.empty()) return key.root;
  const bool joined = key.root.empty() || key.root.ends_with('/') || key.root.ends_with(':');
  return key.root + (joined ? "" : "/") + key.relative_path;
}

std::vector<CollectionRow> LoadCollections(SqliteConnection& catalog) {
  SqliteStatement rows = catalog.Prepare(std::string(kCollectionColumns) + " ORDER BY c.id");
  std::vector<CollectionRow> result;
  while (rows.Step()) result.push_back(ReadCollection(rows));
  return result;
}

std::optional<CollectionRow> FindCollection(SqliteConnection& catalog, const std::string& name) {
  SqliteStatement rows = catalog.Prepare(std::string(kCollectionColumns) + " AND c.name = ?");
  rows.Bind(1, name);
  if (!rows.Step()) return std::nullopt;
  return ReadCollection(rows);
}

std::vector<ContentRow> LoadLiveContents(SqliteConnection& catalog, const CollectionRow& row) {
  SqliteStatement rows = catalog.Prepare(
      "SELECT id, first_chunk, chunk_count, chunk_languages FROM content WHERE collection = ?1 "
      "AND added_generation <= ?2 AND (removed_generation IS NULL OR removed_generation > ?2) "
      "ORDER BY id");
  rows.Bind(1, row.id).Bind(2, static_cast<std::int64_t>(row.published));
  std::vector<ContentRow> result;
  while (rows.Step()) {
    ContentRow content;
    content.id = static_cast<ContentId>(rows.Int(0));
    content.first_chunk = static_cast<ChunkId>(rows.Int(1));
    content.chunk_count = static_cast<std::uint32_t>(rows.Int(2));
    content.chunk_languages = FromJson<std::map<std::string, std::uint64_t>>(
        rows.Bytes(3), "content " + std::to_string(content.id));
    result.push_back(std::move(content));
  }
  return result;
}

std::vector<SegmentRow> LoadSegments(SqliteConnection& catalog, std::int64_t collection) {
  SqliteStatement rows = catalog.Prepare(
      "SELECT name, embedder, first_content, last_content, purged_generation, chunks, "
      "analyzer_version, format FROM segment WHERE collection = ? ORDER BY first_content");
  SqliteStatement files = catalog.Prepare(
      "SELECT path, bytes, sha256 FROM segment_file WHERE segment = ? ORDER BY path");
  rows.Bind(1, collection);
  std::vector<SegmentRow> result;
  while (rows.Step()) {
    SegmentRow segment;
    segment.name = rows.Text(0);
    segment.collection = collection;
    segment.embedder = rows.Int(1);
    segment.first_content = static_cast<ContentId>(rows.Int(2));
    segment.last_content = static_cast<ContentId>(rows.Int(3));
    segment.purged_generation = static_cast<std::uint64_t>(rows.Int(4));
    segment.chunks = static_cast<std::uint64_t>(rows.Int(5));
    segment.analyzer_version = static_cast<int>(rows.Int(6));
    segment.format = static_cast<int>(rows.Int(7));
    files.Bind(1, segment.name);
    while (files.Step()) {
      segment.files.push_back(
          {files.Text(0), static_cast<std::uint64_t>(files.Int(1)), files.Text(2)});
    }
    files.Reset();
    result.push_back(std::move(segment));
  }
  return result;
}

CollectionInfo Describe(SqliteConnection& catalog, const CollectionRow& row,
                        const std::vector<ContentRow>& live,
                        const std::vector<SegmentRow>& segments) {
  CollectionInfo info;
  info.name = row.name;
  info.collection_id = row.collection_id;
  info.generation = row.published;
  info.embedder_id = row.embedder_id;
  info.embedder_name = row.embedder_name;
  if (row.fitted) info.vectors = row.HasVectors() ? VectorsKind::kFitted : VectorsKind::kUnfitted;
  SqliteStatement roots = catalog.Prepare("SELECT root FROM root WHERE collection = ? ORDER BY 1");
  roots.Bind(1, row.id);
  while (roots.Step()) info.roots.push_back(roots.Text(0));
  std::map<std::string, std::uint64_t> languages;
  for (const ContentRow& content : live) {
    info.chunks += content.chunk_count;
    for (const auto& [language, count] : content.chunk_languages) languages[language] += count;
  }
  std::vector<std::pair<std::string, std::uint64_t>> ranked(languages.begin(), languages.end());
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (auto& [language, count] : ranked) info.languages.push_back(language);
  SqliteStatement counts = catalog.Prepare(
      "SELECT content_id IS NULL, unreadable_kind, count(*) FROM entry WHERE collection = ?1 "
      "AND added_generation <= ?2 AND (removed_generation IS NULL OR removed_generation > ?2) "
      "GROUP BY 1, 2");
  counts.Bind(1, row.id).Bind(2, static_cast<std::int64_t>(row.published));
  while (counts.Step()) {
    const auto count = static_cast<std::uint64_t>(counts.Int(2));
    if (counts.Int(0) == 0) {
      info.documents += count;
    } else if (static_cast<UnreadableKind>(counts.Int(1)) == UnreadableKind::kSkipped) {
      info.skipped += count;
    } else {
      info.unreadable += count;
    }
  }
  info.segments = static_cast<std::uint32_t>(segments.size());
  for (const SegmentRow& segment : segments) {
    for (const SegmentFile& file : segment.files) info.index_bytes += file.bytes;
  }
  return info;
}

std::vector<DocumentInfo> LoadDocuments(SqliteConnection& catalog, const DocumentQuery& query) {
  std::string sql(kDocumentColumns);
  if (!query.with_withdrawn) {
    sql += " AND (e.removed_generation IS NULL OR e.removed_generation > c.published + ?1)";
  }
  if (query.root) sql += " AND e.root = ?2";
  if (!query.document_id.empty()) sql += " AND d.document_id = ?3";
  if (!query.after_document_id.empty()) sql += " AND d.document_id > ?4";
  if (!query.path_or_tail.empty()) {
    sql +=
        " AND (rtrim(e.root, '/') || '/' || e.relative_path = ?5 "
        "OR e.root || e.relative_path = ?5 "
        "OR substr('/' || e.relative_path, -length('/' || ?5)) = '/' || ?5 "
        "OR (e.relative_path = '' AND substr(e.root, -length('/' || ?5)) = '/' || ?5))";
  }
  if (!query.collections.empty()) {
    sql += " AND e.collection IN (";
    for (std::size_t i = 0; i < query.collections.size(); ++i) {
      sql += (i == 0 ? "" : ",") + std::to_string(query.collections[i]);
    }
    sql += ")";
  }
  sql += " ORDER BY d.document_id";
  if (query.limit > 0) sql += " LIMIT " + std::to_string(query.limit);
  SqliteStatement rows = catalog.Prepare(sql);
  rows.Bind(1, std::int64_t{query.pending ? 1 : 0});
  if (query.root) rows.Bind(2, *query.root);
  if (!query.document_id.empty()) rows.Bind(3, query.document_id);
  if (!query.after_document_id.empty()) rows.Bind(4, query.after_document_id);
  if (!query.path_or_tail.empty()) rows.Bind(5, query.path_or_tail);
  std::vector<DocumentInfo> result;
  while (rows.Step()) result.push_back(ReadDocument(rows));
  return result;
}

std::string LoadContentText(SqliteConnection& catalog, ContentId content_id) {
  SqliteStatement row = catalog.Prepare(
      "SELECT x.text, t.text_sha256 FROM content t JOIN content_text x ON x.content_id = t.id "
      "WHERE t.id = ?");
  row.Bind(1, std::int64_t{content_id});
  const std::string what = "text of content " + std::to_string(content_id);
  if (!row.Step()) throw Error(ErrorCode::kIntegrity, what + " is missing");
  std::string text = row.Text(0);
  if (ToHex(Sha256(text)) != row.Bytes(1)) throw Damaged(what);
  return text;
}

std::optional<std::string> LoadVersionText(SqliteConnection& catalog,
                                           const std::string& document_id, std::uint32_t version) {
  SqliteStatement row = catalog.Prepare(
      "SELECT e.content_id FROM entry e JOIN document d ON d.id = e.document "
      "JOIN collection c ON c.id = e.collection "
      "WHERE d.document_id = ?1 AND (?2 = 0 OR e.version = ?2) AND e.content_id IS NOT NULL "
      "AND e.added_generation <= c.published ORDER BY e.id DESC LIMIT 1");
  row.Bind(1, document_id).Bind(2, std::int64_t{version});
  if (!row.Step()) return std::nullopt;
  return LoadContentText(catalog, static_cast<ContentId>(row.Int(0)));
}

std::optional<ChunkRow> LoadChunkRow(SqliteConnection& catalog, ChunkId chunk_id) {
  SqliteStatement row = catalog.Prepare(std::string(kChunkColumns) + "WHERE id = ?");
  row.Bind(1, std::int64_t{chunk_id});
  if (!row.Step()) return std::nullopt;
  return ReadChunk(row);
}

std::vector<ChunkRow> LoadChunkRows(SqliteConnection& catalog, ContentId content_id) {
  SqliteStatement rows =
      catalog.Prepare(std::string(kChunkColumns) +
                      "WHERE id >= (SELECT first_chunk FROM content WHERE id = ?1) AND id < "
                      "(SELECT first_chunk + chunk_count FROM content WHERE id = ?1) ORDER BY id");
  rows.Bind(1, std::int64_t{content_id});
  std::vector<ChunkRow> result;
  while (rows.Step()) result.push_back(ReadChunk(rows));
  return result;
}

std::string ChunkText(const ChunkRow& row, std::string_view content_text) {
  const std::string what = "chunk " + std::to_string(row.chunk.chunk_id);
  const ByteRange& range = row.chunk.range;
  if (range.begin > range.end || range.end > content_text.size()) {
    throw Error(ErrorCode::kIntegrity, what + " has a range outside its text");
  }
  std::string text(content_text.substr(range.begin, range.end - range.begin));
  const Sha256Digest digest = Sha256(text);
  if (!std::equal(digest.begin(), digest.end(), row.sha256.begin(), row.sha256.end(),
                  [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); })) {
    throw Damaged(what);
  }
  return text;
}

std::vector<float> LoadVector(SqliteConnection& catalog, std::int64_t embedder, ChunkId chunk_id,
                              std::uint32_t dimension) {
  SqliteStatement row =
      catalog.Prepare("SELECT vector, sha256 FROM embedding WHERE embedder = ? AND chunk_id = ?");
  row.Bind(1, embedder).Bind(2, std::int64_t{chunk_id});
  const std::string what = "embedding of chunk " + std::to_string(chunk_id);
  if (!row.Step()) throw Error(ErrorCode::kIntegrity, what + " is missing");
  const std::string bytes = row.Text(0);
  const Sha256Digest digest = Sha256(bytes);
  if (row.Bytes(1).size() != digest.size() ||
      std::memcmp(row.Bytes(1).data(), digest.data(), digest.size()) != 0) {
    throw Damaged(what);
  }
  if (bytes.size() != dimension * sizeof(float)) {
    throw Error(ErrorCode::kIntegrity, what + " has another dimension");
  }
  std::vector<float> vector(dimension);
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  return vector;
}

ContentHead LoadContentHead(SqliteConnection& catalog, ContentId content_id) {
  SqliteStatement row = catalog.Prepare("SELECT title, language FROM content WHERE id = ?");
  row.Bind(1, std::int64_t{content_id});
  if (!row.Step()) {
    throw Error(ErrorCode::kIntegrity, "content " + std::to_string(content_id) + " is missing");
  }
  return {row.Text(0), row.Text(1)};
}

std::vector<ContentId> ContentsOfSegment(SqliteConnection& catalog, const SegmentRow& segment) {
  SqliteStatement rows = catalog.Prepare(
      "SELECT id FROM content WHERE collection = ? AND id BETWEEN ? AND ? "
      "AND (removed_generation IS NULL OR removed_generation > ?) ORDER BY id");
  rows.Bind(1, segment.collection)
      .Bind(2, std::int64_t{segment.first_content})
      .Bind(3, std::int64_t{segment.last_content})
      .Bind(4, static_cast<std::int64_t>(segment.purged_generation));
  std::vector<ContentId> result;
  while (rows.Step()) result.push_back(static_cast<ContentId>(rows.Int(0)));
  return result;
}

}  // namespace sworn::store
