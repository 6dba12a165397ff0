#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <utility>
#include <variant>

#include <fcntl.h>

#include "core/crypto.h"
#include "core/error.h"
#include "store/catalog_write.h"
#include "store/fitted.h"
#include "store/index_job.h"
#include "store/integrity.h"
#include "store/knowledge_store.h"
#include "store/open_snapshot.h"
#include "store/publish.h"
#include "store/refit.h"
#include "store/schema.h"
#include "store/staging.h"

namespace sworn::store {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
constexpr int kOpenAttempts = 20;

bool IsCollectionName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

/// SQLite gives its files the mode of the database, which it would make by the umask.
void CreatePrivateFile(const std::filesystem::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) throw SystemError(errno, "cannot create", path.native());
}

class StoreImpl : public KnowledgeStore {
 public:
  StoreImpl(const std::filesystem::path& folder, StoreContext context)
      : paths_(folder), context_(context) {
    for (const auto& path :
         {paths_.folder(), paths_.index(), paths_.temporary(), paths_.index_lock().parent_path()}) {
      CreatePrivateFolder(path);
    }
    if (std::filesystem::exists(paths_.catalog()) && ReadVersion() == kCatalogVersion) return;
    const auto lock = Lock(std::chrono::seconds(2));
    CreatePrivateFile(paths_.catalog());
    SqliteConnection catalog(paths_.catalog(), SqliteConnection::Mode::kReadWrite);
    MigrateCatalog(catalog);
    context_.files.SyncFolder(paths_.folder());
  }

