#include "core/clock.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn {
namespace {

TEST(ClockTest, FormatsWithMilliseconds) {
  EXPECT_EQ(FormatRfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatRfc3339(1769850300123), "2026-01-31T09:05:00.123Z");
  EXPECT_EQ(FormatRfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(ClockTest, ParsesWhatItFormats) {
  for (const std::int64_t millis : {0LL, 1769850300123LL, -86400000LL, 253402300799999LL}) {
    EXPECT_EQ(ParseRfc3339(FormatRfc3339(millis)), millis);
  }
}

TEST(ClockTest, ParsesDatesAndOffsets) {
  EXPECT_EQ(ParseRfc3339("1970-01-02"), 86400000);
  EXPECT_EQ(ParseRfc3339("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.5Z"), 500);
}

TEST(ClockTest, RefusesWhatIsNoDate) {
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-01-01T25:00:00Z",
                           "2026-01-01T00:00:00", "2026-01-01x", "2026-01-01T00:00:00.Z"}) {
    EXPECT_THROW(ParseRfc3339(text), Error) << text;
  }
}

}  // namespace
}  // namespace sworn
