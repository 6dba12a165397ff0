// The weights of a model in the layout that the kernels read. Internal to llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/model_config.h"
#include "llm/files/model_file.h"
#include "llm/graph/packed_memory.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// A matrix [rows, columns] that multiplies activations: ternary (int8 activations, `panels` is
/// set) or dense (float activations, rows are widened from the file when they are needed).
struct Linear {
  std::size_t rows = 0;
  std::size_t columns = 0;
  const TensorView* tensor = nullptr;
  /// Of heads whose rotated pairs stand interleaved in the file: their rows are taken in the order
  /// of halves. 0: rows stand as they are used.
  std::size_t interleaved_head_dim = 0;
  const std::uint8_t* panels = nullptr;  // kernels/panels.h; null for a dense matrix
  float scale = 0;                       // weight = scale * ternary value
  std::vector<float> norm;               // [columns], of its input; empty in most models

  [[nodiscard]] bool ternary() const noexcept { return panels != nullptr; }
  [[nodiscard]] std::size_t panel_count() const noexcept {
    return (rows + kernels::kPanelRows - 1) / kernels::kPanelRows;
  }
  /// Where row `row`, as it is used, stands in the file.
  [[nodiscard]] std::size_t SourceRow(std::size_t row) const noexcept;
};

struct LayerWeights {
  std::vector<float> attention_norm;
  std::vector<float> ffn_norm;
  // Empty where the model has none, as ModelConfig says.
  std::vector<float> attention_sub_norm;   // [heads * head_dim]
  std::vector<float> ffn_sub_norm;         // [ffn]
  std::vector<float> query_norm;           // [head_dim], of each head
  std::vector<float> key_norm;             // [head_dim]
  std::vector<float> attention_post_norm;  // [hidden]
  std::vector<float> ffn_post_norm;        // [hidden]
  Linear query;                            // [heads * head_dim, hidden]
  Linear key;                              // [kv_heads * head_dim, hidden]
  Linear value;                            // [kv_heads * head_dim, hidden]
  Linear output;                           // [hidden, heads * head_dim]
  Linear gate;                             // [ffn, hidden]
  Linear up;                               // [ffn, hidden]
  Linear down;                             // [hidden, ffn]
};

/// Immutable after loading. Views into the model file, which must outlive it.
struct Weights {
  PackedMemory packed;
  std::vector<LayerWeights> layers;
  std::vector<float> output_norm;
  const TensorView* embedding = nullptr;      // [vocabulary, hidden]
  const TensorView* output_matrix = nullptr;  // the same, or "output.weight" where there is one
};

/// Checks every tensor against `config`, packs ternary matrices on the threads of `team` and lets
/// go of their pages in the file; a matrix that is stored as aligned panels is used where it is.
/// Throws kIntegrity naming the tensor that is missing, has a wrong shape or type or holds an
/// invalid code, and kUnsupportedMedia for a shape that the kernels do not compute.
std::unique_ptr<const Weights> LoadWeights(const ModelFile& file, const ModelConfig& config,
                                           const kernels::KernelTable& kernels, ThreadTeam& team);

}  // namespace sworn::llm
