#include "store/catalog_write.h"

#include "core/crypto.h"
#include "store/row_values.h"

namespace sworn::store {

std::int64_t EnsureEmbedder(SqliteConnection& catalog, const EmbedderIdentity& identity,
                            EmbedderKind kind) {
  const std::string digest = identity.Digest();
  catalog
      .Prepare(
          "INSERT INTO embedder(digest, name, dimension, fitted, base) "
          "VALUES(?, ?, ?, ?, nullif(?, 0)) ON CONFLICT(digest) DO NOTHING")
      .Bind(1, digest)
      .Bind(2, identity.name)
      .Bind(3, std::int64_t{identity.dimension})
      .Bind(4, std::int64_t{kind.fitted ? 1 : 0})
      .Bind(5, kind.base)
      .Run();
  SqliteStatement row = catalog.Prepare("SELECT id FROM embedder WHERE digest = ?");
  row.Bind(1, digest);
  row.Step();
  return row.Int(0);
}

void SetCollectionEmbedder(SqliteConnection& catalog, std::int64_t collection,
                           std::int64_t embedder) {
  catalog
      .Prepare("UPDATE collection SET embedder = ?, fit_chunks = 0, fit_content = 0 WHERE id = ?")
      .Bind(1, embedder)
      .Bind(2, collection)
      .Run();
}

void SetFit(SqliteConnection& catalog, std::int64_t collection, std::uint64_t chunks,
            ContentId last_content) {
  catalog.Prepare("UPDATE collection SET fit_chunks = ?, fit_content = ? WHERE id = ?")
      .Bind(1, Signed(chunks))
      .Bind(2, std::int64_t{last_content})
      .Bind(3, collection)
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
          "purged_generation, chunks, analyzer_version, format) "
          "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, segment.name)
      .Bind(2, segment.collection)
      .Bind(3, segment.embedder)
      .Bind(4, std::int64_t{segment.first_content})
      .Bind(5, std::int64_t{segment.last_content})
      .Bind(6, Signed(segment.purged_generation))
      .Bind(7, Signed(segment.chunks))
      .Bind(8, std::int64_t{segment.analyzer_version})
      .Bind(9, std::int64_t{segment.format})
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

}  // namespace sworn::store