  void CreateCollection(const std::string& name) override {
    if (!IsCollectionName(name)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "collection '" + name + "': a name is 1 to 64 of a-z, 0-9, _ and -");
    }
    Write([&](SqliteConnection& catalog) {
      if (FindCollection(catalog, name)) {
        throw Error(ErrorCode::kConflict, "collection '" + name + "' exists");
      }
      catalog.Prepare("INSERT INTO collection(collection_id, name, created_at_ms) VALUES(?, ?, ?)")
          .Bind(1, "c_" + RandomBase32Id())
          .Bind(2, name)
          .Bind(3, context_.clock.UtcMillis())
          .Run();
    });
  }

  void RemoveCollection(const std::string& name) override {
    Write([&](SqliteConnection& catalog) {
      const std::optional<CollectionRow> row = FindCollection(catalog, name);
      if (!row) throw Error(ErrorCode::kNotFound, "no collection '" + name + "'");
      Staging staging(catalog, *row, row->published + 1);
      staging.WithdrawAll();
      staging.Publish(context_.clock.UtcMillis());
      for (const SegmentRow& segment : LoadSegments(catalog, row->id)) {
        DeleteSegment(catalog, segment.name);
      }
      catalog.Prepare("UPDATE collection SET removed_at_ms = ? WHERE id = ?")
          .Bind(1, context_.clock.UtcMillis())
          .Bind(2, row->id)
          .Run();
    });
  }

  std::vector<CollectionInfo> Collections() override {
    return Read([this](SqliteConnection& catalog) {
      std::vector<CollectionInfo> infos;
      for (const CollectionRow& row : LoadCollections(catalog)) {
        const std::vector<SegmentRow> segments = LoadSegments(catalog, row.id);
        infos.push_back(Describe(catalog, row, LoadLiveContents(catalog, row), segments));
        infos.back().vector_lists = VectorListsOf(paths_, row.collection_id, segments);
      }
      return infos;
    });
  }

  std::shared_ptr<const Snapshot> OpenSnapshot(std::span<const std::string> collections) override {
    for (int attempt = 1;; ++attempt) {
      auto opened = TryOpenSnapshot(paths_, collections, context_.fitting);
      if (auto* snapshot = std::get_if<std::shared_ptr<const Snapshot>>(&opened)) return *snapshot;
      const auto& fault = std::get<SegmentFault>(opened);
      if (attempt == kOpenAttempts) {
        throw Error(ErrorCode::kIntegrity,
                    "segment " + fault.segment.name + "/" + fault.reason + ", again and again");
      }
      if (!IsCurrent(fault)) continue;  // replaced between our reading and locking
      const auto lock = Lock(std::chrono::milliseconds(0));
      if (IsCurrent(fault)) Repair(fault);
    }
  }

  bool IsCurrent(const Snapshot& snapshot, std::span<const std::string> collections) override {
    return Read([&](SqliteConnection& catalog) {
      std::map<std::string, std::uint64_t> shown;
      for (const CollectionInfo& info : snapshot.collections()) {
        shown[info.collection_id] = info.generation;
      }
      std::map<std::string, std::uint64_t> current;
      for (const CollectionRow& row : LoadCollections(catalog)) {
        const bool asked = collections.empty() || std::find(collections.begin(), collections.end(),
                                                            row.name) != collections.end();
        if (asked) current[row.collection_id] = static_cast<std::uint64_t>(row.published);
      }
      return shown == current;
    });
  }

  std::unique_ptr<IndexJob> BeginJob(const std::string& collection, const VectorSource& source,
                                     const EmbeddingWork& work) override {
    return StartIndexJob(paths_, context_, Lock(std::chrono::milliseconds(0)), collection, source,
                         work);
  }

  std::vector<DocumentInfo> List(const ListOptions& options) override {
    return Read([&](SqliteConnection& catalog) {
      DocumentQuery query;
      for (const std::string& name : options.collections) {
        const std::optional<CollectionRow> row = FindCollection(catalog, name);
        if (!row) throw Error(ErrorCode::kNotFound, "no collection '" + name + "'");
        query.collections.push_back(row->id);
      }
      query.with_withdrawn = options.with_withdrawn;
      query.limit = options.limit;
      query.after_document_id = options.after_document_id;
      return LoadDocuments(catalog, query);
    });
  }

  std::vector<DocumentInfo> Find(const std::string& id_or_path) override {
    if (id_or_path.empty()) return {};
    return Read([&](SqliteConnection& catalog) {
      DocumentQuery query;
      query.with_withdrawn = true;
      query.document_id = id_or_path;
      std::vector<DocumentInfo> found = LoadDocuments(catalog, query);
      if (!found.empty()) return found;
      query.document_id.clear();
      query.path_or_tail = id_or_path;
      return LoadDocuments(catalog, query);
    });
  }

  std::optional<std::string> LoadText(const std::string& document_id,
                                      std::uint32_t version) override {
    return Read(
        [&](SqliteConnection& catalog) { return LoadVersionText(catalog, document_id, version); });
  }

  std::vector<IntegrityFault> Check(
      bool repair, const std::function<void(std::string_view what)>& progress) override {
    std::vector<SegmentFault> segments;
    std::vector<IntegrityFault> faults = Read(
        [&](SqliteConnection& catalog) { return CheckStore(paths_, catalog, progress, segments); });
    for (const SegmentFault& fault : segments) {
      faults.push_back({"segment " + fault.segment.name, fault.reason, repair && TryRepair(fault)});
    }
    return faults;
  }

  void BackupCatalog(const std::filesystem::path& path) override {
    CreatePrivateFile(path);
    SqliteConnection catalog(paths_.catalog(), SqliteConnection::Mode::kReadOnly);
    catalog.BackupTo(path);
  }

 private:
  std::unique_ptr<FileLock> Lock(std::chrono::milliseconds wait) {
    auto lock = FileLock::TryAcquire(paths_.index_lock(), FileLock::Mode::kExclusive, wait);
    if (lock == nullptr) throw Error(ErrorCode::kBusy, "another index job is running");
    return lock;
  }

  template <typename Work>
  auto Read(Work&& work) -> decltype(work(std::declval<SqliteConnection&>())) {
    SqliteConnection catalog(paths_.catalog(), SqliteConnection::Mode::kReadOnly);
    const SqliteTransaction transaction(catalog, SqliteTransaction::Kind::kDeferred);
    return work(catalog);
  }

  template <typename Work>
  void Write(Work&& work) {
    const auto lock = Lock(std::chrono::milliseconds(0));
    SqliteConnection catalog(paths_.catalog(), SqliteConnection::Mode::kReadWrite);
    PrepareWriter(catalog);
    {
      SqliteTransaction transaction(catalog);
      work(catalog);
      CommitStep(context_.files, transaction, "collections");
    }
    CollectGarbage(paths_, catalog);
  }

  int ReadVersion() {
    SqliteConnection catalog(paths_.catalog(), SqliteConnection::Mode::kReadOnly);
    return CatalogVersion(catalog);
  }

  bool IsCurrent(const SegmentFault& fault) {
    return Read([&](SqliteConnection& catalog) {
      const auto segments = LoadSegments(catalog, fault.collection.id);
      return std::any_of(segments.begin(), segments.end(), [&](const SegmentRow& segment) {
        return segment.name == fault.segment.name;
      });
    });
  }

  /// False if the catalog's own rows are damaged, so that nothing can be built from them.
  bool TryRepair(const SegmentFault& fault) {
    const auto lock = Lock(std::chrono::milliseconds(0));
    try {
      if (IsCurrent(fault)) Repair(fault);
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIntegrity) throw;
      return false;
    }
  }

  /// The caller holds the index lock.
  void Repair(const SegmentFault& fault) {
    EmptyTemporary(paths_);
    SqliteConnection catalog(paths_.catalog(), SqliteConnection::Mode::kReadWrite);
    PrepareWriter(catalog);
    const Publication publication{paths_, context_, catalog};
    CollectionRow collection = *FindCollection(catalog, fault.collection.name);
    auto state = FindState(paths_, catalog, collection, context_.fitting);
    if (collection.base != 0 && state == nullptr) {
      Unfit(publication, collection);
      collection = *FindCollection(catalog, collection.name);
    }
    for (const SegmentRow& segment : LoadSegments(catalog, collection.id)) {
      if (segment.name != fault.segment.name) continue;
      // Without the lost state there may be nothing wrong with the rest.
      const auto folder = paths_.segments(collection.collection_id) / segment.name;
      if (collection.fitted && !collection.HasVectors() && !FindSegmentDamage(folder, segment)) {
        continue;
      }
      ReplaceSegment(publication, collection, segment, state.get());
    }
    CollectGarbage(paths_, catalog);
  }

  StorePaths paths_;
  StoreContext context_;
};

}  // namespace

std::unique_ptr<KnowledgeStore> KnowledgeStore::Open(const std::filesystem::path& folder,
                                                     StoreContext context) {
  return std::make_unique<StoreImpl>(folder, context);
}

}  // namespace sworn::store
