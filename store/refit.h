// When a collection's embedder is fitted, and how the new vectors take the old ones' place.
#pragma once

#include "core/embedder.h"
#include "store/publish.h"

namespace sworn::store {

/// Fewer live chunks than this are not fitted to.
inline constexpr std::uint64_t kMinFitChunks = 20;
/// An embedder fitted to fewer is fitted again whenever something came.
inline constexpr std::uint64_t kSmallFitChunks = 100;
/// Of more live chunks, a random part of this many is fitted to.
inline constexpr std::uint64_t kMaxFitChunks = 100000;

/// Whether enough has come since the last fit: half as much as was fitted to.
bool FitIsDue(SqliteConnection& catalog, const CollectionRow& collection);

/// Fits an embedder to the live chunks and publishes segments with its vectors, whose other files
/// are those of the present ones, as the next generation. Where nothing can be fitted, that is
/// remembered and the collection stays as it is. Throws kIntegrity if a segment is damaged. The
/// collection is `factory`'s, and nothing is pending.
void Refit(const Publication& publication, const CollectionRow& collection,
           const TermEmbedderFactory& factory);

/// For a state that is lost: the collection is as if nothing had been fitted yet. Readers of the
/// present generation that hold the state open go on with it.
void Unfit(const Publication& publication, const CollectionRow& collection);

}  // namespace sworn::store
