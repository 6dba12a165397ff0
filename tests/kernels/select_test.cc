#include <algorithm>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/kernels.h"

namespace sworn::kernels {
namespace {

TEST(FindKernels, GivesTheBestTableForAnEmptyName) {
  EXPECT_EQ(FindKernels(""), RunnableKernels().front());
}

TEST(FindKernels, GivesEveryRunnableTableByItsName) {
  for (const KernelTable* table : RunnableKernels()) EXPECT_EQ(FindKernels(table->name), table);
}

TEST(FindKernels, KnowsNoOtherName) {
  EXPECT_EQ(FindKernels("avx9"), nullptr);
  EXPECT_EQ(FindKernels("Scalar"), nullptr);
  EXPECT_EQ(FindKernels("scalar "), nullptr);
}

TEST(RunnableKernels, EndWithTheScalarTable) {
  EXPECT_EQ(RunnableKernels().back()->name, "scalar");
}

TEST(RunnableKernels, StandAmongTheKnownNamesInTheSameOrder) {
  const auto known = KnownKernelNames();
  auto next = known.begin();
  for (const KernelTable* table : RunnableKernels()) {
    next = std::find(next, known.end(), table->name);
    ASSERT_NE(next, known.end()) << table->name;
    ++next;
  }
}

TEST(RunnableKernels, HaveEveryOperation) {
  for (const KernelTable* table : RunnableKernels()) {
    SCOPED_TRACE(table->name);
    EXPECT_NE(table->ternary_panel, nullptr);
    EXPECT_NE(table->int8_panel, nullptr);
    EXPECT_NE(table->coarse_panel, nullptr);
    EXPECT_NE(table->coarse_bounds, nullptr);
    EXPECT_NE(table->scan_codes, nullptr);
    EXPECT_NE(table->quantize, nullptr);
    EXPECT_NE(table->scale_int32, nullptr);
    EXPECT_NE(table->dot, nullptr);
    EXPECT_NE(table->widen_f16, nullptr);
    EXPECT_NE(table->widen_bf16, nullptr);
    EXPECT_NE(table->narrow_f16, nullptr);
    EXPECT_NE(table->rms_norm, nullptr);
    EXPECT_NE(table->add, nullptr);
    EXPECT_NE(table->rotate, nullptr);
    EXPECT_NE(table->relu2_gate, nullptr);
    EXPECT_NE(table->silu_gate, nullptr);
    EXPECT_NE(table->gelu_gate, nullptr);
    EXPECT_NE(table->exp, nullptr);
    EXPECT_NE(table->attend, nullptr);
  }
}

}  // namespace
}  // namespace sworn::kernels
