#include "llm/decode/gate.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::llm {
namespace {

TEST(Gate, NeverLetsMoreInThanAllowed) {
  Gate gate(2, 100);
  const CancelFlag cancel;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const Gate::Pass pass(gate, cancel);
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 2);
  EXPECT_GE(most, 1);
}

TEST(Gate, IsBusyWhenTooManyWait) {
  Gate gate(1, 0);
  const CancelFlag cancel;
  std::optional<Gate::Pass> first(std::in_place, gate, cancel);
  try {
    const Gate::Pass second(gate, cancel);
    FAIL() << "two are inside";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
  }
  first.reset();
  const Gate::Pass third(gate, cancel);
}

TEST(Gate, LetsGoOfACancelledCaller) {
  Gate gate(1, 2);
  const CancelFlag never;
  CancelFlag cancel;
  std::optional<Gate::Pass> first(std::in_place, gate, never);
  std::thread waiting([&] {
    try {
      const Gate::Pass second(gate, cancel);
      ADD_FAILURE() << "came in";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCancelled);
    }
  });
  cancel.Cancel();
  waiting.join();
  first.reset();
  const Gate::Pass third(gate, never);
}

}  // namespace
}  // namespace sworn::llm
