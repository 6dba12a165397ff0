// Embedders that are fitted to a collection, as the store holds them: the state, a file that all
// segments of the collection share, and the vectors made with it.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/embedder.h"
#include "core/mapped_file.h"
#include "store/faiss_index.h"
#include "store/segment.h"
#include "store/term_file.h"

namespace sworn::store {

/// A fitted embedder and the mapped file that it reads. Immutable; threads may share it.
class FittedState {
 public:
  /// Of a file whose digest was checked; throws kIntegrity unless it is a state of `factory`.
  FittedState(const std::filesystem::path& path, const TermEmbedderFactory& factory);

  [[nodiscard]] const TermEmbedder& embedder() const noexcept { return *embedder_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path(); }

 private:
  MappedFile file_;
  std::unique_ptr<const TermEmbedder> embedder_;
};

/// Whether `factory` made the state of the collection's embedder. It may be null.
bool IsStateOf(const CollectionRow& collection, const TermEmbedderFactory* factory);

/// The state of a collection from a segment that has it whole; null if the collection has none,
/// `factory` did not make it or no whole copy is left.
std::unique_ptr<const FittedState> FindState(const StorePaths& paths, SqliteConnection& catalog,
                                             const CollectionRow& collection,
                                             const TermEmbedderFactory* factory);

/// The unit vector of a question's row, moved by half the mean vector of the rows of `feedback`
/// (Rocchio 1971); empty if the embedder knows no term of the question. The same bits for any
/// thread.
std::vector<float> MovedQuery(const TermEmbedder& embedder, const TermRows& query,
                              const TermRows& feedback);

/// Vectors of all rows of a segment.
VectorRows EmbedRows(const TermFile& terms, const TermEmbedder& embedder);

/// A second name for an immutable file; a copy where the file system has no hard links.
void LinkFile(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace sworn::store
