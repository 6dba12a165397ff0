// Several ranked lists into one: pure functions of their arguments. The order of candidates within
// a list does not matter, ties fall to the smaller chunk id, and a chunk of a higher tier is never
// outranked by one of a lower tier.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/types.h"

namespace sworn::retriever {

/// A chunk that one leg found. Ids are distinct within a leg.
struct LegCandidate {
  ChunkId chunk_id = 0;
  double score = 0;  // higher is better; negative scores count as 0 in the combination
  std::uint32_t tier = 0;
};

struct Leg {
  double weight = 1;  // >= 0
  std::span<const LegCandidate> candidates;
};

/// Where a leg put a chunk.
struct LegPlace {
  std::uint32_t rank = 0;  // 1-based by (tier, score, id); 0: the leg did not find it
  double score = 0;        // as the leg gave it
};

struct FusedChunk {
  ChunkId chunk_id = 0;
  std::uint32_t tier = 0;  // the highest that any leg gives it
  double score = 0;
  std::vector<LegPlace> legs;  // one per leg, in the order of the legs
};

/// Convex combination: sum over legs of weight / total weight * score / (best score of the leg),
/// missing = 0. The result lies in [0, 1] and is sorted by (tier desc, score desc, chunk id).
std::vector<FusedChunk> FuseConvex(std::span<const Leg> legs);

/// Reciprocal rank fusion (Cormack et al., 2009), sum of weight / (k + rank); for comparison, it
/// loses to the convex combination when one leg is much weaker. Sorted as above.
std::vector<FusedChunk> FuseReciprocalRank(std::span<const Leg> legs, double k = 60);

}  // namespace sworn::retriever
