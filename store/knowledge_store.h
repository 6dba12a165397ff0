// One durable thing made of three: SQLite holds the truth, FAISS and Xapian are derived from it.
//
// Layout below the folder given to Open (docs/formats/store.md):
//   catalog.db                          documents, versions, texts, chunks, embeddings, generations
//   index/<collection id>/<segment>/    immutable: chunks/ and contents/ (Xapian), terms.bin,
//                                       vectors.faiss, a fitted embedder's embedder.bin
//   run/index.lock                      held by the one index job
//   tmp/                                segments under construction; emptied at the start of a job
//
// One way in: IndexJob stages batches in the catalog under a pending generation, builds segments
// from what it staged, and publishes by one catalog row. One way out: Snapshot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/embedder.h"
#include "core/file.h"
#include "store/records.h"
#include "store/snapshot.h"

namespace sworn::store {

/// What the store is told about the world. The referenced objects outlive it.
struct StoreContext {
  FileOps& files;
  const Clock& clock;
  std::size_t build_threads = 1;  // that build the segment of an index job
  // Reads the collections whose embedder it fitted; may be null.
  const TermEmbedderFactory* fitting = nullptr;
};

struct PublishResult {
  std::uint64_t generation = 0;  // the collection's newest, published
  std::uint64_t documents = 0;   // live in it
  bool changed = false;          // false: there was nothing to publish
};

/// The one writer of a collection, holding the index lock. One thread at a time. If the process
/// dies, what was staged is found and published by the next job; what was published stays.
class IndexJob {
 public:
  virtual ~IndexJob() = default;

  /// Newest version of every document below `root` (state kWithdrawn left out).
  virtual std::vector<DocumentInfo> DocumentsBelow(const std::string& root) = 0;

  /// A stored content of this collection with these original bytes, media type and extractor
  /// version.
  virtual std::optional<ContentId> FindContent(const std::string& document_sha256,
                                               const std::string& media_type) = 0;

  enum class PutResult { kAdded, kReplaced };
  /// Stages a new version with a new or an existing content. A document keeps its id for its key;
  /// its former version becomes superseded when the generation is published.
  virtual PutResult Put(const NewVersion& version, std::variant<NewContent, ContentId> content) = 0;

  /// Stages a file without text; a former readable version is withdrawn.
  virtual void PutUnreadable(const UnreadableFile& file, const FileFacts& facts) = 0;

  /// The bytes are the same though the facts are not (touched): remembered, nothing re-indexed.
  virtual void UpdateFacts(const std::string& document_id, const FileFacts& facts) = 0;

  /// Gives a document whose file was renamed its new key; id and versions stay.
  virtual void Rename(const std::string& document_id, const SourceKey& key,
                      const FileFacts& facts) = 0;

  /// Stages the withdrawal of a document from both indexes; its text stays in the catalog.
  virtual void Withdraw(const std::string& document_id) = 0;

  /// Remembers `root` as one of the collection's, with its include and exclude globs.
  virtual void RecordRoot(const std::string& root) = 0;

  /// Makes everything staged so far durable in the catalog (one transaction), still pending.
  virtual void Commit() = 0;

  /// Commit, build and fsync the segment, publish the generation, merge small segments, delete what
  /// no reader holds.
  virtual PublishResult Publish() = 0;
};

/// How the embedding of many chunks is watched and ended; both may be left out.
struct EmbeddingWork {
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};
  const CancelFlag* cancel = nullptr;
};

struct IntegrityFault {
  std::string where;  // "catalog", "segment 12/chunks/postlist.glass", "chunk 77"
  std::string reason;
  bool repaired = false;
};

class KnowledgeStore {
 public:
  virtual ~KnowledgeStore() = default;

  /// Opens or creates the store below `folder`.
  static std::unique_ptr<KnowledgeStore> Open(const std::filesystem::path& folder,
                                              StoreContext context);

  /// Throws kConflict if the name is taken, kInvalidArgument unless it is 1 to 64 of [a-z0-9_-].
  virtual void CreateCollection(const std::string& name) = 0;
  /// Withdraws every document of it and drops its indexes; texts stay until erased. kNotFound.
  virtual void RemoveCollection(const std::string& name) = 0;
  virtual std::vector<CollectionInfo> Collections() = 0;

  /// The newest published generations of the collections named (all when empty; kNotFound for an
  /// unknown name). A damaged or missing segment is rebuilt from the catalog first, under the index
  /// lock (kBusy when a job holds it); a damaged catalog throws kIntegrity.
  virtual std::shared_ptr<const Snapshot> OpenSnapshot(
      std::span<const std::string> collections) = 0;

  /// Whether OpenSnapshot(collections) would show what `snapshot`, opened for the same names,
  /// shows. Costs one small query, where opening reads the whole index to verify it.
  virtual bool IsCurrent(const Snapshot& snapshot, std::span<const std::string> collections) = 0;

  /// Takes the index lock (kBusy when another process holds it), publishes what a dead job left
  /// pending, and starts a job. A changed source re-embeds the stored chunks first, while the
  /// present generation serves; ended by `work` (kCancelled), the next job goes on. A fitted one is
  /// fitted whenever a publication made it due (docs/formats/store.md), as a generation of its own.
  /// `source` outlives the job.
  virtual std::unique_ptr<IndexJob> BeginJob(const std::string& collection,
                                             const VectorSource& source,
                                             const EmbeddingWork& work) = 0;
  std::unique_ptr<IndexJob> BeginJob(const std::string& collection, const VectorSource& source) {
    return BeginJob(collection, source, {});
  }

  struct ListOptions {
    std::vector<std::string> collections;  // all when empty
    bool with_withdrawn = false;
    std::size_t limit = 0;          // 0: all
    std::string after_document_id;  // paging cursor
  };
  virtual std::vector<DocumentInfo> List(const ListOptions& options) = 0;

  /// By document id, or by path (absolute, or its end).
  virtual std::vector<DocumentInfo> Find(const std::string& id_or_path) = 0;

  /// Stored text of a version, its digest checked; nothing if unknown. Version 0 is the newest.
  virtual std::optional<std::string> LoadText(const std::string& document_id,
                                              std::uint32_t version) = 0;

  /// Checks catalog, digests of texts, embeddings and segments, and their agreement. With `repair`,
  /// rebuilds damaged segments from the catalog.
  virtual std::vector<IntegrityFault> Check(
      bool repair, const std::function<void(std::string_view what)>& progress) = 0;

  /// Copies the catalog, consistently, to `path`; indexes are derived and need no copy.
  virtual void BackupCatalog(const std::filesystem::path& path) = 0;
};

}  // namespace sworn::store
