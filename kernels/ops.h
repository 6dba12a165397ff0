// What each instruction set implements; kernels/select.cc joins one set of each kind to a table.
// Internal to kernels/. The signatures and contracts are those of kernels/kernels.h.
#pragma once

#include "kernels/kernels.h"

namespace sworn::kernels {

struct IntegerOps {
  decltype(KernelTable::ternary_panel) ternary_panel;
  decltype(KernelTable::int8_panel) int8_panel;
};

struct CoarseOps {
  decltype(KernelTable::coarse_panel) coarse_panel;
};

struct ScanOps {
  decltype(KernelTable::scan_codes) scan_codes;
};

struct FloatOps {
  decltype(KernelTable::coarse_bounds) coarse_bounds;
  decltype(KernelTable::quantize) quantize;
  decltype(KernelTable::scale_int32) scale_int32;
  decltype(KernelTable::dot) dot;
  decltype(KernelTable::widen_f16) widen_f16;
  decltype(KernelTable::widen_bf16) widen_bf16;
  decltype(KernelTable::narrow_f16) narrow_f16;
  decltype(KernelTable::rms_norm) rms_norm;
  decltype(KernelTable::layer_norm) layer_norm;
  decltype(KernelTable::scale_rows) scale_rows;
  decltype(KernelTable::add) add;
  decltype(KernelTable::rotate) rotate;
  decltype(KernelTable::relu2_gate) relu2_gate;
  decltype(KernelTable::silu_gate) silu_gate;
  decltype(KernelTable::gelu_gate) gelu_gate;
  decltype(KernelTable::gelu) gelu;
  decltype(KernelTable::exp) exp;
  decltype(KernelTable::attend) attend;
};

extern const IntegerOps kScalarIntegerOps;
extern const CoarseOps kScalarCoarseOps;
extern const ScanOps kScalarScanOps;
extern const FloatOps kScalarFloatOps;
#if defined(__x86_64__)
extern const IntegerOps kAvx2IntegerOps;
extern const IntegerOps kAvxVnniIntegerOps;
extern const IntegerOps kAvx512VnniIntegerOps;
extern const IntegerOps kAmxIntegerOps;
extern const CoarseOps kAvx2CoarseOps;
extern const CoarseOps kAvx512VnniCoarseOps;
extern const CoarseOps kAmxCoarseOps;
extern const ScanOps kAvx2ScanOps;
extern const ScanOps kAvxVnniScanOps;
extern const ScanOps kAvx512VnniScanOps;
extern const FloatOps kAvx2FloatOps;
extern const FloatOps kAvx512FloatOps;
#elif defined(__aarch64__)
extern const IntegerOps kDotprodIntegerOps;
extern const IntegerOps kI8mmIntegerOps;
extern const ScanOps kDotprodScanOps;
extern const FloatOps kNeonFloatOps;
#endif

}  // namespace sworn::kernels
