#include "store/segment.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include <sys/stat.h>

#include "core/crypto.h"
#include "core/error.h"
#include "core/text/analyzer.h"
#include "store/faiss_index.h"
#include "store/segment_builder.h"

namespace sworn::store {

namespace fs = std::filesystem;

std::vector<SegmentFile> DescribeFiles(const fs::path& segment_folder,
                                       const std::function<bool(const std::string& path)>& wanted) {
  std::vector<SegmentFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(segment_folder)) {
    if (!entry.is_regular_file()) continue;
    std::string path = entry.path().lexically_relative(segment_folder).native();
    if (wanted && !wanted(path)) continue;
    files.push_back(
        {std::move(path), entry.file_size(), ToHex(Sha256OfFile(entry.path().native()))});
  }
  std::sort(files.begin(), files.end(),
            [](const SegmentFile& a, const SegmentFile& b) { return a.path < b.path; });
  return files;
}

std::optional<std::string> FindFileDamage(const fs::path& segment_folder, const SegmentFile& file,
                                          CheckedFiles* checked) {
  const fs::path path = segment_folder / file.path;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return file.path + ": " + std::generic_category().message(errno);
  }
  if (static_cast<std::uint64_t>(info.st_size) != file.bytes) return file.path + ": size differs";
  const CheckedFiles::value_type key(info.st_dev, info.st_ino, file.sha256);
  if (checked != nullptr && checked->contains(key)) return std::nullopt;
  try {
    if (ToHex(Sha256OfFile(path.native())) != file.sha256) return file.path + ": digest differs";
  } catch (const Error& failure) {
    return failure.what();
  }
  if (checked != nullptr) checked->insert(key);
  return std::nullopt;
}

std::optional<std::string> FindSegmentDamage(const fs::path& segment_folder,
                                             const SegmentRow& segment, CheckedFiles* checked) {
  if (segment.format != kSegmentFormat) return "made in another format";
  if (segment.analyzer_version != text::kAnalyzerVersion) return "made by another analyzer";
  if (segment.files.empty()) return "the catalog names no file";
  for (const SegmentFile& file : segment.files) {
    if (auto damage = FindFileDamage(segment_folder, file, checked)) return damage;
  }
  return std::nullopt;
}

std::vector<VectorListsInfo> VectorListsOf(const StorePaths& paths,
                                           const std::string& collection_id,
                                           const std::vector<SegmentRow>& segments) {
  std::vector<VectorListsInfo> infos;
  for (const SegmentRow& segment : segments) {
    const auto facts = ReadVectorFacts(paths.segments(collection_id) / segment.name / kVectorFile);
    if (!facts || facts->lists == 1) continue;
    infos.push_back({facts->rows, facts->lists, facts->probes, facts->recall_at_10});
  }
  return infos;
}

void MakePrivate(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const mode_t mode = entry.is_directory() ? 0700 : 0600;
    if (::chmod(entry.path().c_str(), mode) != 0) {
      throw SystemError(errno, "cannot make private", entry.path().native());
    }
  }
}

void MoveIntoPlace(FileOps& files, const StorePaths& paths, const std::string& collection_id,
                   const std::string& name) {
  const fs::path built = paths.temporary() / name;
  const fs::path target = paths.segments(collection_id);
  SyncTree(files, built);
  CreatePrivateFolder(target);
  files.SyncFolder(paths.index());
  files.Rename(built, target / name);
  files.SyncFolder(target);
}

namespace {

BuildContent ReadBack(SqliteConnection& catalog, const CollectionRow& collection,
                      const SegmentRow& plan, ContentId content_id) {
  BuildContent content;
  content.content_id = content_id;
  const ContentHead head = LoadContentHead(catalog, content_id);
  content.title = head.title;
  content.language = head.language;
  content.text = LoadContentText(catalog, content_id);
  for (const ChunkRow& row : LoadChunkRows(catalog, content_id)) {
    if (content.first_chunk == 0) content.first_chunk = row.chunk.chunk_id;
    static_cast<void>(ChunkText(row, content.text));  // checks range and digest
    content.chunks.push_back({row.chunk.range, row.chunk.heading, row.chunk.language, {}});
    if (!collection.fitted) {
      content.chunks.back().vector =
          LoadVector(catalog, plan.embedder, row.chunk.chunk_id, collection.dimension);
    }
  }
  return content;
}

}  // namespace

SegmentRow BuildFromCatalog(FileOps& files, const StorePaths& paths, SqliteConnection& catalog,
                            const CollectionRow& collection, SegmentRow plan,
                            const FittedState* state) {
  constexpr std::size_t kRebuildThreads = 2;  // a rebuild keeps somebody waiting
  plan.name = RandomBase32Id();
  plan.collection = collection.id;
  plan.analyzer_version = text::kAnalyzerVersion;
  plan.format = kSegmentFormat;
  const fs::path folder = paths.temporary() / plan.name;
  {
    SegmentBuilder builder(files, folder, collection.dimension, kRebuildThreads);
    for (const ContentId content_id : ContentsOfSegment(catalog, plan)) {
      builder.Add(ReadBack(catalog, collection, plan, content_id));
    }
    builder.Finish(state);
    plan.chunks = builder.chunks();
  }
  plan.files = DescribeFiles(folder);
  MoveIntoPlace(files, paths, collection.collection_id, plan.name);
  return plan;
}

void CollectGarbage(const StorePaths& paths, SqliteConnection& catalog) {
  std::set<std::string> wanted;
  SqliteStatement rows = catalog.Prepare("SELECT name FROM segment");
  while (rows.Step()) wanted.insert(rows.Text(0));
  std::error_code ignored;
  for (const auto& collection : fs::directory_iterator(paths.index(), ignored)) {
    for (const auto& segment : fs::directory_iterator(collection.path(), ignored)) {
      const std::string name = segment.path().filename().native();
      if (wanted.contains(name)) continue;
      const auto lock = FileLock::TryAcquireExisting(segment.path(), FileLock::Mode::kExclusive);
      if (lock == nullptr) continue;  // a reader holds it
      // Out of the way at once, so that no reader meets a folder that is half gone.
      const fs::path aside = paths.temporary() / name;
      fs::rename(segment.path(), aside, ignored);
      if (!ignored) fs::remove_all(aside, ignored);
    }
    fs::remove(collection.path(), ignored);  // only when empty
  }
}

}  // namespace sworn::store
