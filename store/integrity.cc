#include "store/integrity.h"

#include <algorithm>

#include "core/error.h"
#include "store/faiss_index.h"
#include "store/term_file.h"
#include "store/xapian_index.h"

namespace sworn::store {
namespace {

/// Runs `check` and notes its kIntegrity, if it throws one.
template <typename Check>
void Note(std::vector<IntegrityFault>& faults, const std::string& where, Check&& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIntegrity) throw;
    faults.push_back({where, error.what(), false});
  }
}

void CheckContents(SqliteConnection& catalog, const CollectionRow& collection,
                   std::vector<IntegrityFault>& faults) {
  SqliteStatement rows =
      catalog.Prepare("SELECT id, removed_generation IS NULL FROM content WHERE collection = ?");
  rows.Bind(1, collection.id);
  while (rows.Step()) {
    const auto content_id = static_cast<ContentId>(rows.Int(0));
    const bool live = rows.Int(1) != 0;
    Note(faults, "content " + std::to_string(content_id), [&] {
      const std::string text = LoadContentText(catalog, content_id);
      for (const ChunkRow& row : LoadChunkRows(catalog, content_id)) {
        const std::string where = "chunk " + std::to_string(row.chunk.chunk_id);
        Note(faults, where, [&] {
          static_cast<void>(ChunkText(row, text));
          // A fitted embedder's vectors are not there; a dead chunk's may have gone with an earlier
          // embedder.
          if (!live || collection.fitted) return;
          static_cast<void>(
              LoadVector(catalog, collection.embedder, row.chunk.chunk_id, collection.dimension));
        });
      }
    });
  }
}

/// Nothing if all indexes of a whole segment hold exactly the ids that the catalog names.
std::optional<std::string> FindDisagreement(const StorePaths& paths, SqliteConnection& catalog,
                                            const CollectionRow& collection,
                                            const SegmentRow& segment) {
  const auto folder = paths.segments(collection.collection_id) / segment.name;
  std::vector<std::uint32_t> contents;
  std::vector<std::uint32_t> chunks;
  for (const ContentId content_id : ContentsOfSegment(catalog, segment)) {
    contents.push_back(content_id);
    for (const ChunkRow& row : LoadChunkRows(catalog, content_id)) {
      chunks.push_back(row.chunk.chunk_id);
    }
  }
  if (PostingIds(folder / kContentPostings) != contents) return "contents: other documents";
  if (PostingIds(folder / kChunkPostings) != chunks) return "chunks: other passages";
  const TermFile terms(folder / kTermFile);
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < terms.rows(); ++row) {
    rows.push_back(terms.IdOf(row));
    static_cast<void>(terms.Read(row));
  }
  if (rows != chunks) return std::string(kTermFile) + ": other passages";
  if (!collection.HasVectors()) return std::nullopt;
  const bool has_state =
      std::any_of(segment.files.begin(), segment.files.end(),
                  [](const SegmentFile& file) { return file.path == kStateFile; });
  if (collection.fitted && !has_state) return std::string(kStateFile) + ": is missing";
  const VectorReader vectors(folder / kVectorFile, collection.dimension);
  std::vector<std::uint32_t> ids;
  for (std::size_t row = 0; row < vectors.size(); ++row) ids.push_back(vectors.IdOf(row));
  std::sort(ids.begin(), ids.end());
  if (ids != chunks) return "vectors.faiss: other passages";
  return std::nullopt;
}

}  // namespace

std::vector<IntegrityFault> CheckStore(const StorePaths& paths, SqliteConnection& catalog,
                                       const std::function<void(std::string_view what)>& progress,
                                       std::vector<SegmentFault>& segments) {
  std::vector<IntegrityFault> faults;
  const auto tell = [&](const std::string& what) {
    if (progress) progress(what);
  };
  tell("catalog");
  if (const auto damage = catalog.FindDamage()) faults.push_back({"catalog", *damage, false});
  for (const CollectionRow& collection : LoadCollections(catalog)) {
    tell("texts of " + collection.name);
    CheckContents(catalog, collection, faults);
    for (const SegmentRow& segment : LoadSegments(catalog, collection.id)) {
      tell("segment " + segment.name);
      const auto folder = paths.segments(collection.collection_id) / segment.name;
      const auto lock = FileLock::TryAcquireExisting(folder, FileLock::Mode::kShared);
      std::optional<std::string> fault = FindSegmentDamage(folder, segment);
      if (!fault) fault = FindDisagreement(paths, catalog, collection, segment);
      if (fault) segments.push_back({collection, segment, *fault});
    }
  }
  return faults;
}

}  // namespace sworn::store
