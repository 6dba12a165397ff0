#include "tests/support/tensor_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/panels.h"

namespace sworn::test {
namespace {

void Append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

void AppendHalf(Bytes& out, std::uint16_t half) {
  out.push_back(static_cast<std::uint8_t>(half & 0xFFU));
  out.push_back(static_cast<std::uint8_t>(half >> 8U));
}

float Largest(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

// Digits of -1, 0 and 1, the first the most significant, as a fixed-point fraction of 256.
std::uint8_t PackTrits(std::span<const std::int8_t> digits) {
  int number = 0;
  for (const std::int8_t digit : digits) number = number * 3 + digit + 1;
  for (std::size_t i = digits.size(); i < 5; ++i) number *= 3;
  return static_cast<std::uint8_t>((number * 256 + 242) / 243);
}

}  // namespace

float FromHalf(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const int mantissa = half & 0x3FF;
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    value = std::ldexp(static_cast<float>(mantissa + 1'024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

std::uint16_t ToHalf(float value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float magnitude = std::fabs(value);
  if (magnitude >= 65'520.0F) return static_cast<std::uint16_t>(sign | 0x7C00);
  if (magnitude == 0) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
  const int unit = std::max(exponent - 11, -24);
  const auto steps = static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, -unit)));
  // From the subnormal numbers on, consecutive numbers have consecutive codes.
  const unsigned code = steps + (static_cast<unsigned>(unit + 24) << 10U);
  return static_cast<std::uint16_t>(sign | code);
}

float FromBfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

std::uint16_t ToBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

Bytes EncodeF32(std::span<const float> values) {
  Bytes out(values.size_bytes());
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

Bytes EncodeF16(std::span<const float> values) {
  Bytes out;
  for (const float value : values) AppendHalf(out, ToHalf(value));
  return out;
}

Bytes EncodeBf16(std::span<const float> values) {
  Bytes out;
  for (const float value : values) AppendHalf(out, ToBfloat16(value));
  return out;
}

Bytes EncodeQ8Block(std::uint16_t scale_half, std::span<const std::int8_t> q) {
  Bytes out;
  AppendHalf(out, scale_half);
  for (std::size_t i = 0; i < 32; ++i) out.push_back(static_cast<std::uint8_t>(q[i]));
  return out;
}

Bytes EncodeQ6Block(std::uint16_t scale_half, std::span<const std::int8_t> sub_scales,
                    std::span<const std::int8_t> q) {
  Bytes low(128);
  Bytes high(64);
  for (std::size_t i = 0; i < 256; ++i) {
    const auto code = static_cast<unsigned>(q[i] + 32);
    const std::size_t half = i / 128;
    const std::size_t in_half = i % 128;
    const unsigned low_shift = in_half < 64 ? 0 : 4;
    low[half * 64 + in_half % 64] |= static_cast<std::uint8_t>((code & 0xFU) << low_shift);
    high[half * 32 + in_half % 32] |= static_cast<std::uint8_t>((code >> 4U) << (in_half / 32 * 2));
  }
  Bytes out;
  Append(out, low);
  Append(out, high);
  for (std::size_t i = 0; i < 16; ++i) out.push_back(static_cast<std::uint8_t>(sub_scales[i]));
  AppendHalf(out, scale_half);
  return out;
}

Bytes EncodeTq1Block(std::uint16_t scale_half, std::span<const std::int8_t> t) {
  Bytes out;
  const auto group = [&](std::size_t begin, std::size_t bytes, std::size_t digits) {
    for (std::size_t byte = 0; byte < bytes; ++byte) {
      std::vector<std::int8_t> trits;
      for (std::size_t digit = 0; digit < digits; ++digit) {
        trits.push_back(t[begin + digit * bytes + byte]);
      }
      out.push_back(PackTrits(trits));
    }
  };
  group(0, 32, 5);
  group(160, 16, 5);
  group(240, 4, 4);
  AppendHalf(out, scale_half);
  return out;
}

Bytes EncodeTq2Block(std::uint16_t scale_half, std::span<const std::int8_t> t) {
  Bytes out(64);
  for (std::size_t i = 0; i < 256; ++i) {
    const auto code = static_cast<unsigned>(t[i] + 1);
    out[i / 128 * 32 + i % 32] |= static_cast<std::uint8_t>(code << (i % 128 / 32 * 2));
  }
  AppendHalf(out, scale_half);
  return out;
}

Bytes EncodeTq1(std::span<const std::int8_t> t, float scale) {
  Bytes out;
  for (; !t.empty(); t = t.subspan(256)) Append(out, EncodeTq1Block(ToHalf(scale), t.first(256)));
  return out;
}

Bytes EncodeTq2(std::span<const std::int8_t> t, float scale) {
  Bytes out;
  for (; !t.empty(); t = t.subspan(256)) Append(out, EncodeTq2Block(ToHalf(scale), t.first(256)));
  return out;
}

Bytes EncodeI2s(std::span<const std::int8_t> t, float scale) {
  Bytes out(t.size() / 4 + 32);
  for (std::size_t i = 0; i < t.size(); ++i) {
    const auto code = static_cast<unsigned>(t[i] + 1);
    out[i / 128 * 32 + i % 32] |= static_cast<std::uint8_t>(code << (6 - i % 128 / 32 * 2));
  }
  std::memcpy(out.data() + t.size() / 4, &scale, sizeof(scale));
  return out;
}

Bytes EncodePackedUint8(std::span<const std::int8_t> t, std::size_t rows) {
  const std::size_t columns = t.size() / rows;
  Bytes out(t.size() / 4);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const auto code = static_cast<unsigned>(t[row * columns + column] + 1);
      out[row % (rows / 4) * columns + column] |=
          static_cast<std::uint8_t>(code << (row / (rows / 4) * 2));
    }
  }
  return out;
}

Bytes EncodePanels(std::span<const std::int8_t> t, std::size_t rows) {
  const std::size_t columns = t.size() / rows;
  Bytes out;
  for (std::size_t row = 0; row < rows; row += kernels::kPanelRows) {
    const std::size_t count = std::min(kernels::kPanelRows, rows - row);
    Bytes panel(kernels::TernaryPanelBytes(columns));
    kernels::PackTernaryPanel(t.subspan(row * columns, count * columns), count, columns,
                              panel.data());
    Append(out, panel);
  }
  return out;
}

Bytes QuantizeQ8(std::span<const float> values) {
  Bytes out;
  for (; !values.empty(); values = values.subspan(32)) {
    const std::uint16_t half = ToHalf(Largest(values.first(32)) / 127);
    const float scale = FromHalf(half);
    std::array<std::int8_t, 32> q{};
    for (std::size_t i = 0; i < q.size() && scale > 0; ++i) {
      q[i] =
          static_cast<std::int8_t>(std::clamp(std::nearbyint(values[i] / scale), -127.0F, 127.0F));
    }
    Append(out, EncodeQ8Block(half, q));
  }
  return out;
}

Bytes QuantizeQ6(std::span<const float> values) {
  Bytes out;
  for (; !values.empty(); values = values.subspan(256)) {
    const std::uint16_t half = ToHalf(Largest(values.first(256)) / (31 * 127));
    const float scale = FromHalf(half);
    std::array<std::int8_t, 16> sub_scales{};
    std::array<std::int8_t, 256> q{};
    for (std::size_t i = 0; i < q.size() && scale > 0; ++i) {
      if (i % 16 == 0) {
        const float wanted = Largest(values.subspan(i, 16)) / 31 / scale;
        sub_scales[i / 16] = static_cast<std::int8_t>(std::clamp(std::ceil(wanted), 1.0F, 127.0F));
      }
      const float step = scale * static_cast<float>(sub_scales[i / 16]);
      q[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(values[i] / step), -32.0F, 31.0F));
    }
    Append(out, EncodeQ6Block(half, sub_scales, q));
  }
  return out;
}

}  // namespace sworn::test
