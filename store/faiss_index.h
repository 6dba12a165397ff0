// Vector indexes: one FAISS file of exact inner products per segment. FAISS's exceptions become
// sworn::Error here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/file.h"
#include "core/types.h"

namespace sworn::store {

/// Vectors with their chunk ids; rows [ids.size(), dimension] of `values`.
struct VectorRows {
  std::uint32_t dimension = 0;
  std::vector<ChunkId> ids;
  std::vector<float> values;
};

/// Writes the rows to a new file through `ops`, fsynced.
void WriteVectorFile(FileOps& ops, const std::filesystem::path& path, const VectorRows& rows);

/// Immutable after construction, so threads may share it.
class VectorReader {
 public:
  /// Reads a file whose digest was checked; throws kIntegrity unless it is one of ours with this
  /// dimension.
  VectorReader(const std::filesystem::path& path, std::uint32_t dimension);
  ~VectorReader();
  VectorReader(VectorReader&&) noexcept;

  [[nodiscard]] std::uint32_t dimension() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] ChunkId IdOf(std::size_t row) const;
  [[nodiscard]] std::span<const float> Row(std::size_t row) const;

  /// Inner product of row and query, with the same bits for any thread.
  [[nodiscard]] float Score(std::size_t row, std::span<const float> query) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Best `limit` rows of all indexes that `accept` lets through, by score, then chunk id. `accept`
/// is called from several threads.
std::vector<ScoredChunk> SearchVectorIndexes(std::span<const VectorReader* const> indexes,
                                             std::span<const float> query, std::size_t limit,
                                             const std::function<bool(ChunkId)>& accept);

}  // namespace sworn::store
