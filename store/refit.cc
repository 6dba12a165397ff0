#include "store/refit.h"

#include <algorithm>
#include <cerrno>
#include <random>

#include <fcntl.h>

#include "core/crypto.h"
#include "core/error.h"
#include "store/catalog_write.h"
#include "store/fitted.h"
#include "store/index_job.h"
#include "store/staging.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFitSeed = 20120229;

/// The live chunks of a published generation.
struct LiveChunks {
  std::uint64_t count = 0;
  std::uint64_t since_fit = 0;  // of contents that came after the last fit
  ContentId last_content = 0;
};

LiveChunks CountLive(SqliteConnection& catalog, const CollectionRow& collection) {
  SqliteStatement row = catalog.Prepare(
      "SELECT coalesce(sum(chunk_count), 0), "
      "coalesce(sum(CASE WHEN id > ?3 THEN chunk_count END), 0), coalesce(max(id), 0) "
      "FROM content WHERE collection = ?1 AND added_generation <= ?2 "
      "AND (removed_generation IS NULL OR removed_generation > ?2)");
  row.Bind(1, collection.id)
      .Bind(2, static_cast<std::int64_t>(collection.published))
      .Bind(3, std::int64_t{collection.fit_content});
  row.Step();
  return {static_cast<std::uint64_t>(row.Int(0)), static_cast<std::uint64_t>(row.Int(1)),
          static_cast<ContentId>(row.Int(2))};
}

/// Marks the chunk ids to fit to: all live ones, of too many a random sample.
std::vector<bool> Choose(const std::vector<ContentRow>& live, std::uint64_t count) {
  std::vector<bool> sample;
  std::mt19937_64 random{kFitSeed};
  std::uint64_t wanted = std::min(count, kMaxFitChunks);
  std::uint64_t left = count;
  for (const ContentRow& content : live) {
    const std::size_t end = content.first_chunk + content.chunk_count;
    if (end > sample.size()) sample.resize(end);
    for (std::size_t id = content.first_chunk; id < end; ++id, --left) {
      // Each of the `left` chunks is as likely as the others to be among the `wanted`.
      if (wanted != left && random() % left >= wanted) continue;
      sample[id] = true;
      --wanted;
    }
  }
  return sample;
}

/// Rows of the chunks that are marked, by segment.
TermRows ReadMarked(const std::vector<TermFile>& files, const std::vector<bool>& marks) {
  TermRows rows;
  for (const TermFile& file : files) {
    for (std::size_t row = 0; row < file.rows(); ++row) {
      const ChunkId id = file.IdOf(row);
      if (id < marks.size() && marks[id]) rows.Add(file.Read(row));
    }
  }
  return rows;
}

/// Opens the segments' term files; a flipped bit would go into the new vectors unseen.
std::vector<TermFile> OpenTerms(const fs::path& folder, const std::vector<SegmentRow>& segments) {
  std::vector<TermFile> files;
  for (const SegmentRow& segment : segments) {
    if (const auto damage = FindSegmentDamage(folder / segment.name, segment)) {
      throw Error(ErrorCode::kIntegrity, "segment " + segment.name + "/" + *damage);
    }
    files.emplace_back(folder / segment.name / kTermFile);
  }
  return files;
}

void WriteState(FileOps& files, const fs::path& path, const std::string& state) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) throw SystemError(errno, "cannot write", path.native());
  files.Write(fd.get(), state, path);
}

bool IsKept(const SegmentFile& file) {
  return file.path == kTermFile || file.path.starts_with(std::string(kChunkPostings) + "/") ||
         file.path.starts_with(std::string(kContentPostings) + "/");
}

