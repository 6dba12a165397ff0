#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "indexer/extract/extraction_pool.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/sandbox.h"

namespace sworn::indexer {
namespace {

using ::testing::HasSubstr;

ExtractionPoolOptions TestOptions() {
  ExtractionPoolOptions options;
  options.program = EXTRACT_TEST_WORKER;
  options.workers = 1;
  return options;
}

std::string ReasonOf(ExtractionPool& pool, std::string_view bytes) {
  const ExtractionResult result = pool.Extract(bytes, "file.txt");
  EXPECT_EQ(result.status, ExtractionStatus::kFailed) << result.text.text;
  return result.reason;
}

void ExpectStillWorks(ExtractionPool& pool) {
  const ExtractionResult result = pool.Extract("A good file.", "good.txt");
  EXPECT_EQ(result.status, ExtractionStatus::kText) << result.reason;
  EXPECT_EQ(result.text.text, "A good file.");
}

std::string TextOf(ExtractionPool& pool, std::string_view bytes) {
  const ExtractionResult result = pool.Extract(bytes, "file.txt");
  EXPECT_EQ(result.status, ExtractionStatus::kText) << result.reason;
  return result.text.text;
}

TEST(ExtractionPoolTest, OneWorkerServesManyFiles) {
  ExtractionPool pool(TestOptions());
  const std::string first = TextOf(pool, "pid");
  EXPECT_FALSE(first.empty());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(TextOf(pool, "pid"), first);
}

TEST(ExtractionPoolTest, AWorkerOutlivesTheThreadThatNeededIt) {
  ExtractionPool pool(TestOptions());
  std::string first;
  std::thread([&] { first = TextOf(pool, "pid"); }).join();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(TextOf(pool, "pid"), first);
}

TEST(ExtractionPoolTest, ACrashCostsOneFileAndIsNamed) {
  ExtractionPool pool(TestOptions());
  if (AddressSpaceCanBeLimited()) {
    EXPECT_EQ(ReasonOf(pool, "crash"), "worker killed by signal 11");
    EXPECT_EQ(ReasonOf(pool, "abort"), "worker killed by signal 6");
  } else {
    EXPECT_THAT(ReasonOf(pool, "crash"), HasSubstr("worker "));
  }
  EXPECT_EQ(ReasonOf(pool, "exit"), "worker ended with status 7");
  ExpectStillWorks(pool);
}

TEST(ExtractionPoolTest, AHangEndsAtTheTimeLimit) {
  ExtractionPoolOptions options = TestOptions();
  options.limits.max_seconds = 1;
  ExtractionPool pool(options);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ReasonOf(pool, "hang"), "took longer than 1 s (max_seconds)");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ExpectStillWorks(pool);
}

TEST(ExtractionPoolTest, AMemoryHogRunsIntoItsLimit) {
  if (!AddressSpaceCanBeLimited()) GTEST_SKIP() << "no memory limit under a sanitizer";
  ExtractionPoolOptions options = TestOptions();
  options.limits.max_worker_memory_bytes = 512 * kMebibyte;
  ExtractionPool pool(options);
  EXPECT_EQ(ReasonOf(pool, "hog"), "ran out of memory (max_worker_memory_bytes)");
  ExpectStillWorks(pool);
}

TEST(ExtractionPoolTest, AHostileAnswerIsRefusedAndItsWorkerReplaced) {
  ExtractionPool pool(TestOptions());
  const std::string before = TextOf(pool, "pid");
  EXPECT_THAT(ReasonOf(pool, "garbage"), HasSubstr("answer is not valid"));
  EXPECT_THAT(ReasonOf(pool, "lie"), HasSubstr("answer is not valid: a block's range"));
  EXPECT_NE(TextOf(pool, "pid"), before);
}

TEST(ExtractionPoolTest, AParsersOwnWordsStayInside) {
  ExtractionPool pool(TestOptions());
  EXPECT_EQ(ReasonOf(pool, "throw"), "damaged: its parser gave up");
}

TEST(ExtractionPoolTest, TheSandboxRefusesWhatAParserNeverNeeds) {
  ExtractionPool pool(TestOptions());
  for (const char* attempt : {"socket", "execute", "fork", "write", "other"}) {
    EXPECT_EQ(TextOf(pool, attempt), "blocked") << attempt;
  }
  EXPECT_EQ(TextOf(pool, "read /usr"), "allowed");
  const bool has_landlock = DescribeSandbox().landlock_abi > 0;
  EXPECT_EQ(TextOf(pool, "read /root"), has_landlock ? "blocked" : "allowed");
}

TEST(ExtractionPoolTest, TheSandboxCanBeDescribed) {
  const SandboxReport report = DescribeSandbox();
  EXPECT_TRUE(report.seccomp);
  EXPECT_THAT(report.description, HasSubstr("seccomp"));
}

TEST(ExtractionPoolTest, ManyThreadsShareFewWorkers) {
  ExtractionPoolOptions options = TestOptions();
  options.workers = 2;
  ExtractionPool pool(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string text = "file " + std::to_string(t) + "/" + std::to_string(i);
        if (i == 5 && t % 2 == 0) {
          EXPECT_EQ(ReasonOf(pool, "exit"), "worker ended with status 7");
        } else {
          EXPECT_EQ(TextOf(pool, text), text);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ExtractionPoolTest, CancellingEndsABusyWorkerAtOnce) {
  CancelFlag cancel;
  ExtractionPoolOptions options = TestOptions();
  options.cancel = &cancel;
  ExtractionPool pool(options);
  ExpectStillWorks(pool);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    cancel.Cancel();
  });
  try {
    pool.Extract("hang", "file.txt");
    ADD_FAILURE() << "a cancelled extraction came back";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  canceller.join();
}

TEST(ExtractionPoolTest, EmptyAndUnsupportedFilesAreSkipped) {
  ExtractionPool pool(TestOptions());
  const ExtractionResult empty = pool.Extract("", "empty.pdf");
  EXPECT_EQ(empty.status, ExtractionStatus::kSkipped);
  EXPECT_EQ(empty.reason, "empty");
  const ExtractionResult image = pool.Extract("\x89PNG\r\n\x1a\n....", "picture.png");
  EXPECT_EQ(image.status, ExtractionStatus::kSkipped);
  EXPECT_EQ(image.reason, "unsupported: image/png");
}

TEST(ExtractionPoolTest, AFileBeyondTheLimitFailsWithTheLimitsName) {
  ExtractionPoolOptions options = TestOptions();
  options.limits.max_file_bytes = 10;
  ExtractionPool pool(options);
  EXPECT_EQ(ReasonOf(pool, "eleven bytes"), "larger than 10 bytes (max_file_bytes)");
}

TEST(ExtractionPoolTest, AHugeSingleLineFailsByName) {
  if (!AddressSpaceCanBeLimited()) GTEST_SKIP() << "too slow under a sanitizer";
  ExtractionPool pool(TestOptions());
  EXPECT_EQ(ReasonOf(pool, std::string(100 * kMebibyte, 'x')), "the text is larger than 64 MiB");
  ExpectStillWorks(pool);
}

TEST(ExtractionPoolTest, AProgramThatIsNoWorkerIsAnError) {
  ExtractionPoolOptions options = TestOptions();
  options.program = "/bin/true";
  ExtractionPool pool(options);
  EXPECT_THROW(pool.Extract("text", "file.txt"), Error);
  options.program = "/nonexistent/program";
  ExtractionPool nothing(options);
  EXPECT_THROW(nothing.Extract("text", "file.txt"), Error);
}

TEST(ToolConversionTest, RtfBecomesTextThroughUnrtf) {
  ExtractionPool pool(TestOptions());
  const ExtractionResult result = pool.Extract(
      "{\\rtf1\\ansi Hello \\b bold\\b0  world.\\par Second paragraph.\\par}", "letter.rtf");
  ASSERT_EQ(result.status, ExtractionStatus::kText) << result.reason;
  EXPECT_EQ(result.media_type, media::kRtf);
  EXPECT_THAT(result.text.text, HasSubstr("Hello bold world."));
  EXPECT_THAT(result.text.text, HasSubstr("Second paragraph."));
  EXPECT_THAT(result.text.extractor, HasSubstr("unrtf"));
}

TEST(ToolConversionTest, ADamagedFileOfAnOldFormatFailsByName) {
  ExtractionPool pool(TestOptions());
  const std::string ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + std::string(600, '\x01');
  const ExtractionResult result = pool.Extract(ole, "broken.xls");
  EXPECT_EQ(result.status, ExtractionStatus::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("xls2csv"));
}

TEST(ToolConversionTest, AToolHasNoNetworkNoFilesAndNoSecondProgram) {
  // A shell is the most able of tools; what it cannot do, no converter can.
  const ToolCommand shell{"/bin/sh",
                          {"-c",
                           "echo start; echo x > /tmp/sworn-tool-escape && echo wrote; "
                           "exec /bin/echo executed"},
                          "dash",
                          std::string(media::kPlainText)};
  const ToolOutput output = RunTool(EXTRACT_TEST_WORKER, shell, "input", {}, nullptr);
  ASSERT_TRUE(output.ok) << output.reason;
  EXPECT_EQ(output.bytes, "start\n");
}

TEST(ToolConversionTest, AToolThatHangsEndsAtTheTimeLimit) {
  ExtractLimits limits;
  limits.max_seconds = 1;
  const ToolCommand shell{"/bin/sh", {"-c", "while :; do :; done"}, "dash", "text/plain"};
  const ToolOutput output = RunTool(EXTRACT_TEST_WORKER, shell, "input", limits, nullptr);
  EXPECT_FALSE(output.ok);
  EXPECT_EQ(output.reason, "sh took longer than 1 s (max_seconds)");
}

TEST(ToolConversionTest, AToolThatIsNotThereFails) {
  const ToolCommand none{"/usr/bin/no-such-converter", {}, "none", "text/plain"};
  const ToolOutput output = RunTool(EXTRACT_TEST_WORKER, none, "input", {}, nullptr);
  EXPECT_FALSE(output.ok);
  EXPECT_THAT(output.reason, HasSubstr("status 127"));
}

}  // namespace
}  // namespace sworn::indexer
