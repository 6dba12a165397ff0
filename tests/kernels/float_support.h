// What the tests of the float functions share.
#pragma once

#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "kernels/kernels.h"

namespace sworn::kernels {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr unsigned kSeed = 20'240;

inline const KernelTable& Scalar() { return *FindKernels("scalar"); }
inline const KernelTable& Best() { return *RunnableKernels().front(); }

inline std::vector<float> NormalFloats(std::mt19937& random, std::size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

}  // namespace sworn::kernels
