// What the processor and the operating system allow; one question for each instruction set, which
// covers what its integer, coarse and float operations use. Internal to kernels/.
#pragma once

namespace sworn::kernels {

#if defined(__x86_64__)
/// AVX2, FMA and F16C.
bool HasAvx2() noexcept;
/// The same and AVX-VNNI.
bool HasAvxVnni() noexcept;
/// AVX2 as above and AVX-512 F, BW, DQ, VL and VNNI.
bool HasAvx512Vnni() noexcept;
/// The same and AMX-INT8. Asks the kernel to let this process use the tiles.
bool HasAmx() noexcept;
#endif

}  // namespace sworn::kernels
