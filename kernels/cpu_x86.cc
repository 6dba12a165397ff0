#include "kernels/cpu_x86.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sworn::kernels {
namespace {

struct CpuidLeaf {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

// For the features that __builtin_cpu_supports of clang 14 does not name. None of them needs a
// register state of its own, except the tiles, for which HasAmx asks.
CpuidLeaf Ask(unsigned leaf, unsigned subleaf) {
  CpuidLeaf answer;
  if (__get_cpuid_count(leaf, subleaf, &answer.eax, &answer.ebx, &answer.ecx, &answer.edx) == 0) {
    return {};
  }
  return answer;
}

bool Bit(unsigned word, unsigned bit) { return (word >> bit & 1U) != 0; }

}  // namespace

bool HasAvx2() noexcept {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         Bit(Ask(1, 0).ecx, 29);
}

bool HasAvxVnni() noexcept { return HasAvx2() && Bit(Ask(7, 1).eax, 4); }

bool HasAvx512Vnni() noexcept {
  return HasAvx2() && __builtin_cpu_supports("avx512f") != 0 &&
         __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
}

bool HasAmx() noexcept {
  const unsigned features = Ask(7, 0).edx;
  if (!HasAvx512Vnni() || !Bit(features, 24) || !Bit(features, 25)) return false;
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM, Linux 5.16
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace sworn::kernels
#endif
