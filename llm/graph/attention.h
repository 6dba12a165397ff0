// Causal attention of a block of tokens over a paged cache. Internal to llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/model_config.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/rope.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// The scratch of one thread: queries and the state of the online softmax.
class AttentionScratch {
 public:
  explicit AttentionScratch(const ModelConfig& config);

 private:
  friend class AttentionStep;

  AlignedArray<float> queries_;      // [rows, head_dim]
  AlignedArray<float> accumulator_;  // [rows, head_dim]
  std::vector<float> max_;           // [rows]
  std::vector<float> sum_;           // [rows]
  std::vector<std::uint32_t> visible_;
  std::vector<std::uint16_t> narrow_;  // [kPagePositions, head_dim]
};

/// One layer's attention for one block of tokens at positions first_position on. The members are
/// what it reads and writes; everything outlives it.
///
/// Pages are walked in ascending order from position 0 in steps aligned to absolute positions,
/// whatever block a token came in, so a token's output has the same bits in every split.
class AttentionStep {
 public:
  struct Block {
    std::size_t layer;
    std::size_t first_position;
    std::size_t tokens;
    std::size_t first_query;  // tokens before it get no output
    const float* queries;     // [tokens, heads * head_dim], not rotated
    float* keys;              // [tokens, kv_heads * head_dim], not rotated; rotated in place
    const float* values;      // [tokens, kv_heads * head_dim]
    float* out;               // [tokens, heads * head_dim]
  };

  AttentionStep(const ModelConfig& config, const kernels::KernelTable& kernels,
                const RopeTable& rope, std::span<AttentionScratch> scratch)
      : config_(config), kernels_(kernels), rope_(rope), scratch_(scratch) {}

  /// Writes the keys and values to the cache's reserved pages and computes the output.
  void Run(const Block& block, KvCache& cache, ThreadTeam& team) const;

 private:
  void Store(const Block& block, std::size_t kv_head, std::size_t begin, std::size_t end,
             KvCache& cache, AttentionScratch& scratch) const;
  void Attend(const Block& block, std::size_t kv_head, std::size_t begin, std::size_t end,
              const KvCache& cache, AttentionScratch& scratch) const;

  const ModelConfig& config_;
  const kernels::KernelTable& kernels_;
  const RopeTable& rope_;
  std::span<AttentionScratch> scratch_;  // one for each thread of the team
};

}  // namespace sworn::llm
