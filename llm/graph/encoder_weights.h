// The weights of an encoder in the layout that the kernels read. Internal to llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/encoder_config.h"
#include "llm/files/model_file.h"
#include "llm/graph/aligned_array.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// y = W x + bias for a matrix [rows, columns]: int8 with a scale for each row (int8 activations,
/// `panels` is set) or dense (rows are widened from the file when they are needed).
struct BiasedLinear {
  std::size_t rows = 0;
  std::size_t columns = 0;
  const TensorView* tensor = nullptr;
  AlignedArray<std::uint8_t> panels;  // kernels/panels.h; null for a dense matrix
  std::vector<float> scales;          // [rows]: weight = scale * int8; empty for a dense matrix
  std::vector<float> bias;            // [rows]

  [[nodiscard]] std::size_t panel_count() const noexcept {
    return (rows + kernels::kPanelRows - 1) / kernels::kPanelRows;
  }
};

struct LayerNormWeights {
  std::vector<float> weight;
  std::vector<float> bias;
};

struct EncoderLayer {
  BiasedLinear query, key, value, output;  // [hidden, hidden]
  LayerNormWeights attention_norm;
  BiasedLinear up;    // [ffn, hidden]
  BiasedLinear down;  // [hidden, ffn]
  LayerNormWeights output_norm;
};

/// Immutable after loading. Views into the model file, which must outlive it.
struct EncoderWeights {
  const TensorView* words = nullptr;      // [vocabulary, hidden]
  const TensorView* positions = nullptr;  // [at least positions, hidden]
  std::vector<float> token_type;          // of the first segment; zeros where there are no types
  LayerNormWeights embedding_norm;
  std::vector<EncoderLayer> layers;
};

/// Packs int8 matrices on the threads of `team`. Throws kIntegrity naming the tensor that is
/// missing or has a wrong shape or type, or a number that is not finite.
EncoderWeights LoadEncoderWeights(const ModelFile& file, const EncoderConfig& config,
                                  const kernels::KernelTable& kernels, ThreadTeam& team);

}  // namespace sworn::llm
