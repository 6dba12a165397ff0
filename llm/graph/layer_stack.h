// The layers of a decoder over one block of tokens, of one sequence or of several that do not see
// each other. Internal to llm/.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

#include "core/cancel.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/attention.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/linear.h"
#include "llm/graph/model.h"
#include "llm/graph/rope.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// Tokens of one sequence.
struct BlockSequence {
  std::span<const Token> tokens;  // at least one
  std::size_t want;               // hidden states of the last so many come out
  KvCache* cache;                 // the pages of these positions are reserved
};

/// The buffers of one block at a time over a shared model; not thread-safe.
class LayerStack {
 public:
  /// What the caches keep: keys and values of every layer, or only those of the layer that is at
  /// work, for blocks that nothing follows. Their pages have so many layers.
  enum class Keeps { kAllLayers, kOneLayer };

  /// For blocks of at most `block_tokens` tokens. Model and team must outlive it.
  LayerStack(const Model& model, ThreadTeam& team, std::size_t block_tokens, Keeps keeps);

  /// Throws kInvalidArgument for an id outside the vocabulary.
  void CheckTokens(std::span<const Token> tokens) const;

  /// Computes the tokens of all sequences, which begin at `position`, and appends the wanted
  /// hidden states, after the output norm, to `hidden`: [hidden] each. The bits of a state depend
  /// on the tokens of its sequence up to it alone. Throws kCancelled between layers.
  void Run(std::span<const BlockSequence> sequences, std::size_t position, const CancelFlag& cancel,
           std::vector<float>& hidden);

 private:
  using Readers = std::initializer_list<const Linear*>;

  void Embed(std::span<const BlockSequence> sequences, std::size_t position);
  void EmbedSome(std::span<const Token> tokens, std::size_t first);
  void RunLayer(std::size_t index, std::size_t position);
  void Attend(std::size_t index, std::size_t position);
  /// Keeps only the rows of the residual that are wanted of the sequences.
  void KeepWanted();
  /// The inputs of `readers`: rms(rows) * norm, or the rows themselves without a norm, for each of
  /// them that has a norm of its own under that one.
  void PrepareInputs(const float* rows, std::size_t columns, const std::vector<float>& norm,
                     Readers readers, std::size_t tokens);
  /// What PrepareInputs made for reader `index` of those it was given.
  [[nodiscard]] const LinearInput* InputOf(std::size_t index) const noexcept;
  /// residual += W x, or rms(W x) * norm.
  void AddProduct(const Linear& linear, const std::vector<float>& norm, std::size_t tokens);

  const ModelConfig& config_;
  const ModelFile& file_;
  const Weights& weights_;
  const kernels::KernelTable& kernels_;
  ThreadTeam& team_;
  Keeps keeps_;

  RopeTable rope_;
  RopeTable local_rope_;               // of local layers; empty if the model has none
  std::array<LinearInput, 3> inputs_;  // more than the first only for norms of projections
  std::vector<PanelScratch> panel_scratch_;
  std::vector<AttentionScratch> attention_scratch_;
  std::vector<AlignedArray<float>> row_scratch_;  // two rows of the widest input for each thread

  // Of the block at work.
  std::vector<AttentionStep::Sequence> sequences_;
  std::size_t tokens_ = 0;
  std::size_t wanted_ = 0;

  AlignedArray<float> residual_;   // [block_tokens, hidden]
  AlignedArray<float> queries_;    // [block_tokens, heads * head_dim]
  AlignedArray<float> keys_;       // [block_tokens, kv_heads * head_dim]
  AlignedArray<float> values_;     // [block_tokens, kv_heads * head_dim]
  AlignedArray<float> attention_;  // [block_tokens, heads * head_dim]
  AlignedArray<float> ffn_;        // [block_tokens, ffn]
  AlignedArray<float> product_;    // [block_tokens, hidden], where there are post norms
  std::size_t mapped_rows_ = 0;    // of the embedding, read since its pages were let go
};

}  // namespace sworn::llm
