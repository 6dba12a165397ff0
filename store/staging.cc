#include "store/staging.h"

#include "core/crypto.h"
#include "core/error.h"
#include "store/row_values.h"

namespace sworn::store {

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

std::optional<Staging::Entry> Staging::EndNewestEntry(std::int64_t document) {
  const std::optional<Entry> newest = NewestEntry(document);
  if (newest && newest->live) EndEntry(*newest);
  return newest;
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
  const std::optional<Entry> former = EndNewestEntry(document);
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
  const std::optional<Entry> former = EndNewestEntry(document);
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
