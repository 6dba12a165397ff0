// How long something took, by a clock that tests choose.
#pragma once

#include <cstdint>

#include "core/clock.h"

namespace sworn::service {

inline constexpr double kMillisPerSecond = 1000;

/// Starts when it is made; the clock outlives it.
class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock) : clock_(clock), start_ns_(clock.MonotonicNanos()) {}

  [[nodiscard]] double Millis() const {
    constexpr double kNanosPerMilli = 1e6;
    return static_cast<double>(clock_.MonotonicNanos() - start_ns_) / kNanosPerMilli;
  }

 private:
  const Clock& clock_;
  std::int64_t start_ns_;
};

}  // namespace sworn::service
