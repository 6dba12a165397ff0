// The float operations with NEON as every 64-bit ARM has it: sixteen lanes are four registers.
#include <cstddef>
#include <cstdint>

#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/kernels.h"
#include "kernels/ops.h"
#include "kernels/target.h"

namespace sworn::kernels {
namespace {

constexpr std::size_t kParts = 4;
struct Lanes {
  float32x4_t part[kParts];
};
struct IntLanes {
  int32x4_t part[kParts];
};
constexpr std::size_t kTileVectors = 1;

template <typename Op>
[[gnu::always_inline]] inline Lanes ForEachPart(Op op) {
  return {{op(0), op(1), op(2), op(3)}};
}

[[gnu::always_inline]] inline Lanes Broadcast(float x) {
  return ForEachPart([&](std::size_t) { return vdupq_n_f32(x); });
}
[[gnu::always_inline]] inline Lanes Load(const float* from) {
  return ForEachPart([&](std::size_t p) { return vld1q_f32(from + 4 * p); });
}
[[gnu::always_inline]] inline void Store(float* to, Lanes x) {
  SWORN_UNROLL
  for (std::size_t p = 0; p < kParts; ++p) {
    vst1q_f32(to + 4 * p, x.part[p]);
  }
}
[[gnu::always_inline]] inline Lanes Fma(Lanes a, Lanes b, Lanes c) {
  return ForEachPart([&](std::size_t p) { return vfmaq_f32(c.part[p], a.part[p], b.part[p]); });
}
[[gnu::always_inline]] inline Lanes Add(Lanes a, Lanes b) {
  return ForEachPart([&](std::size_t p) { return vaddq_f32(a.part[p], b.part[p]); });
}
[[gnu::always_inline]] inline Lanes Sub(Lanes a, Lanes b) {
  return ForEachPart([&](std::size_t p) { return vsubq_f32(a.part[p], b.part[p]); });
}
[[gnu::always_inline]] inline Lanes Mul(Lanes a, Lanes b) {
  return ForEachPart([&](std::size_t p) { return vmulq_f32(a.part[p], b.part[p]); });
}
[[gnu::always_inline]] inline Lanes Div(Lanes a, Lanes b) {
  return ForEachPart([&](std::size_t p) { return vdivq_f32(a.part[p], b.part[p]); });
}
// Not vmaxq_f32 and vminq_f32: those order the zeros and pass NaN on.
[[gnu::always_inline]] inline float32x4_t MaxPart(float32x4_t a, float32x4_t b) {
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}
[[gnu::always_inline]] inline Lanes Max(Lanes a, Lanes b) {
  return ForEachPart([&](std::size_t p) { return MaxPart(a.part[p], b.part[p]); });
}
[[gnu::always_inline]] inline Lanes Min(Lanes a, Lanes b) {
  return ForEachPart([&](std::size_t p) {
    return vbslq_f32(vcltq_f32(a.part[p], b.part[p]), a.part[p], b.part[p]);
  });
}
[[gnu::always_inline]] inline Lanes SelectLess(Lanes a, Lanes b, Lanes yes, Lanes no) {
  return ForEachPart([&](std::size_t p) {
    return vbslq_f32(vcltq_f32(a.part[p], b.part[p]), yes.part[p], no.part[p]);
  });
}
[[gnu::always_inline]] inline Lanes AddExponent(Lanes a, Lanes t) {
  return ForEachPart([&](std::size_t p) {
    return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a.part[p]),
                                           vshlq_n_u32(vreinterpretq_u32_f32(t.part[p]), 23)));
  });
}
[[gnu::always_inline]] inline float LaneSum(Lanes x) {
  const float32x4_t four =
      vaddq_f32(vaddq_f32(x.part[0], x.part[2]), vaddq_f32(x.part[1], x.part[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
[[gnu::always_inline]] inline float LaneMax(Lanes x) {
  const float32x4_t four = MaxPart(MaxPart(x.part[0], x.part[2]), MaxPart(x.part[1], x.part[3]));
  const float32x4_t two = MaxPart(four, vextq_f32(four, four, 2));
  return vgetq_lane_f32(MaxPart(two, vextq_f32(two, two, 1)), 0);
}
[[gnu::always_inline]] inline Lanes WidenF16(const std::uint16_t* from) {
  return ForEachPart(
      [&](std::size_t p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + 4 * p))); });
}
[[gnu::always_inline]] inline Lanes WidenBf16(const std::uint16_t* from) {
  return ForEachPart([&](std::size_t p) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vld1_u16(from + 4 * p)), 16));
  });
}
[[gnu::always_inline]] inline void NarrowF16(Lanes x, std::uint16_t* to) {
  SWORN_UNROLL
  for (std::size_t p = 0; p < kParts; ++p) {
    vst1_u16(to + 4 * p, vreinterpret_u16_f16(vcvt_f16_f32(x.part[p])));
  }
}

[[gnu::always_inline]] inline IntLanes Zeros() {
  const int32x4_t zero = vdupq_n_s32(0);
  return {{zero, zero, zero, zero}};
}
[[gnu::always_inline]] inline IntLanes AddInt(IntLanes a, IntLanes b) {
  return {{vaddq_s32(a.part[0], b.part[0]), vaddq_s32(a.part[1], b.part[1]),
           vaddq_s32(a.part[2], b.part[2]), vaddq_s32(a.part[3], b.part[3])}};
}
[[gnu::always_inline]] inline std::int32_t IntSum(IntLanes x) {
  return vaddvq_s32(vaddq_s32(vaddq_s32(x.part[0], x.part[1]), vaddq_s32(x.part[2], x.part[3])));
}
[[gnu::always_inline]] inline IntLanes ToInt(Lanes x) {
  return {{vcvtnq_s32_f32(x.part[0]), vcvtnq_s32_f32(x.part[1]), vcvtnq_s32_f32(x.part[2]),
           vcvtnq_s32_f32(x.part[3])}};
}
[[gnu::always_inline]] inline void StoreInt8(std::int8_t* to, IntLanes x) {
  const int16x8_t low = vcombine_s16(vmovn_s32(x.part[0]), vmovn_s32(x.part[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32(x.part[2]), vmovn_s32(x.part[3]));
  vst1q_s8(to, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}
[[gnu::always_inline]] inline Lanes LoadInt32(const std::int32_t* from) {
  return ForEachPart([&](std::size_t p) { return vcvtq_f32_s32(vld1q_s32(from + 4 * p)); });
}

#include "kernels/vector_math.inc"
// vector_math.inc comes first: the others use it.
#include "kernels/float_ops.inc"
// attend.inc comes last: it uses both and ends with the table.
#include "kernels/attend.inc"

}  // namespace

const FloatOps kNeonFloatOps = kFloatOps;

}  // namespace sworn::kernels
#endif  // __aarch64__
