// Reads all that a model file gives out, as the engine would.
#pragma once

#include <cstddef>
#include <vector>

#include "core/error.h"
#include "kernels/kernels.h"
#include "llm/files/dequantize.h"
#include "llm/files/model_config.h"
#include "llm/files/model_file.h"
#include "tests/fuzz/require.h"

namespace sworn::test {

inline void ReadTensor(const llm::ModelFile& file, const llm::TensorView& tensor) {
  constexpr std::size_t kMaxColumns = 1'000'000;  // longer rows teach nothing more
  Require(file.Find(tensor.name) != nullptr);
  Require(!tensor.shape.empty());
  std::size_t sum = 0;
  for (const std::uint8_t byte : tensor.bytes) sum += byte;
  Require(sum <= tensor.bytes.size() * 255);
  const std::size_t last = tensor.rows() - 1;
  if (tensor.columns() > kMaxColumns || tensor.shape.size() > 2) return;
  if (llm::CanWiden(tensor.dtype)) {
    std::vector<float> row(tensor.columns());
    llm::WidenRow(tensor, last, *kernels::FindKernels("scalar"), row.data());
  }
  if (llm::IsTernary(tensor.dtype)) {
    std::vector<std::int8_t> row(tensor.columns());
    llm::TernaryScale(file, tensor);
    llm::TernaryRows(tensor, last, 1, row.data());
    for (const std::int8_t value : row) Require(value >= -1 && value <= 1);
  }
}

inline void ReadModel(const llm::ModelFile& file) {
  for (const llm::TensorView& tensor : file.tensors()) {
    try {
      ReadTensor(file, tensor);
    } catch (const Error&) {  // a scale or code that is none
    }
  }
  const llm::ModelConfig config = llm::ReadModelConfig(file);
  Require(config.heads % config.kv_heads == 0 && config.head_dim % 4 == 0);
  Require(file.Find("token_embd.weight")->rows() == config.vocabulary);
}

}  // namespace sworn::test
