// The forward index of a segment, terms.bin: each chunk's term row and each term's spread. Made
// from the same postings as the keyword index; bytes in docs/formats/store.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/file.h"
#include "core/mapped_file.h"
#include "core/term_rows.h"
#include "core/types.h"

namespace sworn::store {

/// A place in a file's table of terms, and how often the term stands in a row.
struct IndexedCount {
  std::uint32_t term = 0;
  std::uint32_t count = 0;
};

/// Reads a file where it lies. Immutable after construction, so threads may share it.
class TermFile {
 public:
  /// Throws kIntegrity unless the file's tables are sound; rows are checked as they are read.
  explicit TermFile(const std::filesystem::path& path);

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::span<const TermKey> keys() const noexcept { return keys_; }

  /// Ids ascend with the rows.
  [[nodiscard]] ChunkId IdOf(std::size_t row) const noexcept;
  [[nodiscard]] std::optional<std::size_t> FindRow(ChunkId id) const noexcept;

  /// The row's terms, ascending. Throws kIntegrity.
  [[nodiscard]] std::vector<TermCount> Read(std::size_t row) const;
  /// As above with places in keys(); replaces what `entries` held.
  void ReadIndexed(std::size_t row, std::vector<IndexedCount>& entries) const;

  /// Of the term at a place in keys(), over the rows.
  [[nodiscard]] TermSpread SpreadAt(std::size_t place) const noexcept {
    return {occurrences_[place], count_log_counts_[place]};
  }

 private:
  [[nodiscard]] std::uint64_t EndOf(std::size_t row) const noexcept;
  void ReadTables();
  template <typename Visit>
  void Decode(std::size_t row, Visit&& visit) const;

  std::unique_ptr<const MappedFile> file_;  // its bytes stay where they are when this is moved
  std::size_t rows_ = 0;
  std::span<const TermKey> keys_;
  std::span<const std::uint64_t> occurrences_;
  std::span<const double> count_log_counts_;
  std::span<const std::uint8_t> encoded_;   // the rows
  std::span<const std::uint8_t> row_ends_;  // 8 bytes each, at no alignment
  std::span<const std::uint8_t> ids_;       // 4 bytes each, likewise
};

/// Writes a new file through `ops`, without fsync. `ids` ascend, one a row.
void WriteTermFile(FileOps& ops, const std::filesystem::path& path, std::span<const ChunkId> ids,
                   const TermRows& rows);

/// Joins files, whose ids ascend in the order given, to one that holds the rows that `keep` wants:
/// the same bytes as if it had been written from those rows at once. Without fsync.
void MergeTermFiles(FileOps& ops, const std::filesystem::path& path,
                    std::span<const TermFile* const> sources,
                    const std::function<bool(ChunkId)>& keep);

}  // namespace sworn::store
