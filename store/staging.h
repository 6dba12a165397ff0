// What a job changes in the catalog: contents and versions of one generation that is not published
// yet. Works inside the caller's transaction on the one writing connection; the caller holds the
// index lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/sqlite.h"
#include "store/catalog_read.h"
#include "store/records.h"

namespace sworn::store {

/// Rows staged for one generation of one collection.
class Staging {
 public:
  /// `generation` is the pending one: collection.published + 1.
  Staging(SqliteConnection& catalog, const CollectionRow& collection, std::uint64_t generation);

  std::optional<ContentId> FindContent(const std::string& document_sha256,
                                       const std::string& media_type);

  /// A live content with the same bytes, media type, extractor and text.
  std::optional<ContentId> FindEqualContent(const NewContent& content,
                                            const std::string& text_sha256);

  /// Stores text, chunks and embeddings. The chunks get consecutive ids from the returned row's
  /// first_chunk.
  ContentRow AddContent(const NewContent& content, const std::string& text_sha256);

  /// True if the content is this collection's and not removed.
  bool IsUsable(ContentId content_id);

  /// Stages a version; true if it takes the place of a readable one.
  bool PutVersion(const NewVersion& version, ContentId content_id, std::int64_t now_ms);
  void PutUnreadable(const UnreadableFile& file, const FileFacts& facts, std::int64_t now_ms);
  void UpdateFacts(const std::string& document_id, const FileFacts& facts);
  void Rename(const std::string& document_id, const SourceKey& key, const FileFacts& facts,
              std::int64_t now_ms);
  void Withdraw(const std::string& document_id);
  void RecordRoot(const std::string& root);

  /// Withdraws every live document.
  void WithdrawAll();

  /// True if anything is staged for the generation, by this job or by a dead one.
  bool HasChanges();

  /// Contents without a live document leave the generation; then the generation is published.
  void Publish(std::int64_t now_ms);

  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  struct Entry {
    std::int64_t id = 0;
    std::uint32_t version = 0;
    bool live = false;
    bool readable = false;
  };

  std::int64_t DocumentFor(const SourceKey& key);
  std::int64_t DocumentRow(const std::string& document_id);
  std::optional<Entry> NewestEntry(std::int64_t document);
  void EndEntry(const Entry& entry);
  /// Ends the newest entry if it is live; returns it as it was.
  std::optional<Entry> EndNewestEntry(std::int64_t document);
  void MarkPending();

  SqliteConnection& catalog_;
  CollectionRow collection_;
  std::uint64_t generation_;
};

}  // namespace sworn::store
