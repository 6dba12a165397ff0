#include "llm/embed/vector_storage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/kernels.h"

namespace sworn::llm {
namespace {

constexpr std::array<std::pair<std::string_view, VectorStorage>, 6> kNames = {{
    {"f32", VectorStorage::kF32},
    {"f16", VectorStorage::kF16},
    {"i8", VectorStorage::kInt8},
    {"i4", VectorStorage::kInt4},
    {"i2", VectorStorage::kInt2},
    {"i1", VectorStorage::kInt1},
}};

// A few numbers that stick out should not decide the levels of all others.
constexpr int kRanges = 16;
constexpr float kNarrower = 0.8F;

int BitsOf(VectorStorage storage) {
  switch (storage) {
    case VectorStorage::kInt8:
      return 8;
    case VectorStorage::kInt4:
      return 4;
    case VectorStorage::kInt2:
      return 2;
    default:
      return 1;
  }
}

// The level of each number: odd, at most 2^bits - 1 either way, which stands for `range`.
void SetLevels(std::span<const float> vector, int bits, float range, std::vector<float>& levels) {
  const float half = static_cast<float>(1 << (bits - 1));
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const float code = std::clamp(std::floor(vector[i] / range * half), -half, half - 1);
    levels[i] = 2 * code + 1;
  }
}

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

void RoundToLevels(int bits, std::span<float> vector) {
  float largest = 0;
  for (const float value : vector) largest = std::max(largest, std::fabs(value));
  if (largest == 0) return;
  std::vector<float> levels(vector.size());
  std::vector<float> best(vector.size());
  double best_cosine = 0;
  float range = largest;
  for (int i = 0; i < kRanges; ++i, range *= kNarrower) {
    SetLevels(vector, bits, range, levels);
    const double cosine = Dot(levels, vector) / std::sqrt(Dot(levels, levels));
    if (cosine <= best_cosine) continue;
    best_cosine = cosine;
    best.swap(levels);
  }
  const double length = std::sqrt(Dot(best, best));
  for (std::size_t i = 0; i < vector.size(); ++i) {
    vector[i] = static_cast<float>(static_cast<double>(best[i]) / length);
  }
}

}  // namespace

std::string_view StorageName(VectorStorage storage) noexcept {
  for (const auto& [name, known] : kNames) {
    if (known == storage) return name;
  }
  return {};
}

std::optional<VectorStorage> StorageByName(std::string_view name) noexcept {
  for (const auto& [known, storage] : kNames) {
    if (known == name) return storage;
  }
  return std::nullopt;
}

void RoundToStorage(VectorStorage storage, std::span<float> vector) {
  if (storage == VectorStorage::kF32) return;
  if (storage != VectorStorage::kF16) {
    RoundToLevels(BitsOf(storage), vector);
    return;
  }
  const kernels::KernelTable& kernels = *kernels::FindKernels("scalar");
  std::vector<std::uint16_t> halves(vector.size());
  kernels.narrow_f16(vector.data(), vector.size(), halves.data());
  kernels.widen_f16(halves.data(), vector.size(), vector.data());
}

}  // namespace sworn::llm
