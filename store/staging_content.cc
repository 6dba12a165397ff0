#include <limits>
#include <string_view>

#include "core/crypto.h"
#include "core/error.h"
#include "store/catalog_write.h"
#include "store/row_values.h"
#include "store/staging.h"

namespace sworn::store {

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
ChunkId InsertChunks(SqliteConnection& catalog, ContentId content_id,
                     const CollectionRow& collection, const NewContent& content) {
  SqliteStatement insert = catalog.Prepare(
      "INSERT INTO chunk(content_id, ordinal, byte_begin, byte_end, heading, page, page_end, "
      "page_label, line_begin, line_end, sheet, slide, sheet_row, attachment_path, language, ocr, "
      "sha256) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  EmbeddingWriter embeddings(catalog, collection.embedder);
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
    if (!collection.fitted) embeddings.Add(static_cast<ChunkId>(id), chunk.vector);
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
  row.first_chunk = InsertChunks(catalog_, row.id, collection_, content);
  catalog_.Prepare("UPDATE content SET first_chunk = ? WHERE id = ?")
      .Bind(1, std::int64_t{row.first_chunk})
      .Bind(2, id)
      .Run();
  return row;
}

}  // namespace sworn::store