/// Builds the folder of a segment that has the files of `source` and other vectors, in place. The
/// embedder is filled in later.
SegmentRow WithVectors(const Publication& publication, const CollectionRow& collection,
                       const SegmentRow& source, const TermFile& terms, const FittedState& state) {
  const fs::path from = publication.paths.segments(collection.collection_id) / source.name;
  SegmentRow made = source;
  made.name = RandomBase32Id();
  made.files.clear();
  const fs::path folder = publication.paths.temporary() / made.name;
  CreatePrivateFolder(folder / kChunkPostings);
  CreatePrivateFolder(folder / kContentPostings);
  for (const SegmentFile& file : source.files) {
    if (!IsKept(file)) continue;
    LinkFile(from / file.path, folder / file.path);
    made.files.push_back(file);
  }
  LinkFile(state.path(), folder / kStateFile);
  WriteVectorFile(publication.context.files, folder / kVectorFile,
                  EmbedRows(terms, state.embedder()));
  MakePrivate(folder);
  for (SegmentFile& file : DescribeFiles(folder, [](const std::string& path) {
         return !IsKept({path, 0, {}});
       })) {
    made.files.push_back(std::move(file));
  }
  MoveIntoPlace(publication.context.files, publication.paths, collection.collection_id, made.name);
  return made;
}

}  // namespace

bool FitIsDue(SqliteConnection& catalog, const CollectionRow& collection) {
  const LiveChunks live = CountLive(catalog, collection);
  if (live.count < kMinFitChunks) return false;
  if (collection.fit_chunks == 0 || live.since_fit * 2 >= collection.fit_chunks) return true;
  return collection.fit_chunks < kSmallFitChunks && live.since_fit > 0;
}

void Refit(const Publication& publication, const CollectionRow& collection,
           const TermEmbedderFactory& factory) {
  SqliteConnection& catalog = publication.catalog;
  FileOps& files = publication.context.files;
  const fs::path folder = publication.paths.segments(collection.collection_id);
  const LiveChunks live = CountLive(catalog, collection);
  const std::vector<SegmentRow> former = LoadSegments(catalog, collection.id);
  std::vector<SegmentRow> made;
  std::optional<EmbedderIdentity> identity;
  {
    const std::vector<TermFile> terms = OpenTerms(folder, former);
    const std::vector<bool> sample = Choose(LoadLiveContents(catalog, collection), live.count);
    std::optional<std::string> bytes = factory.Fit(ReadMarked(terms, sample), kFitSeed);
    if (bytes) {
      const fs::path path = publication.paths.temporary() / kStateFile;
      WriteState(files, path, *bytes);
      bytes.reset();
      const FittedState state(path, factory);
      identity = state.embedder().identity();
      for (std::size_t i = 0; i < former.size(); ++i) {
        made.push_back(WithVectors(publication, collection, former[i], terms[i], state));
      }
      fs::remove(path);
    }
  }
  SqliteTransaction transaction(catalog);
  if (identity) {
    const std::int64_t base = EnsureEmbedder(catalog, factory.identity(), {true, 0});
    const std::int64_t row = EnsureEmbedder(catalog, *identity, {true, base});
    SetCollectionEmbedder(catalog, collection.id, row);
    for (const SegmentRow& segment : former) DeleteSegment(catalog, segment.name);
    for (SegmentRow& segment : made) {
      segment.embedder = row;
      InsertSegment(catalog, segment);
    }
    Staging(catalog, collection, collection.published + 1)
        .Publish(publication.context.clock.UtcMillis());
  }
  SetFit(catalog, collection.id, live.count, live.last_content);
  CommitStep(files, transaction, "publish fit");
}

void Unfit(const Publication& publication, const CollectionRow& collection) {
  SqliteConnection& catalog = publication.catalog;
  SqliteTransaction transaction(catalog);
  SetCollectionEmbedder(catalog, collection.id, collection.base);
  catalog.Prepare("UPDATE segment SET embedder = ? WHERE collection = ?")
      .Bind(1, collection.base)
      .Bind(2, collection.id)
      .Run();
  catalog
      .Prepare(
          "DELETE FROM segment_file WHERE path = ? AND segment IN "
          "(SELECT name FROM segment WHERE collection = ?)")
      .Bind(1, kStateFile)
      .Bind(2, collection.id)
      .Run();
  CommitStep(publication.context.files, transaction, "unfit");
}

}  // namespace sworn::store
