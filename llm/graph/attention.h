// Causal attention of a block of tokens over paged caches. Internal to llm/.
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
#include "llm/graph/weights.h"

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

/// One layer's attention for one block of tokens, of one sequence or of several that do not see
/// each other. The members are what it reads and writes; everything outlives it.
///
/// Pages are walked in ascending order from position 0 in steps aligned to absolute positions,
/// whatever block a token came in, so a token's output has the same bits in every split.
class AttentionStep {
 public:
  /// Some tokens of the block that follow each other.
  struct Sequence {
    std::size_t first_token;  // of the block
    std::size_t tokens;
    std::size_t wanted;     // the last so many of them get an output
    std::size_t first_row;  // of the first of those in `queries` and `out`
    KvCache* cache;
  };
  struct Block {
    std::size_t cache_layer;     // of the caches' pages
    std::size_t first_position;  // of every sequence; row i of the rope is that of token i of each
    std::span<const Sequence> sequences;
    const LayerWeights* weights;
    const RopeTable* rope;
    const float* queries;  // [wanted, heads * head_dim], neither normed nor rotated
    float* keys;           // [tokens, kv_heads * head_dim]; normed and rotated in place
    const float* values;   // [tokens, kv_heads * head_dim]
    float* out;            // [wanted, heads * head_dim]
  };

  AttentionStep(const ModelConfig& config, const kernels::KernelTable& kernels,
                std::span<AttentionScratch> scratch)
      : config_(config), kernels_(kernels), scratch_(scratch) {}

  /// Writes the keys and values to the caches' reserved pages and computes the output.
  void Run(const Block& block, ThreadTeam& team) const;

 private:
  // Tokens begin to end - 1 of a sequence, for one key/value head.
  struct Part {
    const Sequence* sequence;
    std::size_t kv_head;
    std::size_t begin;
    std::size_t end;
  };

  [[nodiscard]] std::vector<Part> PagesOf(const Block& block, const Sequence& sequence,
                                          std::size_t kv_head) const;
  void Store(const Block& block, const Part& part, AttentionScratch& scratch) const;
  void Attend(const Block& block, const Part& part, AttentionScratch& scratch) const;
  void TurnHead(float* head, const std::vector<float>& norm, const RopeTable& rope,
                std::size_t token) const;

  const ModelConfig& config_;
  const kernels::KernelTable& kernels_;
  std::span<AttentionScratch> scratch_;  // one for each thread of the team
};

}  // namespace sworn::llm
