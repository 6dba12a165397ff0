#include "llm/embed/randomized_svd.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <span>

#include <cblas.h>

#include "core/symmetric_eigen.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kOversampling = 16;

// Rows that one thread takes at a time.
constexpr std::size_t kBlockRows = 256;

// Sums over all rows are made of this many parts, in this order, whoever adds them up.
constexpr std::size_t kParts = 8;

// Directions whose squared length is a smaller share of the longest one's are rounding errors of
// 32-bit floats.
constexpr double kMinEigenvalue = 1e-6;

std::size_t BlocksOf(std::size_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

SparseMatrix Transpose(const SparseMatrix& matrix) {
  SparseMatrix transposed;
  transposed.columns = matrix.rows();
  transposed.row_begins.assign(matrix.columns + 1, 0);
  transposed.entries.resize(matrix.entries.size());
  for (const SparseEntry& entry : matrix.entries) ++transposed.row_begins[entry.column + 1];
  for (std::size_t i = 0; i < matrix.columns; ++i) {
    transposed.row_begins[i + 1] += transposed.row_begins[i];
  }
  std::vector<std::size_t> next(transposed.row_begins.begin(), transposed.row_begins.end() - 1);
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    for (std::size_t i = matrix.row_begins[row]; i < matrix.row_begins[row + 1]; ++i) {
      const SparseEntry& entry = matrix.entries[i];
      transposed.entries[next[entry.column]++] = {static_cast<std::uint32_t>(row), entry.value};
    }
  }
  return transposed;
}

/// A dense matrix of few columns, row-major.
struct Panel {
  Panel(std::size_t row_count, std::size_t width_in)
      : rows(row_count), width(width_in), values(row_count * width_in) {}

  std::size_t rows;
  std::size_t width;
  std::vector<float> values;
};

/// to = matrix * from.
void Multiply(const SparseMatrix& matrix, const Panel& from, Panel& to, ThreadTeam& team) {
  const std::size_t width = from.width;
  team.For(BlocksOf(to.rows), [&](std::size_t block, std::size_t) {
    const std::size_t end = std::min((block + 1) * kBlockRows, to.rows);
    for (std::size_t row = block * kBlockRows; row < end; ++row) {
      float* sums = &to.values[row * width];
      std::fill(sums, sums + width, 0.0F);
      for (std::size_t i = matrix.row_begins[row]; i < matrix.row_begins[row + 1]; ++i) {
        const float value = matrix.entries[i].value;
        const float* other = &from.values[matrix.entries[i].column * width];
        for (std::size_t j = 0; j < width; ++j) sums[j] += value * other[j];
      }
    }
  });
}

/// panelᵀ * panel in double precision, row-major [width, width].
std::vector<double> Gram(const Panel& panel, ThreadTeam& team) {
  const std::size_t width = panel.width;
  const std::size_t area = width * width;
  std::vector<double> parts(kParts * area);
  std::vector<float> products(team.size() * area);
  team.For(kParts, [&](std::size_t part, std::size_t thread) {
    double* sums = &parts[part * area];
    float* product = &products[thread * area];
    for (std::size_t block = part; block < BlocksOf(panel.rows); block += kParts) {
      const std::size_t begin = block * kBlockRows;
      const std::size_t count = std::min(kBlockRows, panel.rows - begin);
      cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, static_cast<int>(width),
                  static_cast<int>(count), 1, &panel.values[begin * width], static_cast<int>(width),
                  0, product, static_cast<int>(width));
      for (std::size_t i = 0; i < width; ++i) {
        for (std::size_t j = i; j < width; ++j) sums[i * width + j] += product[i * width + j];
      }
    }
  });
  std::vector<double> gram(area);
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = i; j < width; ++j) {
      double sum = 0;
      for (std::size_t part = 0; part < kParts; ++part) sum += parts[part * area + i * width + j];
      gram[i * width + j] = sum;
      gram[j * width + i] = sum;
    }
  }
  return gram;
}

/// Turns the panel's columns into an orthonormal basis of their span, longest direction first, in
/// place; gives its size. Columns beyond it become zero.
std::size_t Orthonormalise(Panel& panel, ThreadTeam& team) {
  const std::size_t width = panel.width;
  const EigenPairs pairs = SymmetricEigen(Gram(panel, team), width);
  std::vector<float> turn(width * width, 0);
  std::size_t rank = 0;
  while (rank < width && pairs.values[rank] > kMinEigenvalue * pairs.values[0]) {
    const double scale = 1 / std::sqrt(pairs.values[rank]);
    for (std::size_t i = 0; i < width; ++i) {
      turn[i * width + rank] = static_cast<float>(scale * pairs.vectors[rank * width + i]);
    }
    ++rank;
  }
  std::vector<float> turned(team.size() * kBlockRows * width);
  team.For(BlocksOf(panel.rows), [&](std::size_t block, std::size_t thread) {
    const std::size_t begin = block * kBlockRows;
    const std::size_t count = std::min(kBlockRows, panel.rows - begin);
    float* rows = &panel.values[begin * width];
    float* result = &turned[thread * kBlockRows * width];
    const int n = static_cast<int>(width);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(count), n, n, 1, rows,
                n, turn.data(), n, 0, result, n);
    std::memcpy(rows, result, count * width * sizeof(float));
  });
  return rank;
}

/// Random signs: as good as normal variates here, and quick to draw.
void FillWithSigns(std::uint64_t seed, Panel& panel) {
  std::mt19937_64 random(seed);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < panel.values.size(); ++i) {
    if (i % 64 == 0) bits = random();
    panel.values[i] = ((bits >> (i % 64)) & 1U) != 0 ? 1.0F : -1.0F;
  }
}

}  // namespace

RightSingularVectors RandomizedSvd(const SparseMatrix& matrix, std::size_t count,
                                   std::uint64_t seed, ThreadTeam& team) {
  openblas_set_num_threads(1);
  const SparseMatrix transposed = Transpose(matrix);
  const std::size_t width = std::min({count + kOversampling, matrix.rows(), matrix.columns});
  Panel left(matrix.rows(), width);
  Panel right(matrix.columns, width);
  FillWithSigns(seed, right);
  Multiply(matrix, right, left, team);
  Orthonormalise(left, team);
  Multiply(transposed, left, right, team);
  Orthonormalise(right, team);
  Multiply(matrix, right, left, team);
  Orthonormalise(left, team);
  Multiply(transposed, left, right, team);
  const std::size_t rank = Orthonormalise(right, team);

  RightSingularVectors result;
  result.count = std::min(count, rank);
  result.values.reserve(matrix.columns * result.count);
  for (std::size_t column = 0; column < matrix.columns; ++column) {
    const auto row = std::span(right.values).subspan(column * width, result.count);
    result.values.insert(result.values.end(), row.begin(), row.end());
  }
  return result;
}

}  // namespace sworn::llm
