#include "store/catalog_write.h"

#include <limits>
#include <map>
#include <span>

#include <nlohmann/json.hpp>

#include "core/crypto.h"
#include "core/error.h"

namespace sworn::store {
namespace {

using Json = nlohmann::json;

/// Metadata may hold bytes that are no UTF-8; they become U+FFFD rather than an exception.
std::string ToJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view AsBytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace

std::int64_t EnsureEmbedder(SqliteConnection& catalog, const EmbedderIdentity& identity) {
  const std::string digest = identity.Digest();
  catalog
      .Prepare(
          "INSERT INTO embedder(digest, name, dimension) VALUES(?, ?, ?) "
          "ON CONFLICT(digest) DO NOTHING")
      .Bind(1, digest)
      .Bind(2, identity.name)
      .Bind(3, std::int64_t{identity.dimension})
      .Run();
  SqliteStatement row = catalog.Prepare("SELECT id FROM embedder WHERE digest = ?");
  row.Bind(1, digest);
  row.Step();
  return row.Int(0);
}

void SetCollectionEmbedder(SqliteConnection& catalog, std::int64_t collection,
                           std::int64_t embedder) {
  catalog.Prepare("UPDATE collection SET embedder = ? WHERE id = ?")
      .Bind(1, embedder)
      .Bind(2, collection)
      .Run();
}

EmbeddingWriter::EmbeddingWriter(SqliteConnection& catalog, std::int64_t embedder)
    : embedder_(embedder),
      insert_(catalog.Prepare(
          "INSERT INTO embedding(embedder, chunk_id, vector, sha256) VALUES(?, ?, ?, ?)")) {}

void EmbeddingWriter::Add(ChunkId chunk_id, const std::vector<float>& vector) {
  const std::string_view bytes(reinterpret_cast<const char*>(vector.data()),
                               vector.size() * sizeof(float));
  insert_.Bind(1, embedder_)
      .Bind(2, std::int64_t{chunk_id})
      .BindBlob(3, bytes)
      .BindBlob(4, AsBytes(Sha256(bytes)))
      .Run();
}

void InsertSegment(SqliteConnection& catalog, const SegmentRow& segment) {
  catalog
      .Prepare(
          "INSERT INTO segment(name, collection, embedder, first_content, last_content, "
          "purged_generation, chunks, analyzer_version) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, segment.name)
      .Bind(2, segment.collection)
      .Bind(3, segment.embedder)
      .Bind(4, std::int64_t{segment.first_content})
      .Bind(5, std::int64_t{segment.last_content})
      .Bind(6, Signed(segment.purged_generation))
      .Bind(7, Signed(segment.chunks))
      .Bind(8, std::int64_t{segment.analyzer_version})
      .Run();
  SqliteStatement insert =
      catalog.Prepare("INSERT INTO segment_file(segment, path, bytes, sha256) VALUES(?, ?, ?, ?)");
  for (const SegmentFile& file : segment.files) {
    insert.Bind(1, segment.name)
        .Bind(2, file.path)
        .Bind(3, Signed(file.bytes))
        .Bind(4, file.sha256)
        .Run();
  }
}

void DeleteSegment(SqliteConnection& catalog, const std::string& name) {
  catalog.Prepare("DELETE FROM segment WHERE name = ?").Bind(1, name).Run();
}

Staging::Staging(SqliteConnection& catalog, const CollectionRow& collection,
                 std::uint64_t generation)
    : catalog_(catalog), collection_(collection), generation_(generation) {}

void Staging::MarkPending() {
  catalog_
      .Prepare(
          "INSERT INTO generation(collection, number) VALUES(?, ?) "
          "ON CONFLICT(collection, number) DO NOTHING")
      .Bind(1, collection_.id)
      .Bind(2, Signed(generation_))
      .Run();
}

bool Staging::HasChanges() {
  SqliteStatement row =
      catalog_.Prepare("SELECT 1 FROM generation WHERE collection = ? AND number = ?");
  row.Bind(1, collection_.id).Bind(2, Signed(generation_));
  return row.Step();
}

std::optional<ContentId> Staging::FindContent(const std::string& document_sha256,
                                              const std::string& media_type) {
  SqliteStatement row = catalog_.Prepare(
      "SELECT max(id) FROM content WHERE collection = ? AND document_sha256 = ? "
      "AND media_type = ? AND removed_generation IS NULL");
  row.Bind(1, collection_.id).Bind(2, document_sha256).Bind(3, media_type);
  if (!row.Step() || row.IsNull(0)) return std::nullopt;
  return static_cast<ContentId>(row.Int(0));
}

std::optional<ContentId> Staging::FindEqualContent(const NewContent& content,
                                                   const std::string& text_sha256) {
  SqliteStatement row = catalog_.Prepare(
      "SELECT max(id) FROM content WHERE collection = ? AND document_sha256 = ? "
      "AND media_type = ? AND extractor = ? AND text_sha256 = ? AND removed_generation IS NULL");
  row.Bind(1, collection_.id)
      .Bind(2, content.document_sha256)
      .Bind(3, content.media_type)
      .Bind(4, content.extractor)
      .Bind(5, text_sha256);
  if (!row.Step() || row.IsNull(0)) return std::nullopt;
  return static_cast<ContentId>(row.Int(0));
}

bool Staging::IsUsable(ContentId content_id) {
  SqliteStatement row = catalog_.Prepare(
      "SELECT 1 FROM content WHERE id = ? AND collection = ? AND removed_generation IS NULL");
  row.Bind(1, std::int64_t{content_id}).Bind(2, collection_.id);
  return row.Step();
}

namespace {

/// Inserts the chunks of a content in one go, which makes their ids consecutive: nobody else
/// writes, and AUTOINCREMENT counts up by one.
ChunkId InsertChunks(SqliteConnection& catalog, ContentId content_id, std::int64_t embedder,
                     const NewContent& content) {
  SqliteStatement insert = catalog.Prepare(
      "INSERT INTO chunk(content_id, ordinal, byte_begin, byte_end, heading, page, page_end, "
      "page_label, line_begin, line_end, sheet, slide, sheet_row, attachment_path, language, ocr, "
      "sha256) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  EmbeddingWriter embeddings(catalog, embedder);
  ChunkId first = 0;
  std::int64_t ordinal = 0;
  const std::string_view text = content.text;
  for (const NewChunk& chunk : content.chunks) {
    const Sha256Digest digest =
        Sha256(text.substr(chunk.range.begin, chunk.range.end - chunk.range.begin));
    const Location& at = chunk.location;
    insert.Bind(1, std::int64_t{content_id})
        .Bind(2, ordinal)
        .Bind(3, Signed(chunk.range.begin))
        .Bind(4, Signed(chunk.range.end))
        .Bind(5, chunk.heading)
        .BindOptional(6, at.page)
        .BindOptional(7, at.page_end)
        .Bind(8, at.page_label)
        .BindOptional(9, at.line_begin)
        .BindOptional(10, at.line_end)
        .Bind(11, at.sheet)
        .BindOptional(12, at.slide)
        .BindOptional(13, at.row)
        .Bind(14, at.attachment_path)
        .Bind(15, chunk.language)
        .Bind(16, std::int64_t{chunk.ocr ? 1 : 0})
        .BindBlob(17, AsBytes(digest))
        .Run();
    const std::int64_t id = catalog.LastInsertId();
    if (id > std::numeric_limits<ChunkId>::max()) {
      throw Error(ErrorCode::kTooLarge, "the catalog has used up its chunk ids");
    }
    if (ordinal == 0) first = static_cast<ChunkId>(id);
    if (id != first + ordinal) {
      throw Error(ErrorCode::kInternal, "chunk ids of a content are not consecutive");
    }
    ++ordinal;
    embeddings.Add(static_cast<ChunkId>(id), chunk.vector);
  }
  return first;
}

}  // namespace

ContentRow Staging::AddContent(const NewContent& content, const std::string& text_sha256) {
  MarkPending();
  ContentRow row;
  for (const NewChunk& chunk : content.chunks) ++row.chunk_languages[chunk.language];
  row.chunk_count = static_cast<std::uint32_t>(content.chunks.size());
  catalog_
      .Prepare(
          "INSERT INTO content(collection, document_sha256, text_sha256, media_type, "
          "extractor, normalization_version, title, language, metadata, warnings, flags, "
          "page_count, text_bytes, first_chunk, chunk_count, chunk_languages, "
          "added_generation) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)")
      .Bind(1, collection_.id)
      .Bind(2, content.document_sha256)
      .Bind(3, text_sha256)
      .Bind(4, content.media_type)
      .Bind(5, content.extractor)
      .Bind(6, std::int64_t{content.normalization_version})
      .Bind(7, content.title)
      .Bind(8, content.language)
      .Bind(9, ToJson(content.metadata))
      .Bind(10, ToJson(content.warnings))
      .Bind(11, content.flags)
      .Bind(12, std::int64_t{content.page_count})
      .Bind(13, Signed(content.text.size()))
      .Bind(14, std::int64_t{row.chunk_count})
      .Bind(15, ToJson(row.chunk_languages))
      .Bind(16, Signed(generation_))
      .Run();
  const std::int64_t id = catalog_.LastInsertId();
  if (id > std::numeric_limits<ContentId>::max()) {
    throw Error(ErrorCode::kTooLarge, "the catalog has used up its content ids");
  }
  row.id = static_cast<ContentId>(id);
  catalog_.Prepare("INSERT INTO content_text(content_id, text) VALUES(?, ?)")
      .Bind(1, id)
      .BindBlob(2, content.text)
      .Run();
  row.first_chunk = InsertChunks(catalog_, row.id, collection_.embedder, content);
  catalog_.Prepare("UPDATE content SET first_chunk = ? WHERE id = ?")
      .Bind(1, std::int64_t{row.first_chunk})
      .Bind(2, id)
      .Run();
  return row;
}

std::int64_t Staging::DocumentFor(const SourceKey& key) {
  SqliteStatement row = catalog_.Prepare(
      "SELECT id FROM document WHERE collection = ? AND root = ? AND relative_path = ?");
  row.Bind(1, collection_.id).Bind(2, key.root).Bind(3, key.relative_path);
  if (row.Step()) return row.Int(0);
  catalog_
      .Prepare(
          "INSERT INTO document(document_id, collection, root, relative_path) "
          "VALUES(?, ?, ?, ?)")
      .Bind(1, "d_" + RandomBase32Id())
      .Bind(2, collection_.id)
      .Bind(3, key.root)
      .Bind(4, key.relative_path)
      .Run();
  return catalog_.LastInsertId();
}

std::int64_t Staging::DocumentRow(const std::string& document_id) {
  SqliteStatement row =
      catalog_.Prepare("SELECT id FROM document WHERE document_id = ? AND collection = ?");
  row.Bind(1, document_id).Bind(2, collection_.id);
  if (!row.Step()) throw Error(ErrorCode::kNotFound, "no document '" + document_id + "'");
  return row.Int(0);
}

std::optional<Staging::Entry> Staging::NewestEntry(std::int64_t document) {
  SqliteStatement row = catalog_.Prepare(
      "SELECT id, version, removed_generation IS NULL, content_id IS NOT NULL FROM entry "
      "WHERE document = ? ORDER BY id DESC LIMIT 1");
  row.Bind(1, document);
  if (!row.Step()) return std::nullopt;
  return Entry{row.Int(0), static_cast<std::uint32_t>(row.Int(1)), row.Int(2) != 0,
               row.Int(3) != 0};
}

void Staging::EndEntry(const Entry& entry) {
  catalog_.Prepare("UPDATE entry SET removed_generation = ? WHERE id = ?")
      .Bind(1, Signed(generation_))
      .Bind(2, entry.id)
      .Run();
}

bool Staging::PutVersion(const NewVersion& version, ContentId content_id, std::int64_t now_ms) {
  MarkPending();
  const std::int64_t document = DocumentFor(version.key);
  const std::optional<Entry> former = NewestEntry(document);
  if (former && former->live) EndEntry(*former);
  catalog_
      .Prepare(
          "INSERT INTO entry(document, collection, version, root, relative_path, content_id, "
          "unreadable_kind, reason, size, mtime_ns, inode, document_date_ms, indexed_at_ms, "
          "user_meta, added_generation) VALUES(?, ?, ?, ?, ?, ?, 0, '', ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, document)
      .Bind(2, collection_.id)
      .Bind(3, std::int64_t{former ? former->version + 1 : 1})
      .Bind(4, version.key.root)
      .Bind(5, version.key.relative_path)
      .Bind(6, std::int64_t{content_id})
      .Bind(7, Signed(version.facts.size))
      .Bind(8, version.facts.mtime_ns)
      .Bind(9, Signed(version.facts.inode))
      .Bind(10, version.document_date_ms)
      .Bind(11, now_ms)
      .Bind(12, ToJson(version.user_meta))
      .Bind(13, Signed(generation_))
      .Run();
  return former && former->live && former->readable;
}

void Staging::PutUnreadable(const UnreadableFile& file, const FileFacts& facts,
                            std::int64_t now_ms) {
  MarkPending();
  const std::int64_t document = DocumentFor(file.key);
  const std::optional<Entry> former = NewestEntry(document);
  if (former && former->live) EndEntry(*former);
  catalog_
      .Prepare(
          "INSERT INTO entry(document, collection, version, root, relative_path, "
          "unreadable_kind, reason, size, mtime_ns, inode, document_date_ms, indexed_at_ms, "
          "user_meta, added_generation) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '{}', ?)")
      .Bind(1, document)
      .Bind(2, collection_.id)
      .Bind(3, std::int64_t{former ? former->version : 0})
      .Bind(4, file.key.root)
      .Bind(5, file.key.relative_path)
      .Bind(6, static_cast<std::int64_t>(file.kind))
      .Bind(7, file.reason)
      .Bind(8, Signed(facts.size))
      .Bind(9, facts.mtime_ns)
      .Bind(10, Signed(facts.inode))
      .Bind(11, now_ms)
      .Bind(12, Signed(generation_))
      .Run();
}

void Staging::UpdateFacts(const std::string& document_id, const FileFacts& facts) {
  const std::optional<Entry> newest = NewestEntry(DocumentRow(document_id));
  if (!newest) return;
  // In place: the facts decide nothing that a reader sees.
  catalog_.Prepare("UPDATE entry SET size = ?, mtime_ns = ?, inode = ? WHERE id = ?")
      .Bind(1, Signed(facts.size))
      .Bind(2, facts.mtime_ns)
      .Bind(3, Signed(facts.inode))
      .Bind(4, newest->id)
      .Run();
}

void Staging::Rename(const std::string& document_id, const SourceKey& key, const FileFacts& facts,
                     std::int64_t now_ms) {
  const std::int64_t document = DocumentRow(document_id);
  SqliteStatement holder = catalog_.Prepare(
      "SELECT id FROM document WHERE collection = ? AND root = ? AND relative_path = ?");
  holder.Bind(1, collection_.id).Bind(2, key.root).Bind(3, key.relative_path);
  const bool taken = holder.Step();
  const std::int64_t former_holder = taken ? holder.Int(0) : 0;
  const std::optional<Entry> newest = NewestEntry(document);
  if (!newest || !newest->live) {
    throw Error(ErrorCode::kConflict, "document '" + document_id + "' was withdrawn");
  }
  if (taken && former_holder != document) {
    const std::optional<Entry> other = NewestEntry(former_holder);
    if (other && other->live) {
      throw Error(ErrorCode::kConflict, "'" + JoinPath(key) + "' is another document's path");
    }
    catalog_.Prepare("UPDATE document SET root = NULL, relative_path = NULL WHERE id = ?")
        .Bind(1, former_holder)
        .Run();
  }
  MarkPending();
  EndEntry(*newest);
  catalog_
      .Prepare(
          "INSERT INTO entry(document, collection, version, root, relative_path, content_id, "
          "unreadable_kind, reason, size, mtime_ns, inode, document_date_ms, indexed_at_ms, "
          "user_meta, added_generation) SELECT document, collection, version, ?2, ?3, "
          "content_id, unreadable_kind, reason, ?4, ?5, ?6, document_date_ms, ?7, user_meta, "
          "?8 FROM entry WHERE id = ?1")
      .Bind(1, newest->id)
      .Bind(2, key.root)
      .Bind(3, key.relative_path)
      .Bind(4, Signed(facts.size))
      .Bind(5, facts.mtime_ns)
      .Bind(6, Signed(facts.inode))
      .Bind(7, now_ms)
      .Bind(8, Signed(generation_))
      .Run();
  catalog_.Prepare("UPDATE document SET root = ?, relative_path = ? WHERE id = ?")
      .Bind(1, key.root)
      .Bind(2, key.relative_path)
      .Bind(3, document)
      .Run();
}

void Staging::Withdraw(const std::string& document_id) {
  const std::optional<Entry> newest = NewestEntry(DocumentRow(document_id));
  if (!newest || !newest->live) return;
  MarkPending();
  EndEntry(*newest);
}

void Staging::WithdrawAll() {
  MarkPending();
  catalog_
      .Prepare(
          "UPDATE entry SET removed_generation = ? WHERE collection = ? "
          "AND removed_generation IS NULL")
      .Bind(1, Signed(generation_))
      .Bind(2, collection_.id)
      .Run();
}

void Staging::RecordRoot(const std::string& root) {
  catalog_
      .Prepare(
          "INSERT INTO root(collection, root) VALUES(?, ?) "
          "ON CONFLICT(collection, root) DO NOTHING")
      .Bind(1, collection_.id)
      .Bind(2, root)
      .Run();
}

void Staging::Publish(std::int64_t now_ms) {
  catalog_
      .Prepare(
          "UPDATE content SET removed_generation = ?1 WHERE id IN "
          "(SELECT content_id FROM entry WHERE collection = ?2 AND removed_generation = ?1 "
          "AND content_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM entry e "
          "WHERE e.content_id = content.id AND e.removed_generation IS NULL)")
      .Bind(1, Signed(generation_))
      .Bind(2, collection_.id)
      .Run();
  MarkPending();
  catalog_.Prepare("UPDATE generation SET published_at_ms = ? WHERE collection = ? AND number = ?")
      .Bind(1, now_ms)
      .Bind(2, collection_.id)
      .Bind(3, Signed(generation_))
      .Run();
  catalog_.Prepare("UPDATE collection SET published = ? WHERE id = ?")
      .Bind(1, Signed(generation_))
      .Bind(2, collection_.id)
      .Run();
}

}  // namespace sworn::store
