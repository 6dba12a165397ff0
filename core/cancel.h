// A request to stop, set by a signal handler or another thread and polled by long work.
#pragma once

#include <atomic>

#include "core/error.h"

namespace sworn {

/// Lock-free, so a signal handler may call Cancel().
class CancelFlag {
 public:
  void Cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_relaxed);
  }
  void ThrowIfCancelled() const {
    if (cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
  }

 private:
  std::atomic<bool> cancelled_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace sworn
