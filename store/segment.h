// Segments on disk: where they lie, how they get there, whether they are whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/file.h"
#include "core/sqlite.h"
#include "store/catalog_read.h"

namespace sworn::store {

inline constexpr const char* kChunkPostings = "chunks";
inline constexpr const char* kContentPostings = "contents";
inline constexpr const char* kVectorFile = "vectors.faiss";
inline constexpr const char* kTermFile = "terms.bin";
inline constexpr const char* kStateFile = "embedder.bin";  // of a fitted embedder

/// Raised whenever a segment's files have another layout; segments of another one are built anew.
inline constexpr int kSegmentFormat = 2;

class FittedState;

/// The places below a store's folder.
class StorePaths {
 public:
  explicit StorePaths(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path catalog() const { return folder_ / "catalog.db"; }
  [[nodiscard]] std::filesystem::path index() const { return folder_ / "index"; }
  [[nodiscard]] std::filesystem::path temporary() const { return folder_ / "tmp"; }
  [[nodiscard]] std::filesystem::path index_lock() const { return folder_ / "run" / "index.lock"; }
  [[nodiscard]] std::filesystem::path segments(const std::string& collection_id) const {
    return index() / collection_id;
  }

 private:
  std::filesystem::path folder_;
};

/// Every file of a finished segment that `wanted` names, with size and digest, by path.
std::vector<SegmentFile> DescribeFiles(
    const std::filesystem::path& segment_folder,
    const std::function<bool(const std::string& path)>& wanted = nullptr);

/// Files that were compared with their digests: one that several segments share is read once.
using CheckedFiles = std::set<std::tuple<std::uint64_t, std::uint64_t, std::string>>;

/// What is wrong with one file: "vectors.faiss: digest differs"; nothing when whole.
std::optional<std::string> FindFileDamage(const std::filesystem::path& segment_folder,
                                          const SegmentFile& file, CheckedFiles* checked = nullptr);

/// As above for all files of a segment.
std::optional<std::string> FindSegmentDamage(const std::filesystem::path& segment_folder,
                                             const SegmentRow& segment,
                                             CheckedFiles* checked = nullptr);

/// What the vector files of the segments that are cut into lists say of themselves.
std::vector<VectorListsInfo> VectorListsOf(const StorePaths& paths,
                                           const std::string& collection_id,
                                           const std::vector<SegmentRow>& segments);

/// Folders 0700, files 0600: Xapian takes them from the umask, which is not ours to set.
void MakePrivate(const std::filesystem::path& folder);

/// Makes a segment that was built in tmp/ durable and moves it to its place.
void MoveIntoPlace(FileOps& files, const StorePaths& paths, const std::string& collection_id,
                   const std::string& name);

/// Builds the segment that `plan` describes (name and files are filled in) from the catalog and
/// moves it into place. Nothing refers to it yet. `state` is that of a fitted embedder, else null.
SegmentRow BuildFromCatalog(FileOps& files, const StorePaths& paths, SqliteConnection& catalog,
                            const CollectionRow& collection, SegmentRow plan,
                            const FittedState* state);

/// Joins neighbouring segments of one embedder without the contents that left the collection's
/// published generation, and moves the result into place. Nothing refers to it yet.
SegmentRow MergeSegments(FileOps& files, const StorePaths& paths, SqliteConnection& catalog,
                         const CollectionRow& collection, const std::vector<SegmentRow>& sources);

/// More segments than this in a collection are merged.
inline constexpr std::size_t kMaxSegments = 8;

/// Neighbours to merge, [begin, end), empty when there are few enough.
struct MergeRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};
MergeRange PlanMerge(const std::vector<SegmentRow>& segments);

/// Deletes segment folders that the catalog does not name and no reader holds. Failures are left to
/// the next call: nothing depends on it but disk space.
void CollectGarbage(const StorePaths& paths, SqliteConnection& catalog);

}  // namespace sworn::store
