#include "llm/graph/coarse_matrix.h"

#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include <gtest/gtest.h>

#include "llm/files/dequantize.h"
#include "tests/llm/head_matrices.h"

namespace sworn::llm {
namespace {

using kernels::kCoarseBlock;
using kernels::kCoarseRows;

const kernels::KernelTable& Best() { return *kernels::FindKernels(""); }

struct Bounds {
  std::vector<float> logits;
  std::vector<float> estimates;
  std::vector<float> uppers;
};

Bounds BoundsOf(const HeadCase& made, const CoarseMatrix& coarse, std::span<const float> hidden,
                bool both) {
  const CoarseStates states(hidden, 1, coarse.blocks());
  EXPECT_TRUE(states.usable());
  Bounds bounds;
  std::vector<float> row(made.columns);
  for (std::size_t panel = 0; panel < coarse.panels(); ++panel) {
    float sums[kCoarseRows];
    float reach[kCoarseRows];
    float estimates[kCoarseRows];
    float uppers[kCoarseRows];
    Best().coarse_panel(coarse.panel(panel, both), coarse.blocks(), states.queries(), sums, reach);
    Best().coarse_bounds(coarse.rows(panel), both, states.factors(0), sums, reach, 0, estimates,
                         uppers);
    for (std::size_t r = 0; r < kCoarseRows && panel * kCoarseRows + r < made.rows; ++r) {
      WidenRow(made.matrix(), panel * kCoarseRows + r, Best(), row.data());
      float logit = 0;
      Best().dot(row.data(), made.columns, hidden.data(), made.columns, 1, &logit, 1);
      bounds.logits.push_back(logit);
      bounds.estimates.push_back(estimates[r]);
      bounds.uppers.push_back(uppers[r]);
    }
  }
  return bounds;
}

// Row `index` as the copy has it.
std::vector<double> Copied(const CoarseMatrix& coarse, std::size_t index, bool both) {
  const kernels::CoarsePanel panel = coarse.panel(index / kCoarseRows, true);
  const std::size_t r = index % kCoarseRows;
  std::vector<double> row(coarse.blocks() * kCoarseBlock);
  for (std::size_t c = 0; c < row.size(); ++c) {
    const int high = panel.high[c / 8 * 64 + 4 * r + c % 4] >> (c / 4 % 2 * 4) & 15;
    const int low = panel.low[c / 16 * 64 + 4 * r + c % 4] >> (c / 4 % 4 * 2) & 3;
    const int level = both ? 2 * (4 * high + low) - 63 : 4 * (2 * high - 15);
    row[c] = double{coarse.rows(index / kCoarseRows).scale[r]} *
             panel.scales[c / kCoarseBlock * kCoarseRows + r] * level;
  }
  return row;
}

void ForEachUsableState(const std::function<void(const HeadCase&, const CoarseMatrix&,
                                                 std::span<const float>)>& check) {
  ThreadTeam team(2);
  std::size_t checked = 0;
  for (const NamedHeadCase& named : HeadCases()) {
    const auto made = named.make();
    SCOPED_TRACE(made->name);
    const CoarseMatrix coarse(made->file, made->matrix(), Best(), team);
    if (!coarse.usable()) continue;
    for (std::size_t t = 0; t < kHeadStates; ++t) {
      const auto hidden = std::span(made->hidden).subspan(t * made->columns, made->columns);
      if (!CoarseStates(hidden, 1, coarse.blocks()).usable()) continue;
      check(*made, coarse, hidden);
      ++checked;
    }
  }
  EXPECT_GT(checked, 90U);
}

TEST(CoarseMatrix, NoLogitIsAboveItsUpperBoundOrBelowItsMirror) {
  ForEachUsableState([](const HeadCase& made, const CoarseMatrix& coarse,
                        std::span<const float> hidden) {
    for (const bool both : {false, true}) {
      const Bounds bounds = BoundsOf(made, coarse, hidden, both);
      for (std::size_t row = 0; row < made.rows; ++row) {
        ASSERT_LE(bounds.logits[row], bounds.uppers[row]) << "row " << row;
        const double reach = double{bounds.uppers[row]} - bounds.estimates[row];
        ASSERT_GE(bounds.logits[row], bounds.estimates[row] - reach * (1 + 1e-6)) << "row " << row;
      }
    }
  });
}

TEST(CoarseMatrix, TheBoundIsReachedByAStateInTheDirectionOfARowsResidual) {
  const auto made = HeadCases()[2].make();  // random F32
  ThreadTeam team(1);
  const CoarseMatrix coarse(made->file, made->matrix(), Best(), team);
  std::vector<float> row(made->columns);
  for (const bool both : {false, true}) {
    for (const std::size_t index : {std::size_t{0}, std::size_t{1'234}, made->rows - 1}) {
      WidenRow(made->matrix(), index, Best(), row.data());
      const std::vector<double> copy = Copied(coarse, index, both);
      std::vector<float> hidden;
      for (std::size_t c = 0; c < row.size(); ++c) {
        hidden.push_back(static_cast<float>(row[c] - copy[c]));
      }
      const Bounds bounds = BoundsOf(*made, coarse, hidden, both);
      const float error = bounds.logits[index] - bounds.estimates[index];
      const float bound = bounds.uppers[index] - bounds.estimates[index];
      EXPECT_LE(error, bound);
      EXPECT_GT(error, 0.99F * bound) << "both " << both << " row " << index;
    }
  }
}

TEST(CoarseMatrix, TheCopyIsWithinHalfALevelOfEveryWeight) {
  ForEachUsableState(
      [](const HeadCase& made, const CoarseMatrix& coarse, std::span<const float> hidden) {
        if (hidden.data() != made.hidden.data()) return;  // once for each matrix
        std::vector<float> row(made.columns);
        for (std::size_t index = 0; index < made.rows; index += 41) {
          WidenRow(made.matrix(), index, Best(), row.data());
          const std::vector<double> copy = Copied(coarse, index, true);
          const CoarseRows& rows = coarse.rows(index / kCoarseRows);
          double squares = 0;
          for (std::size_t c = 0; c < row.size(); ++c) {
            const double unit = double{rows.scale[index % kCoarseRows]} *
                                coarse.panel(index / kCoarseRows, true)
                                    .scales[c / kCoarseBlock * kCoarseRows + index % kCoarseRows];
            ASSERT_LE(std::abs(row[c] - copy[c]), unit * (1 + 1e-9)) << "row " << index;
            squares += (row[c] - copy[c]) * (row[c] - copy[c]);
          }
          ASSERT_GE(rows.residual_both[index % kCoarseRows], std::sqrt(squares)) << "row " << index;
        }
      });
}

TEST(CoarseMatrix, ALargeSingleValueOfTheStateWidensTheBoundByItsOwnSizeOnly) {
  const auto made = RandomHeadCase();
  ThreadTeam team(1);
  const CoarseMatrix coarse(made->file, made->matrix(), Best(), team);
  std::vector<float> hidden(made->columns, 0.001F);
  hidden[5] = 100;
  const Bounds bounds = BoundsOf(*made, coarse, hidden, true);
  for (std::size_t row = 0; row < made->rows; ++row) {
    // 6 bits of a block whose largest weight is about 2.4 * 0.02: half a level is 0.0007, and the
    // norm of the row's residual 0.008.
    ASSERT_LT(bounds.uppers[row] - bounds.estimates[row], 0.35F) << "row " << row;
  }
}

TEST(CoarseMatrix, ValuesThatAreNotFiniteMakeItUnusable) {
  ThreadTeam team(1);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(32 * 64, 1.0F);
    values[20 * 64 + 3] = bad;
    const auto made = MakeHeadCase("bad", values, 64, DType::kF32, {});
    EXPECT_FALSE(CoarseMatrix(made->file, made->matrix(), Best(), team).usable());
    std::vector<float> hidden(64, 1.0F);
    EXPECT_TRUE(CoarseStates(hidden, 1, 1).usable());
    hidden[9] = bad;
    EXPECT_FALSE(CoarseStates(hidden, 1, 1).usable());
  }
}

}  // namespace
}  // namespace sworn::llm
