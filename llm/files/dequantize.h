// The numbers of a tensor, row by row, whatever type they are stored in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/kernels.h"
#include "llm/files/model_file.h"
#include "llm/files/tensor.h"

namespace sworn::llm {

/// True for the types that WidenRow reads.
bool CanWiden(DType dtype) noexcept;

/// Row `row` of a matrix (or the whole vector, row 0) as `columns` floats; exact for every type:
/// F32, F16, BF16, Q8_0, Q6_K, and TQ1_0 and TQ2_0 with their block scales.
void WidenRow(const TensorView& tensor, std::size_t row, const kernels::KernelTable& kernels,
              float* out);

/// The one scale of a ternary tensor so that weight = scale * value: the tail of I2_S, the common
/// block scale of TQ1_0 and TQ2_0, the tensor "<name without .weight>.scale" of the packed types
/// (kPackedUint8: already inverted where the model's weight_scale divides). Nothing if the blocks
/// of a TQ tensor differ. Throws kIntegrity for a scale that is missing, not finite or not
/// positive.
std::optional<float> TernaryScale(const ModelFile& file, const TensorView& tensor);

/// Rows first to first + count - 1 of a ternary tensor as -1, 0, 1: row-major [count, columns].
/// Throws kIntegrity for an invalid code.
void TernaryRows(const TensorView& tensor, std::size_t first, std::size_t count, std::int8_t* out);

}  // namespace sworn::llm
