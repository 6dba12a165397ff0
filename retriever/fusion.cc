#include "retriever/fusion.h"

#include <algorithm>
#include <map>

namespace sworn::retriever {
namespace {

bool Better(const LegCandidate& a, const LegCandidate& b) {
  if (a.tier != b.tier) return a.tier > b.tier;
  if (a.score != b.score) return a.score > b.score;
  return a.chunk_id < b.chunk_id;
}

/// Collects every chunk with its place in each leg; scores are still 0.
std::vector<FusedChunk> Place(std::span<const Leg> legs) {
  std::map<ChunkId, FusedChunk> by_id;
  for (std::size_t leg = 0; leg < legs.size(); ++leg) {
    std::vector<LegCandidate> sorted(legs[leg].candidates.begin(), legs[leg].candidates.end());
    std::sort(sorted.begin(), sorted.end(), Better);
    std::uint32_t rank = 0;
    for (const LegCandidate& candidate : sorted) {
      FusedChunk& fused = by_id[candidate.chunk_id];
      fused.chunk_id = candidate.chunk_id;
      fused.tier = std::max(fused.tier, candidate.tier);
      fused.legs.resize(legs.size());
      fused.legs[leg] = {++rank, candidate.score};
    }
  }
  std::vector<FusedChunk> result;
  result.reserve(by_id.size());
  for (auto& [id, fused] : by_id) result.push_back(std::move(fused));
  return result;
}

void SortFused(std::vector<FusedChunk>& chunks) {
  std::sort(chunks.begin(), chunks.end(), [](const FusedChunk& a, const FusedChunk& b) {
    if (a.tier != b.tier) return a.tier > b.tier;
    if (a.score != b.score) return a.score > b.score;
    return a.chunk_id < b.chunk_id;
  });
}

}  // namespace

std::vector<FusedChunk> FuseConvex(std::span<const Leg> legs) {
  std::vector<FusedChunk> chunks = Place(legs);
  double total_weight = 0;
  std::vector<double> best(legs.size(), 0);
  for (std::size_t leg = 0; leg < legs.size(); ++leg) {
    total_weight += legs[leg].weight;
    for (const LegCandidate& candidate : legs[leg].candidates) {
      best[leg] = std::max(best[leg], candidate.score);
    }
  }
  for (FusedChunk& chunk : chunks) {
    for (std::size_t leg = 0; leg < legs.size(); ++leg) {
      if (best[leg] <= 0 || total_weight <= 0) continue;
      const double share = std::max(0.0, chunk.legs[leg].score) / best[leg];
      chunk.score += legs[leg].weight / total_weight * share;
    }
  }
  SortFused(chunks);
  return chunks;
}

std::vector<FusedChunk> FuseReciprocalRank(std::span<const Leg> legs, double k) {
  std::vector<FusedChunk> chunks = Place(legs);
  for (FusedChunk& chunk : chunks) {
    for (std::size_t leg = 0; leg < legs.size(); ++leg) {
      if (chunk.legs[leg].rank == 0) continue;
      chunk.score += legs[leg].weight / (k + chunk.legs[leg].rank);
    }
  }
  SortFused(chunks);
  return chunks;
}

}  // namespace sworn::retriever
