// Output matrices and hidden states that are hard for a search by bounds.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llm/files/model_file.h"
#include "tests/support/model_in_memory.h"

namespace sworn::llm {

struct HeadCase {
  std::string name;
  std::size_t rows;
  std::size_t columns;
  DType dtype;
  test::ModelInMemory file;   // holds "output.weight"
  std::vector<float> hidden;  // [kHeadStates, columns]

  [[nodiscard]] const TensorView& matrix() const { return *file.Find("output.weight"); }
};

inline constexpr std::size_t kHeadStates = 6;

/// Each call makes the case anew.
struct NamedHeadCase {
  std::string name;
  std::function<std::unique_ptr<HeadCase>()> make;
};

/// Random, peaked, equal, zero, huge, tiny, differing in the last bit, with outliers; several
/// types. All finite, each with 4,105 rows.
const std::vector<NamedHeadCase>& HeadCases();

/// The case "random F16", 4,105 x 320.
std::unique_ptr<HeadCase> RandomHeadCase();

/// `values` is [rows, columns].
std::unique_ptr<HeadCase> MakeHeadCase(const std::string& name, const std::vector<float>& values,
                                       std::size_t columns, DType dtype, std::vector<float> hidden);

}  // namespace sworn::llm
