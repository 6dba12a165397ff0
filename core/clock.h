// Time as a parameter, so that tests choose it.
#pragma once

#include <cstdint>
#include <string>

namespace sworn {

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Milliseconds since 1970-01-01T00:00:00Z.
  [[nodiscard]] virtual std::int64_t UtcMillis() const = 0;

  /// Nanoseconds that never step back within one boot.
  [[nodiscard]] virtual std::int64_t MonotonicNanos() const = 0;
};

class SystemClock : public Clock {
 public:
  [[nodiscard]] std::int64_t UtcMillis() const override;
  [[nodiscard]] std::int64_t MonotonicNanos() const override;
};

/// RFC 3339 in UTC with milliseconds: "2026-01-31T09:05:00.000Z". Years 0000 to 9999.
std::string FormatRfc3339(std::int64_t utc_millis);

/// Reads "2026-01-31" (midnight UTC) or a full RFC 3339 time with any offset; throws
/// Error(kInvalidArgument) that names the text otherwise.
std::int64_t ParseRfc3339(const std::string& text);

}  // namespace sworn
