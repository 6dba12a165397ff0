// Vector indexes: one FAISS file of 8-bit codes per segment, and beside it the exact rows, which
// stay on disk. FAISS's exceptions become sworn::Error here.
//
// A query is compared with the codes by our own kernel; the best of them are scored again from the
// exact rows. Up to a size every code is compared; above it the codes are cut into lists around
// centroids and only the lists nearest to the query are (ADR 0020).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/file.h"
#include "core/types.h"
#include "kernels/kernels.h"

namespace faiss {
struct IndexIVFScalarQuantizer;
}

namespace sworn::store {

/// Vectors with their chunk ids; rows [ids.size(), dimension] of `values`, unit norm or zero.
struct VectorRows {
  std::uint32_t dimension = 0;
  std::vector<ChunkId> ids;
  std::vector<float> values;
};

/// Of one vector, and the largest magnitude of one component.
inline constexpr std::uint32_t kMaxDimension = 65'536;
inline constexpr float kMaxComponent = 1e15F;

/// More rows than this are cut into lists.
inline constexpr std::size_t kMaxScannedRows = 1'000'000;

/// How the rows of a vector file are searched. Recall is the share of the best hits of an exact
/// search by other rows of the file that the probed lists hold, measured when it was built.
struct VectorFileFacts {
  std::uint32_t dimension = 0;
  std::uint64_t rows = 0;
  std::uint32_t lists = 1;        // 1: every row is scanned
  std::uint32_t probes = 1;       // lists scanned for up to 10 hits
  double recall_at_10 = 1;        // by so many probes
  std::uint32_t deep_probes = 1;  // lists scanned for up to 100 hits
  double recall_at_100 = 1;

  friend bool operator==(const VectorFileFacts&, const VectorFileFacts&) = default;
};

/// Writes the rows to new files through `ops`, fsynced: `path`, and beside it the exact rows (.f32)
/// and what was measured (.json). The same rows give the same files on one machine. Throws
/// kInvalidArgument for a component that is no number or above kMaxComponent.
void WriteVectorFile(FileOps& ops, const std::filesystem::path& path, const VectorRows& rows,
                     std::size_t max_scanned_rows = kMaxScannedRows);

/// What the file beside `path` says, if it is there and whole.
std::optional<VectorFileFacts> ReadVectorFacts(const std::filesystem::path& path);

/// Immutable after construction, so threads may share it. Rows stand in an order of their own: by
/// list, then as they were written.
class VectorReader {
 public:
  /// Maps a file whose digest was checked; throws kIntegrity unless it is one of ours with this
  /// dimension.
  VectorReader(const std::filesystem::path& path, std::uint32_t dimension);
  ~VectorReader();
  VectorReader(VectorReader&&) noexcept;

  [[nodiscard]] std::uint32_t dimension() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] ChunkId IdOf(std::size_t row) const;
  /// Reads the exact row from disk to `to` [dimension]; throws kIntegrity or SystemError.
  void ReadRow(std::size_t row, std::span<float> to) const;

  [[nodiscard]] const VectorFileFacts& facts() const;
  /// The lists of codes, their ids being chunk ids.
  [[nodiscard]] const faiss::IndexIVFScalarQuantizer& index() const;
  /// The first row of a list.
  [[nodiscard]] std::size_t FirstRow(std::size_t list) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct VectorSearchOptions {
  std::size_t threads = 0;  // of one search; 0: as many as cores
  bool scan_all = false;    // every list, whatever was measured
  const kernels::KernelTable& table = *kernels::FindKernels({});
};

/// Best `limit` rows of all indexes that `accept` lets through, by inner product, then chunk id;
/// the same bits for any number of threads and any kernel table. `accept` is called from several
/// threads. Where it refuses most of what the probed lists hold, all lists are scanned. Throws
/// kInvalidArgument for a query of another dimension or with a component that is no number.
std::vector<ScoredChunk> SearchVectorIndexes(std::span<const VectorReader* const> indexes,
                                             std::span<const float> query, std::size_t limit,
                                             const std::function<bool(ChunkId)>& accept,
                                             const VectorSearchOptions& options = {});

}  // namespace sworn::store
