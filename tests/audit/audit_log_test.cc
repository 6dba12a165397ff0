#include "audit/audit_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "audit/audit_reader.h"
#include "audit/audit_store.h"
#include "audit/audit_verify.h"
#include "audit/tlog_proof.h"
#include "core/error.h"
#include "core/sqlite.h"
#include "tests/audit/log_fixture.h"

namespace sworn::audit {
namespace {

using test::AnswerTo;
using test::LogFixture;
using test::Question;

class AuditLogTest : public testing::Test, protected LogFixture {
 protected:
  VerifyReport Verify() { return VerifyLog(folder.path(), {}); }

  ErrorCode CodeOfOpening() {
    try {
      AuditLog log = Open();
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "opening should have failed";
    return ErrorCode::kInternal;
  }

  std::string message_;
};

TEST_F(AuditLogTest, AnAnswerLeavesIntentOutcomeAndAReceiptThatVerifies) {
  AuditLog log = Open();
  PendingIntent intent = log.BeginIntent(Question("what?"));
  EXPECT_EQ(intent.index(), 1U);
  const Receipt receipt = log.Finish(std::move(intent), AnswerTo("that"));
  EXPECT_EQ(receipt.index, 2U);
  EXPECT_EQ(receipt.checkpoint_size, 3U);
  const Checkpoint checkpoint =
      VerifyTlogProof(ParseTlogProof(receipt.tlog_proof), log.public_key());
  EXPECT_EQ(checkpoint.size, 3U);
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.ok) << report.reason;
  EXPECT_EQ(report.entries, 3U);
  EXPECT_EQ(report.checkpoints, 2U);
  EXPECT_EQ(report.payloads, 3U);
  EXPECT_EQ(report.open_intents, 0U);
}

TEST_F(AuditLogTest, AnIntentWithoutOutcomeIsOpenWhileItLivesAndCrashedAfterwards) {
  {
    AuditLog log = Open();
    const PendingIntent intent = log.BeginIntent(Question("a"));
    { AuditLog other = Open(); }
    EXPECT_EQ(Verify().entries, 2U);
    EXPECT_EQ(Verify().open_intents, 1U);
  }
  { AuditLog log = Open(); }
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.ok) << report.reason;
  EXPECT_EQ(report.open_intents, 0U);
  EXPECT_EQ(AuditReader(folder.path()).Show(2).at("status"), "crashed");
  { AuditLog again = Open(); }
  EXPECT_EQ(Verify().entries, 3U);
}

TEST_F(AuditLogTest, AnOldFileIsRefusedAndBothSizesAreNamed) {
  Fill(2);
  const LogPaths paths(folder.path());
  const std::string old_log = ReadFile(paths.log, 1 << 20);
  Fill(3);
  folder.Write("audit/log.db", old_log);
  EXPECT_EQ(CodeOfOpening(), ErrorCode::kIntegrity);
  EXPECT_NE(message_.find("it has 5 entries"), std::string::npos) << message_;
  EXPECT_NE(message_.find("over 11"), std::string::npos) << message_;
  EXPECT_EQ(Verify().fault, VerifyFault::kTruncation);
}

TEST_F(AuditLogTest, FilesAreForTheOwnerOnly) {
  Fill(1);
  for (const char* name :
       {"audit/log.db", "audit/payload.db", "audit/head", "keys/audit.ed25519", "keys/audit.pub"}) {
    struct stat info {};
    ASSERT_EQ(::stat((folder.path() / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
}

TEST_F(AuditLogTest, NoConnectionCanChangeOrReplaceARow) {
  Fill(1);
  SqliteConnection connection(LogPaths(folder.path()).log, SqliteConnection::Mode::kReadWrite);
  for (const char* sql :
       {"UPDATE entry SET bytes = x'00'", "DELETE FROM entry", "UPDATE node SET hash = x'00'",
        "DELETE FROM node", "UPDATE checkpoint SET note = ''", "DELETE FROM checkpoint",
        "INSERT OR REPLACE INTO entry VALUES(1, 2, NULL, 1, x'00')",
        "INSERT INTO entry VALUES(9, 2, NULL, 1, x'00')",
        "INSERT OR REPLACE INTO node VALUES(0, 0, x'00')",
        "INSERT OR REPLACE INTO checkpoint VALUES(1, '')"}) {
    EXPECT_THROW(connection.Execute(sql), Error) << sql;
  }
  EXPECT_TRUE(Verify().ok);
}

TEST_F(AuditLogTest, ASetClockIsAnEntry) {
  Fill(1);
  clock.SetBack(3'600'000);
  Fill(1);
  EXPECT_TRUE(Verify().ok) << Verify().reason;
  AuditReader reader(folder.path());
  EXPECT_EQ(reader.List({0, EntryType::kClockStep, std::nullopt}).size(), 1U);
}

TEST_F(AuditLogTest, ABusyLockIsReported) {
  Fill(1);
  const auto lock = FileLock::TryAcquire(LogPaths(folder.path()).append_lock,
                                         FileLock::Mode::kExclusive, std::chrono::milliseconds(0));
  ASSERT_NE(lock, nullptr);
  EXPECT_EQ(CodeOfOpening(), ErrorCode::kBusy);
}

}  // namespace
}  // namespace sworn::audit
