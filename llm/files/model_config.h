// The numbers that shape a model, read from its metadata and checked against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "llm/files/model_file.h"

namespace sworn::llm {

/// kGelu is the tanh form.
enum class Activation { kRelu2, kSilu, kGelu };

/// Where a rotated pair of a head stands in the file: (i, i + half) or (2i, 2i + 1). Rows of the
/// second kind are reordered when weights are loaded, so the engine knows the first alone.
enum class RopePairs { kHalves, kInterleaved };

struct ModelConfig {
  std::string architecture;  // "bitnet-b1.58", "bitnet-25", "bitnet", "llama", "qwen3", "gemma3"
  std::string name;
  std::size_t vocabulary = 0;
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;  // even
  std::size_t ffn = 0;
  /// Positions it was trained for; at most its sliding window, so that no layer needs one.
  std::size_t context = 0;
  float norm_epsilon = 1e-5F;
  float rope_theta = 10'000.0F;
  float local_rope_theta = 0;      // of the layers in local_layers
  std::vector<bool> local_layers;  // by layer; empty if all have rope_theta
  float attention_scale = 1.0F;    // of the scores
  float embedding_scale = 1.0F;    // of the token embeddings
  Activation activation = Activation::kSilu;
  RopePairs rope_pairs = RopePairs::kHalves;
  bool sub_norms = false;  // attn_sub_norm and ffn_sub_norm stand before the output projections
  /// Every linear layer has a norm of its own in front of it (attn_q_norm_in and its like).
  bool projection_norms = false;
  bool head_norms = false;  // each head of queries and keys is normed before it is rotated
  bool post_norms = false;  // what attention and ffn give is normed before it is added
  /// The model gives vectors for texts and has no output matrix; false: it generates.
  bool embeds = false;
  /// Ternary weights get int8 activations; false: all linear layers are dense.
  bool ternary = false;

  [[nodiscard]] std::size_t attention_width() const { return heads * head_dim; }
  [[nodiscard]] std::size_t kv_width() const { return kv_heads * head_dim; }
  [[nodiscard]] bool is_local(std::size_t layer) const {
    return !local_layers.empty() && local_layers[layer];
  }
};

/// Throws kUnsupportedMedia for an architecture that is not built, kIntegrity for numbers that
/// are missing, out of bounds or do not fit each other or the tensors; the message names them.
ModelConfig ReadModelConfig(const ModelFile& file);

/// Whether the linear layers have norms of their own: a BitNet embedding model.
bool HasProjectionNorms(const ModelFile& file);

}  // namespace sworn::llm
