// Downloads from a server of the test's own.
#include "api/service/download.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/http_server.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

using testing::HasSubstr;
using testing::Not;

class DownloadTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CanDownload()) GTEST_SKIP() << "built without network code";
    ::setenv("no_proxy", "127.0.0.1", 1);  // NOLINT(concurrency-mt-unsafe)
    for (int i = 0; i < 300'000; ++i) server_.body.push_back(static_cast<char>(i * 7 % 251));
    request_.url = server_.url();
    request_.part = scratch_.path() / "model.part";
    request_.max_bytes = 1'000'000;
    request_.attempts = 3;
    request_.pause_ms = 1;
  }

  void Fetch() {
    Download(
        request_, files_,
        [this](std::uint64_t done, std::uint64_t total) {
          done_ = done;
          total_ = total;
        },
        cancel_);
  }

  ErrorCode Refusal() {
    try {
      Fetch();
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "accepted";
    return ErrorCode::kInternal;
  }

  std::string Part() { return ReadFile(request_.part, 1 << 24); }

  test::TempFolder scratch_;
  test::HttpServer server_;
  DownloadRequest request_;
  FileOps files_;
  CancelFlag cancel_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  std::string message_;
};

TEST_F(DownloadTest, AWholeFileArrivesWithItsProgress) {
  Fetch();
  EXPECT_EQ(Part(), server_.body);
  EXPECT_EQ(done_, server_.body.size());
  EXPECT_EQ(total_, server_.body.size());
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(DownloadTest, ACutConnectionIsGoneOnWithWhereItBroke) {
  server_.cuts = 1;
  server_.cut_after = 100'000;
  Fetch();
  EXPECT_EQ(Part(), server_.body);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_THAT(requests[0], Not(HasSubstr("Range:")));
  EXPECT_THAT(requests[1], HasSubstr("Range: bytes=100000-"));
  EXPECT_THAT(requests[1], HasSubstr("If-Range: \"v1\""));
}

TEST_F(DownloadTest, ALaterCallGoesOnWithWhatIsThere) {
  server_.cuts = 3;
  server_.cut_after = 50'000;
  EXPECT_EQ(Refusal(), ErrorCode::kUnreachable);
  EXPECT_EQ(Part().size(), 150'000U);
  Fetch();
  EXPECT_EQ(Part(), server_.body);
  EXPECT_THAT(server_.requests().back(), HasSubstr("Range: bytes=150000-"));
}

TEST_F(DownloadTest, AFileThatChangedMeanwhileStartsAnew) {
  server_.cuts = 3;
  server_.cut_after = 50'000;
  EXPECT_EQ(Refusal(), ErrorCode::kUnreachable);
  server_.body = std::string(70'000, 'n');
  server_.etag = "\"v2\"";
  Fetch();
  EXPECT_EQ(Part(), server_.body);
}

TEST_F(DownloadTest, WithoutATagNothingIsMixed) {
  server_.etag.clear();
  server_.cuts = 1;
  server_.cut_after = 100'000;
  Fetch();
  EXPECT_EQ(Part(), server_.body);
  EXPECT_THAT(server_.requests().back(), Not(HasSubstr("Range:")));
}

TEST_F(DownloadTest, AWeakTagIsNoTag) {
  server_.etag = "W/\"v1\"";
  server_.cuts = 1;
  server_.cut_after = 100'000;
  Fetch();
  EXPECT_EQ(Part(), server_.body);
  EXPECT_THAT(server_.requests().back(), Not(HasSubstr("Range:")));
}

TEST_F(DownloadTest, AServerWithoutRangesSendsItAllAgain) {
  server_.ranges = false;
  server_.cuts = 1;
  server_.cut_after = 100'000;
  Fetch();
  EXPECT_EQ(Part(), server_.body);
}

TEST_F(DownloadTest, AMissingFileIsNotFoundAndIsNotTriedAgain) {
  request_.url = server_.base() + "/other";
  EXPECT_EQ(Refusal(), ErrorCode::kNotFound);
  EXPECT_EQ(server_.requests().size(), 1U);
  EXPECT_EQ(Part(), "");
}

TEST_F(DownloadTest, MoreThanTheLimitIsRefusedBeforeItIsWritten) {
  request_.max_bytes = server_.body.size() - 1;
  EXPECT_EQ(Refusal(), ErrorCode::kTooLarge);
  EXPECT_EQ(Part().size(), 0U);
  server_.length = false;  // now only the bytes themselves tell
  EXPECT_EQ(Refusal(), ErrorCode::kTooLarge);
  EXPECT_LT(Part().size(), server_.body.size());
}

TEST_F(DownloadTest, ARedirectionIsFollowedAndALoopIsNot) {
  server_.redirect_to = server_.url();
  request_.url = server_.base() + "/moved";
  Fetch();
  EXPECT_EQ(Part(), server_.body);
  server_.redirect_to = server_.base() + "/moved";
  EXPECT_EQ(Refusal(), ErrorCode::kUnreachable);
}

TEST_F(DownloadTest, CancellingStopsAndKeepsThePart) {
  cancel_.Cancel();
  EXPECT_EQ(Refusal(), ErrorCode::kCancelled);
}

TEST_F(DownloadTest, OtherSchemesAreRefused) {
  for (const char* url : {"file:///etc/passwd", "ftp://x/y", "model"}) {
    request_.url = url;
    EXPECT_EQ(Refusal(), ErrorCode::kInvalidArgument) << url;
  }
  server_.redirect_to = "file:///etc/passwd";
  request_.url = server_.base() + "/moved";
  EXPECT_EQ(Refusal(), ErrorCode::kUnreachable);
}

TEST_F(DownloadTest, NobodyAtHomeIsUnreachable) {
  request_.url = "http://127.0.0.1:1/model.gguf";
  EXPECT_EQ(Refusal(), ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace sworn::service
