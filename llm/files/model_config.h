// The numbers that shape a model, read from its metadata and checked against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "llm/files/model_file.h"

namespace sworn::llm {

enum class Activation { kRelu2, kSilu };

/// Where a rotated pair of a head stands in the file: (i, i + half) or (2i, 2i + 1). Rows of the
/// second kind are reordered when weights are loaded, so the engine knows the first alone.
enum class RopePairs { kHalves, kInterleaved };

struct ModelConfig {
  std::string architecture;  // "bitnet-b1.58", "bitnet-25", "bitnet", "llama"
  std::string name;
  std::size_t vocabulary = 0;
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;  // even
  std::size_t ffn = 0;
  std::size_t context = 0;  // positions it was trained for
  float norm_epsilon = 1e-5F;
  float rope_theta = 10'000.0F;
  Activation activation = Activation::kSilu;
  RopePairs rope_pairs = RopePairs::kHalves;
  bool sub_norms = false;  // attn_sub_norm and ffn_sub_norm stand before the output projections
  /// Ternary weights get int8 activations; false: all linear layers are dense.
  bool ternary = false;

  [[nodiscard]] std::size_t attention_width() const { return heads * head_dim; }
  [[nodiscard]] std::size_t kv_width() const { return kv_heads * head_dim; }
};

/// Throws kUnsupportedMedia for an architecture that is not built, kIntegrity for numbers that
/// are missing, out of bounds or do not fit each other or the tensors; the message names them.
ModelConfig ReadModelConfig(const ModelFile& file);

}  // namespace sworn::llm
