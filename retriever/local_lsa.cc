#include "retriever/local_lsa.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/symmetric_eigen.h"
#include "retriever/local_matrix.h"

namespace sworn::retriever {
namespace {

// Directions are looked for with a few more than are kept, in so many steps; the last ones are
// then not exact, which no figure of merit notices.
constexpr std::size_t kOversampling = 8;
constexpr int kSteps = 5;
static_assert(kMaxLocalDimension + kOversampling == kBlockWidth);

constexpr double kFeedbackShare = 0.5;

// A direction whose length is a smaller share of what it was is rounding error.
constexpr double kMinPivot = 1e-6;

/// Upper triangle of blockᵀ * other, row-major, in double precision.
std::vector<double> Product(const Block& block, const Block& other) {
  std::vector<double> product(kBlockWidth * kBlockWidth, 0);
  for (std::size_t row = 0; row < block.size(); ++row) {
    double wide[kBlockWidth];
    std::copy(other[row].begin(), other[row].end(), wide);
    for (std::size_t i = 0; i < kBlockWidth; ++i) {
      const double factor = block[row][i];
      double* sums = &product[i * kBlockWidth];
      for (std::size_t j = i; j < kBlockWidth; ++j) sums[j] += factor * wide[j];
    }
  }
  return product;
}

/// Makes the columns orthonormal in their order; a column that depends on those before it becomes
/// zero (Cholesky: blockᵀ block = Rᵀ R, block = block R⁻¹).
void Orthonormalise(Block& block) {
  std::vector<double> r = Product(block, block);
  std::vector<double> inverse_pivots(kBlockWidth, 0);
  for (std::size_t k = 0; k < kBlockWidth; ++k) {
    double* pivot_row = &r[k * kBlockWidth];
    // What is left of the column's square; its whole square was kept where nothing else stands.
    const double whole = r[k * kBlockWidth + k];
    double left = whole;
    for (std::size_t i = 0; i < k; ++i) left -= r[i * kBlockWidth + k] * r[i * kBlockWidth + k];
    for (std::size_t i = 0; i < k; ++i) {
      const double factor = r[i * kBlockWidth + k];
      const double* other = &r[i * kBlockWidth];
      for (std::size_t j = k + 1; j < kBlockWidth; ++j) pivot_row[j] -= factor * other[j];
    }
    const bool is_new = left > kMinPivot * whole && left > 0;
    inverse_pivots[k] = is_new ? 1 / std::sqrt(left) : 0;
    for (std::size_t j = k + 1; j < kBlockWidth; ++j) pivot_row[j] *= inverse_pivots[k];
  }
  for (BlockRow& row : block) {
    double wide[kBlockWidth];
    std::copy(row.begin(), row.end(), wide);
    for (std::size_t k = 0; k < kBlockWidth; ++k) {
      wide[k] *= inverse_pivots[k];
      const double factor = wide[k];
      const double* other = &r[k * kBlockWidth];
      for (std::size_t j = k + 1; j < kBlockWidth; ++j) wide[j] -= factor * other[j];
    }
    std::transform(wide, wide + kBlockWidth, row.begin(),
                   [](double value) { return static_cast<float>(value); });
  }
}

/// Signs that look random and are always the same (the mixer of SplitMix64).
Block FirstBlock(std::size_t rows, std::size_t width) {
  Block block(rows, BlockRow{});
  std::uint64_t state = 0;
  for (BlockRow& row : block) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t bits = state;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
    bits ^= bits >> 31;
    for (std::size_t i = 0; i < width; ++i) row[i] = ((bits >> i) & 1U) != 0 ? 1.0F : -1.0F;
  }
  return block;
}

void Normalise(std::span<double> vector) {
  double square = 0;
  for (const double value : vector) square += value * value;
  if (square <= 0) return;
  const double scale = 1 / std::sqrt(square);
  for (double& value : vector) value *= scale;
}

}  // namespace

LocalSpace::LocalSpace(const store::Snapshot& snapshot, std::span<const ChunkId> hits,
                       const TermRows& question)
    : count_(hits.size()) {
  if (hits.size() < kMinLocalHits || hits.size() > kMaxLocalHits) {
    throw Error(ErrorCode::kInvalidArgument, "a local space is made of 16 to 300 hits");
  }
  const LocalMatrix matrix(snapshot, hits, question[0]);
  const std::size_t wanted = std::min(kMaxLocalDimension, hits.size() / 4);
  Block basis = FirstBlock(hits.size(), std::min(wanted + kOversampling, hits.size()));
  for (int step = 0; step < kSteps; ++step) {
    basis = matrix.TimesGram(basis);
    Orthonormalise(basis);
  }
  // Rayleigh-Ritz: the eigenpairs of G within the basis.
  std::vector<double> inner = Product(basis, matrix.TimesGram(basis));
  for (std::size_t i = 0; i < kBlockWidth; ++i) {
    for (std::size_t j = 0; j < i; ++j) inner[i * kBlockWidth + j] = inner[j * kBlockWidth + i];
  }
  const EigenPairs pairs = SymmetricEigen(std::move(inner), kBlockWidth);
  while (dimension_ < wanted && pairs.values[dimension_] > kMinPivot * pairs.values[0]) {
    ++dimension_;
  }

  // G = U S² Uᵀ. Hits are U S, the question S⁻¹ Uᵀ (X qᵀ).
  hits_.resize(count_ * dimension_);
  question_.resize(dimension_);
  const std::vector<double>& products = matrix.question_products();
  std::vector<double> turn(kBlockWidth * dimension_);  // row-major [width, dimension]
  for (std::size_t k = 0; k < dimension_; ++k) {
    for (std::size_t i = 0; i < kBlockWidth; ++i) {
      turn[i * dimension_ + k] = pairs.vectors[k * kBlockWidth + i];
    }
  }
  for (std::size_t row = 0; row < count_; ++row) {
    double* components = &hits_[row * dimension_];
    for (std::size_t i = 0; i < kBlockWidth; ++i) {
      const double factor = basis[row][i];
      for (std::size_t k = 0; k < dimension_; ++k) {
        components[k] += factor * turn[i * dimension_ + k];
      }
    }
    for (std::size_t k = 0; k < dimension_; ++k) {
      const double length = std::sqrt(pairs.values[k]);
      question_[k] += components[k] * products[row] / length;
      components[k] *= length;
    }
  }
  for (std::size_t row = 0; row < count_; ++row) {
    Normalise(std::span(hits_).subspan(row * dimension_, dimension_));
  }
  Normalise(question_);
}

std::vector<double> LocalSpace::Scores(std::span<const std::size_t> feedback) const {
  std::vector<double> target = question_;
  const bool is_known = std::any_of(target.begin(), target.end(), [](double x) { return x != 0; });
  for (const std::size_t hit : feedback) {
    const double share = kFeedbackShare / static_cast<double>(feedback.size());
    for (std::size_t k = 0; k < dimension_; ++k) target[k] += share * hits_[hit * dimension_ + k];
  }
  Normalise(target);
  std::vector<double> scores(count_, 0);
  for (std::size_t row = 0; is_known && row < count_; ++row) {
    for (std::size_t k = 0; k < dimension_; ++k) {
      scores[row] += target[k] * hits_[row * dimension_ + k];
    }
  }
  return scores;
}

}  // namespace sworn::retriever
