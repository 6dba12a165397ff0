#include "cli/progress.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/console_fixture.h"

namespace sworn::cli {
namespace {

using test::ConsoleFixture;
using test::ManualClock;
using testing::HasSubstr;

constexpr std::int64_t kMillisecond = 1'000'000;

service::IndexProgress State(std::uint64_t done, std::uint64_t total, double seconds) {
  service::IndexProgress progress;
  progress.phase = "indexing";
  progress.done = done;
  progress.total = total;
  progress.seconds = seconds;
  progress.path = "f" + std::to_string(done);
  return progress;
}

TEST(Progress, TheBarShowsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressBar(State(250, 1000, 2.5), 2.5, 200),
            "indexing [######                  ] 250/1,000  100/s  0:08 left");
  EXPECT_EQ(ProgressBar(State(1, 7201, 1), 1, 200),
            "indexing [                        ] 1/7,201  1/s  2:00:00 left");
  EXPECT_EQ(ProgressBar(State(0, 0, 0), 0, 200), "indexing");
  EXPECT_EQ(ProgressBar(State(5, 10, 1), 1, 12).size(), 12U);
}

TEST(Progress, ObjectsComeAtMostTwiceASecondButTheEndAlwaysShows) {
  ConsoleFixture fixture;
  fixture.console.json = true;
  ManualClock clock;
  ProgressPrinter printer(fixture.console, clock);
  for (std::uint64_t done = 0; done <= 1000; ++done) {
    printer.Show(State(done, 1000, 0));
    clock.nanos += kMillisecond;
  }
  std::istringstream lines(fixture.err.str());
  std::vector<std::uint64_t> shown;
  for (std::string line; std::getline(lines, line);) {
    shown.push_back(nlohmann::json::parse(line).at("done").get<std::uint64_t>());
  }
  EXPECT_THAT(shown, testing::ElementsAre(0, 500, 1000));
  EXPECT_EQ(fixture.out.str(), "");
}

TEST(Progress, APhaseThatCountsAsItGoesIsThrottledToo) {
  ConsoleFixture fixture;
  fixture.console.json = true;
  ManualClock clock;
  ProgressPrinter printer(fixture.console, clock);
  for (std::uint64_t done = 1; done <= 100; ++done) printer.Show(State(done, done, 0));
  const std::string written = fixture.err.str();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
}

TEST(Progress, ATerminalGetsOneLineThatIsTakenAway) {
  ConsoleFixture fixture;
  fixture.console.err_is_terminal = true;
  ManualClock clock;
  {
    ProgressPrinter printer(fixture.console, clock);
    printer.Show(State(1, 10, 0.1));
    printer.Show(State(2, 10, 0.2));  // too early
  }
  EXPECT_THAT(fixture.err.str(), HasSubstr("1/10"));
  EXPECT_THAT(fixture.err.str(), testing::Not(HasSubstr("2/10")));
  EXPECT_TRUE(fixture.err.str().ends_with("\r\x1b[K"));
}

TEST(Progress, WithoutATerminalOrWithQuietNothingIsWritten) {
  ManualClock clock;
  ConsoleFixture plain;
  ConsoleFixture quiet;
  quiet.console.quiet = true;
  quiet.console.json = true;
  quiet.console.err_is_terminal = true;
  for (ConsoleFixture* fixture : {&plain, &quiet}) {
    ProgressPrinter printer(fixture->console, clock);
    printer.Show(State(1, 10, 0.1));
    printer.Show(State(10, 10, 0.1));
    printer.Clear();
    EXPECT_EQ(fixture->err.str(), "");
  }
}

TEST(Progress, VerboseNamesEveryFileOnceAndSafely) {
  ConsoleFixture fixture;
  fixture.console.verbose = true;
  ManualClock clock;
  ProgressPrinter printer(fixture.console, clock);
  service::IndexProgress state = State(1, 10, 0);
  state.path = "a\x1b[2Jb\nc";
  printer.Show(state);
  printer.Show(state);
  EXPECT_EQ(fixture.err.str(), "ab c\n");
}

}  // namespace
}  // namespace sworn::cli
