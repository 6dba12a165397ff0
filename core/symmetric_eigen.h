// Eigenvalues and eigenvectors of small dense symmetric matrices, in an order of operations that
// depends on nothing but the matrix: the same bits on every machine.
//
// Method: Householder tridiagonalisation, then implicit QL with Wilkinson's shift (Wilkinson and
// Reinsch, Handbook for Automatic Computation II, 1971, contributions II/2 and II/4). About
// 9 n^3 operations.
#pragma once

#include <cstddef>
#include <vector>

namespace sworn {

struct EigenPairs {
  std::vector<double> values;   // descending
  std::vector<double> vectors;  // row-major [n, n]: row i has unit norm and belongs to values[i]
};

/// `matrix` is row-major [n, n], symmetric and finite (kInvalidArgument if its size is not n * n or
/// a value is not finite). Which of two opposite vectors is given is unspecified but fixed.
EigenPairs SymmetricEigen(std::vector<double> matrix, std::size_t n);

}  // namespace sworn
