#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <array>

#include "kernels/cpu_x86.h"
#include "kernels/ops.h"

namespace sworn::kernels {
namespace {

struct Candidate {
  std::string_view name;
  bool (*can_run)() noexcept;
  const IntegerOps& integers;
  const CoarseOps& coarse;
  const ScanOps& scan;
  const FloatOps& floats;
};

bool Always() noexcept { return true; }

#if defined(__aarch64__)
bool HasDotprod() noexcept { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
bool HasI8mm() noexcept { return HasDotprod() && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0; }
#endif

// Best first.
constexpr Candidate kCandidates[] = {
#if defined(__aarch64__)
    {"i8mm", HasI8mm, kI8mmIntegerOps, kScalarCoarseOps, kDotprodScanOps, kNeonFloatOps},
    {"dotprod", HasDotprod, kDotprodIntegerOps, kScalarCoarseOps, kDotprodScanOps, kNeonFloatOps},
#elif defined(__x86_64__)
    {"amx", HasAmx, kAmxIntegerOps, kAmxCoarseOps, kAvx512VnniScanOps, kAvx512FloatOps},
    {"avx512vnni", HasAvx512Vnni, kAvx512VnniIntegerOps, kAvx512VnniCoarseOps, kAvx512VnniScanOps,
     kAvx512FloatOps},
    {"avxvnni", HasAvxVnni, kAvxVnniIntegerOps, kAvx2CoarseOps, kAvxVnniScanOps, kAvx2FloatOps},
    {"avx2", HasAvx2, kAvx2IntegerOps, kAvx2CoarseOps, kAvx2ScanOps, kAvx2FloatOps},
#endif
    {"scalar", Always, kScalarIntegerOps, kScalarCoarseOps, kScalarScanOps, kScalarFloatOps},
};
constexpr std::size_t kCount = std::size(kCandidates);

constexpr std::array<std::string_view, kCount> kNames = [] {
  std::array<std::string_view, kCount> names;
  for (std::size_t i = 0; i < kCount; ++i) names[i] = kCandidates[i].name;
  return names;
}();

KernelTable Join(const Candidate& candidate) {
  const IntegerOps& integers = candidate.integers;
  const FloatOps& floats = candidate.floats;
  return {.name = candidate.name,
          .ternary_panel = integers.ternary_panel,
          .int8_panel = integers.int8_panel,
          .coarse_panel = candidate.coarse.coarse_panel,
          .coarse_bounds = floats.coarse_bounds,
          .scan_codes = candidate.scan.scan_codes,
          .quantize = floats.quantize,
          .scale_int32 = floats.scale_int32,
          .dot = floats.dot,
          .widen_f16 = floats.widen_f16,
          .widen_bf16 = floats.widen_bf16,
          .narrow_f16 = floats.narrow_f16,
          .rms_norm = floats.rms_norm,
          .layer_norm = floats.layer_norm,
          .scale_rows = floats.scale_rows,
          .add = floats.add,
          .rotate = floats.rotate,
          .relu2_gate = floats.relu2_gate,
          .silu_gate = floats.silu_gate,
          .gelu_gate = floats.gelu_gate,
          .gelu = floats.gelu,
          .exp = floats.exp,
          .attend = floats.attend};
}

struct Selection {
  std::array<KernelTable, kCount> tables;
  std::array<const KernelTable*, kCount> runnable;
  std::size_t count = 0;

  Selection() {
    for (const Candidate& candidate : kCandidates) {
      if (!candidate.can_run()) continue;
      tables[count] = Join(candidate);
      runnable[count] = &tables[count];
      ++count;
    }
  }
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;
};

}  // namespace

std::span<const KernelTable* const> RunnableKernels() noexcept {
  static const Selection selection;
  return {selection.runnable.data(), selection.count};
}

const KernelTable* FindKernels(std::string_view name) noexcept {
  for (const KernelTable* table : RunnableKernels()) {
    if (name.empty() || table->name == name) return table;
  }
  return nullptr;
}

std::span<const std::string_view> KnownKernelNames() noexcept { return kNames; }

}  // namespace sworn::kernels
