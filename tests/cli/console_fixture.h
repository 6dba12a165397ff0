// A console that writes into strings, and a clock that stands still until it is moved.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

#include "cli/output.h"
#include "core/clock.h"

namespace sworn::test {

class ManualClock : public Clock {
 public:
  [[nodiscard]] std::int64_t UtcMillis() const override { return 0; }
  [[nodiscard]] std::int64_t MonotonicNanos() const override { return nanos; }

  std::int64_t nanos = 1'000'000'000'000;
};

struct ConsoleFixture {
  std::ostringstream out;
  std::ostringstream err;
  cli::Console console{.out = out, .err = err};
};

}  // namespace sworn::test
