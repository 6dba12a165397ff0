#include "core/symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace sworn {
namespace {

// Square roots are rounded the same way everywhere; std::hypot is not.

// Far more than the two that a value needs on average.
constexpr int kMaxQlSteps = 60;

// All inner loops add a multiple of one contiguous row to another: they vectorise without changing
// the order of any sum.
void AddScaled(double scale, const double* from, double* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] += scale * from[i];
}

/// T = Qᵀ A Q with T tridiagonal.
class Tridiagonal {
 public:
  Tridiagonal(std::vector<double> matrix, std::size_t n)
      : n_(n), a_(std::move(matrix)), reflectors_(n * n), scales_(n), p_(n) {
    for (std::size_t k = 0; k + 2 < n_; ++k) Reflect(k);
    for (std::size_t i = 0; i < n_; ++i) {
      diagonal.push_back(a_[i * n_ + i]);
      off_diagonal.push_back(i + 1 < n_ ? a_[i * n_ + i + 1] : 0);
    }
  }

  /// Qᵀ: row i will become the vector of value i.
  [[nodiscard]] std::vector<double> Basis() {
    std::vector<double> q(n_ * n_, 0);
    for (std::size_t i = 0; i < n_; ++i) q[i * n_ + i] = 1;
    for (std::size_t step = n_ < 2 ? 0 : n_ - 2; step > 0; --step) {
      const std::size_t k = step - 1;
      if (scales_[k] == 0) continue;
      const double* v = &reflectors_[k * n_];
      // Q = (1 - beta v vᵀ) Q; rows and columns up to k are still those of the identity.
      std::fill(p_.begin(), p_.end(), 0);
      for (std::size_t i = k + 1; i < n_; ++i) {
        AddScaled(v[i], &q[i * n_ + k + 1], &p_[k + 1], n_ - k - 1);
      }
      for (std::size_t i = k + 1; i < n_; ++i) {
        AddScaled(-scales_[k] * v[i], &p_[k + 1], &q[i * n_ + k + 1], n_ - k - 1);
      }
    }
    std::vector<double> transposed(n_ * n_);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j) transposed[j * n_ + i] = q[i * n_ + j];
    }
    return transposed;
  }

  std::vector<double> diagonal;
  std::vector<double> off_diagonal;  // [i] stands beside diagonal[i] and [i + 1]; the last is 0

 private:
  /// Makes column and row k zero beyond the neighbour of the diagonal.
  void Reflect(std::size_t k) {
    double* v = &reflectors_[k * n_];
    double square = 0;
    for (std::size_t i = k + 1; i < n_; ++i) {
      v[i] = a_[k * n_ + i];
      square += v[i] * v[i];
    }
    if (square - v[k + 1] * v[k + 1] == 0) return;  // zero already
    const double norm = std::sqrt(square);
    const double alpha = v[k + 1] > 0 ? -norm : norm;
    const double head = v[k + 1] - alpha;
    const double beta = 2 / (square - v[k + 1] * v[k + 1] + head * head);
    v[k + 1] = head;
    scales_[k] = beta;
    // p = beta A v, w = p - beta / 2 (pᵀ v) v, A = A - v wᵀ - w vᵀ.
    const std::size_t rest = n_ - k - 1;
    std::fill(p_.begin(), p_.end(), 0);
    for (std::size_t i = k + 1; i < n_; ++i) {
      AddScaled(beta * v[i], &a_[i * n_ + k + 1], &p_[k + 1], rest);
    }
    double product = 0;
    for (std::size_t i = k + 1; i < n_; ++i) product += p_[i] * v[i];
    AddScaled(-beta / 2 * product, v + k + 1, &p_[k + 1], rest);
    for (std::size_t i = k + 1; i < n_; ++i) {
      double* row = &a_[i * n_];
      const double vi = v[i];
      const double wi = p_[i];
      for (std::size_t j = k + 1; j < n_; ++j) row[j] -= vi * p_[j] + wi * v[j];
    }
    a_[k * n_ + k + 1] = alpha;
  }

  std::size_t n_;
  std::vector<double> a_;
  std::vector<double> reflectors_;  // row k: the vector of step k
  std::vector<double> scales_;      // beta of step k
  std::vector<double> p_;
};

void Rotate(double cosine, double sine, double* low, double* high, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double old_high = high[i];
    high[i] = sine * low[i] + cosine * old_high;
    low[i] = cosine * low[i] - sine * old_high;
  }
}

/// One implicit QL step on the block [first, last].
void QlStep(std::size_t first, std::size_t last, Tridiagonal& t, std::vector<double>& rows,
            std::size_t n) {
  std::vector<double>& d = t.diagonal;
  std::vector<double>& e = t.off_diagonal;
  double g = (d[first + 1] - d[first]) / (2 * e[first]);
  double r = std::sqrt(g * g + 1);
  g = d[last] - d[first] + e[first] / (g + std::copysign(r, g));
  double sine = 1;
  double cosine = 1;
  double p = 0;
  for (std::size_t i = last; i-- > first;) {
    const double f = sine * e[i];
    const double b = cosine * e[i];
    r = std::sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r == 0) {  // the block falls apart here
      d[i + 1] -= p;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * sine + 2 * cosine * b;
    p = sine * r;
    d[i + 1] = g + p;
    g = cosine * r - b;
    Rotate(cosine, sine, &rows[i * n], &rows[(i + 1) * n], n);
  }
  d[first] -= p;
  e[first] = g;
  e[last] = 0;
}

void Diagonalise(Tridiagonal& t, std::vector<double>& rows, std::size_t n) {
  const std::vector<double>& d = t.diagonal;
  for (std::size_t first = 0; first < n; ++first) {
    for (int step = 0;; ++step) {
      std::size_t last = first;
      while (last + 1 < n) {
        const double beside = std::abs(d[last]) + std::abs(d[last + 1]);
        if (std::abs(t.off_diagonal[last]) <= std::numeric_limits<double>::epsilon() * beside) {
          break;
        }
        ++last;
      }
      if (last == first) break;
      if (step == kMaxQlSteps) {
        throw Error(ErrorCode::kInternal, "the eigenvalues of a matrix did not converge");
      }
      QlStep(first, last, t, rows, n);
    }
  }
}

}  // namespace

EigenPairs SymmetricEigen(std::vector<double> matrix, std::size_t n) {
  if (matrix.size() != n * n || !std::all_of(matrix.begin(), matrix.end(),
                                             [](double value) { return std::isfinite(value); })) {
    throw Error(ErrorCode::kInvalidArgument, "no square matrix of finite numbers");
  }
  Tridiagonal t(std::move(matrix), n);
  std::vector<double> rows = t.Basis();
  Diagonalise(t, rows, n);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&t](std::size_t a, std::size_t b) { return t.diagonal[a] > t.diagonal[b]; });
  EigenPairs pairs;
  pairs.vectors.reserve(n * n);
  for (const std::size_t i : order) {
    pairs.values.push_back(t.diagonal[i]);
    pairs.vectors.insert(pairs.vectors.end(), rows.begin() + static_cast<std::ptrdiff_t>(i * n),
                         rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
  }
  return pairs;
}

}  // namespace sworn
