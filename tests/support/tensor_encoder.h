// Bytes of every tensor type that the engine reads, written from the numbers they stand for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sworn::test {

using Bytes = std::vector<std::uint8_t>;

/// Round half to even; beyond the range to infinity.
std::uint16_t ToHalf(float value);
std::uint16_t ToBfloat16(float value);
float FromHalf(std::uint16_t half);
float FromBfloat16(std::uint16_t bits);

Bytes EncodeF32(std::span<const float> values);
Bytes EncodeF16(std::span<const float> values);
Bytes EncodeBf16(std::span<const float> values);

/// 32 values of scale * q.
Bytes EncodeQ8Block(std::uint16_t scale_half, std::span<const std::int8_t> q);
/// 256 values of scale * sub_scales[i / 16] * q[i], q from -32 to 31.
Bytes EncodeQ6Block(std::uint16_t scale_half, std::span<const std::int8_t> sub_scales,
                    std::span<const std::int8_t> q);
/// 256 values of scale * t[i], t from -1 to 1.
Bytes EncodeTq1Block(std::uint16_t scale_half, std::span<const std::int8_t> t);
Bytes EncodeTq2Block(std::uint16_t scale_half, std::span<const std::int8_t> t);

/// Whole ternary matrices, row-major [rows, columns].
Bytes EncodeTq1(std::span<const std::int8_t> t, float scale);
Bytes EncodeTq2(std::span<const std::int8_t> t, float scale);
Bytes EncodeI2s(std::span<const std::int8_t> t, float scale);
Bytes EncodePackedUint8(std::span<const std::int8_t> t, std::size_t rows);
Bytes EncodePanels(std::span<const std::int8_t> t, std::size_t rows);

/// The nearest that these types can express, near enough for a random model.
Bytes QuantizeQ8(std::span<const float> values);
Bytes QuantizeQ6(std::span<const float> values);

}  // namespace sworn::test
