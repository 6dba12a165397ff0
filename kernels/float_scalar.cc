// The float operations in plain C++: the specification of every other table. std::fma rounds once
// on any processor; binary16 is converted by hand.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/ops.h"
#include "kernels/target.h"

namespace sworn::kernels {
namespace {

struct Lanes {
  float lane[kSumLanes];
};
struct IntLanes {
  std::int32_t lane[kSumLanes];
};
constexpr std::size_t kTileVectors = 1;

template <typename Op>
Lanes ForEachLane(Op op) {
  Lanes out;
  for (std::size_t l = 0; l < kSumLanes; ++l) {
    out.lane[l] = op(l);
  }
  return out;
}

Lanes Broadcast(float x) {
  return ForEachLane([&](std::size_t) { return x; });
}
Lanes Load(const float* from) {
  return ForEachLane([&](std::size_t l) { return from[l]; });
}
void Store(float* to, Lanes x) {
  for (std::size_t l = 0; l < kSumLanes; ++l) {
    to[l] = x.lane[l];
  }
}
Lanes Fma(Lanes a, Lanes b, Lanes c) {
  return ForEachLane([&](std::size_t l) { return std::fma(a.lane[l], b.lane[l], c.lane[l]); });
}
Lanes Add(Lanes a, Lanes b) {
  return ForEachLane([&](std::size_t l) { return a.lane[l] + b.lane[l]; });
}
Lanes Sub(Lanes a, Lanes b) {
  return ForEachLane([&](std::size_t l) { return a.lane[l] - b.lane[l]; });
}
Lanes Mul(Lanes a, Lanes b) {
  return ForEachLane([&](std::size_t l) { return a.lane[l] * b.lane[l]; });
}
Lanes Div(Lanes a, Lanes b) {
  return ForEachLane([&](std::size_t l) { return a.lane[l] / b.lane[l]; });
}
Lanes Max(Lanes a, Lanes b) {
  return ForEachLane([&](std::size_t l) { return a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l]; });
}
Lanes Min(Lanes a, Lanes b) {
  return ForEachLane([&](std::size_t l) { return a.lane[l] < b.lane[l] ? a.lane[l] : b.lane[l]; });
}
Lanes SelectLess(Lanes a, Lanes b, Lanes yes, Lanes no) {
  return ForEachLane(
      [&](std::size_t l) { return a.lane[l] < b.lane[l] ? yes.lane[l] : no.lane[l]; });
}
Lanes AddExponent(Lanes a, Lanes t) {
  return ForEachLane([&](std::size_t l) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a.lane[l]) +
                                (std::bit_cast<std::uint32_t>(t.lane[l]) << 23));
  });
}
float LaneSum(Lanes x) {
  for (std::size_t width = kSumLanes / 2; width > 0; width /= 2) {
    for (std::size_t l = 0; l < width; ++l) {
      x.lane[l] += x.lane[l + width];
    }
  }
  return x.lane[0];
}
float LaneMax(Lanes x) {
  for (std::size_t width = kSumLanes / 2; width > 0; width /= 2) {
    for (std::size_t l = 0; l < width; ++l) {
      x.lane[l] = x.lane[l] > x.lane[l + width] ? x.lane[l] : x.lane[l + width];
    }
  }
  return x.lane[0];
}

float FromF16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: a multiple of 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  if (exponent == 0x1F) {
    const std::uint32_t quiet = mantissa != 0 ? 0x400000U : 0U;
    return std::bit_cast<float>(sign | 0x7F800000U | quiet | (mantissa << 13));
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}
std::uint16_t ToF16(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  std::uint32_t half = 0;
  if (magnitude > 0x7F800000U) {
    half = 0x7E00U | ((magnitude >> 13) & 0x3FFU);
  } else if (magnitude >= 0x477FF000U) {  // from 65520, halfway beyond the largest
    half = 0x7C00U;
  } else if (magnitude < 0x38800000U) {  // subnormal: 0.5 has the ulp 2^-24
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
  } else {
    half = (magnitude + 0xFFFU + ((magnitude >> 13) & 1U) - (112U << 23)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}
Lanes WidenF16(const std::uint16_t* from) {
  return ForEachLane([&](std::size_t l) { return FromF16(from[l]); });
}
Lanes WidenBf16(const std::uint16_t* from) {
  return ForEachLane([&](std::size_t l) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(from[l]) << 16);
  });
}
void NarrowF16(Lanes x, std::uint16_t* to) {
  for (std::size_t l = 0; l < kSumLanes; ++l) {
    to[l] = ToF16(x.lane[l]);
  }
}

IntLanes Zeros() { return IntLanes{}; }
IntLanes AddInt(IntLanes a, IntLanes b) {
  for (std::size_t l = 0; l < kSumLanes; ++l) {
    a.lane[l] += b.lane[l];
  }
  return a;
}
std::int32_t IntSum(IntLanes x) {
  std::int32_t sum = 0;
  for (const std::int32_t value : x.lane) {
    sum += value;
  }
  return sum;
}
IntLanes ToInt(Lanes x) {
  IntLanes out;
  for (std::size_t l = 0; l < kSumLanes; ++l) {
    out.lane[l] = static_cast<std::int32_t>((x.lane[l] + 0x1.8p23F) - 0x1.8p23F);
  }
  return out;
}
void StoreInt8(std::int8_t* to, IntLanes x) {
  for (std::size_t l = 0; l < kSumLanes; ++l) {
    to[l] = static_cast<std::int8_t>(x.lane[l]);
  }
}
Lanes LoadInt32(const std::int32_t* from) {
  return ForEachLane([&](std::size_t l) { return static_cast<float>(from[l]); });
}

#include "kernels/vector_math.inc"
// vector_math.inc comes first: the others use it.
#include "kernels/float_ops.inc"
// attend.inc comes last: it uses both and ends with the table.
#include "kernels/attend.inc"

}  // namespace

const FloatOps kScalarFloatOps = kFloatOps;

}  // namespace sworn::kernels
