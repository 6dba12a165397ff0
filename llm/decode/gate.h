// Lets a bounded number of callers through at a time, in the order in which they came.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

#include "core/cancel.h"

namespace sworn::llm {

/// Thread-safe. Must outlive its passes.
class Gate {
 public:
  /// `inside` (at least 1) callers at once; `waiting` more may wait for their turn.
  Gate(std::size_t inside, std::size_t waiting) : inside_(inside), waiting_(waiting) {}

  /// Waits until it is the caller's turn. Throws kBusy if too many wait already and kCancelled
  /// within 50 ms of `cancel`.
  class Pass {
   public:
    Pass(Gate& gate, const CancelFlag& cancel) : gate_(gate) { gate_.Enter(cancel); }
    ~Pass() { gate_.Leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
  };

 private:
  void Enter(const CancelFlag& cancel);
  void Leave();

  const std::size_t inside_;
  const std::size_t waiting_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable turn_;
  std::size_t now_inside_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::deque<std::uint64_t> queue_;  // tickets of those who wait
};

}  // namespace sworn::llm
