// How many bits of an embedding are kept. Rounding happens where a vector is made, so that what is
// compared is what is stored.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace sworn::llm {

/// The numbers of a vector as binary32, as binary16, or as one of 2^bits levels.
enum class VectorStorage { kF32, kF16, kInt8, kInt4, kInt2, kInt1 };

/// "f32", "f16", "i8", "i4", "i2", "i1": EmbedderIdentity::storage.
std::string_view StorageName(VectorStorage storage) noexcept;
std::optional<VectorStorage> StorageByName(std::string_view name) noexcept;

/// Rounds a vector in place. kF16: each number to binary16. The others: each number to one of the
/// levels -(2^b - 1), .., -3, -1, 1, 3, .., 2^b - 1 times a step, of which those are kept whose
/// vector has the smallest angle to the original among sixteen ranges, from the largest number
/// down to a thirtieth of it; then the whole has length 1. So it can be stored as b bits a number.
/// A vector of zeros stays. The same bits on every machine.
void RoundToStorage(VectorStorage storage, std::span<float> vector);

}  // namespace sworn::llm
