#include "audit/audit_backup.h"

#include <gtest/gtest.h>

#include "audit/audit_reader.h"
#include "audit/audit_store.h"
#include "audit/audit_verify.h"
#include "core/error.h"
#include "tests/audit/log_fixture.h"

namespace sworn::audit {
namespace {

using test::LogFixture;

class AuditBackupTest : public testing::Test, protected LogFixture {
 protected:
  AuditBackupTest() { Fill(2); }
  [[nodiscard]] std::filesystem::path copy() const { return other_.path() / "copy"; }
  Receipt Restore(const std::string& abandoned) {
    return RestoreLog(copy(), test::kTestKbId, {}, ops, clock, "disk died", abandoned);
  }
  void OpenCopy() { AuditLog log(copy(), test::kTestKbId, {}, ops, clock); }

  sworn::test::TempFolder other_;
};

TEST_F(AuditBackupTest, ACopyWithKeysVerifiesAndIsNeverOverwritten) {
  BackupLog(folder.path(), copy(), true, ops);
  const VerifyReport report = VerifyLog(copy(), {});
  EXPECT_TRUE(report.ok) << report.reason;
  EXPECT_EQ(report.entries, 5U);
  EXPECT_EQ(report.payloads, 5U);
  EXPECT_THROW(BackupLog(folder.path(), copy(), true, ops), Error);
}

TEST_F(AuditBackupTest, PayloadKeysStayOutUnlessAskedForAndARestoreSaysWhyTheyAreMissing) {
  BackupLog(folder.path(), copy(), false, ops);
  EXPECT_FALSE(VerifyLog(copy(), {}).ok);
  Restore("");
  const VerifyReport report = VerifyLog(copy(), {});
  EXPECT_TRUE(report.ok) << report.reason;
  EXPECT_TRUE(report.restored);
  EXPECT_EQ(report.payloads_missing, 5U);
  EXPECT_TRUE(AuditReader(copy()).Show(2).at("payload_checked").is_null());
}

TEST_F(AuditBackupTest, AnOldCopyUnderANewerHeadNeedsARestoreThatNamesBothSizes) {
  BackupLog(folder.path(), copy(), true, ops);
  Fill(3);
  const std::string newer = ReadFile(LogPaths(folder.path()).head, kMaxCheckpointBytes);
  WriteFileDurably(ops, LogPaths(copy()).head, newer);
  EXPECT_THROW(OpenCopy(), Error);
  const Receipt receipt = Restore("");
  EXPECT_EQ(receipt.index, 5U);
  const auto entry = AuditReader(copy()).Show(receipt.index);
  EXPECT_EQ(entry.at("type"), "restore");
  EXPECT_EQ(entry.at("old_size"), 11);
  EXPECT_EQ(entry.at("new_size"), 5);
  EXPECT_EQ(entry.at("payload").at("data").at("reason"), "disk died");
  OpenCopy();
  EXPECT_TRUE(VerifyLog(copy(), {}).ok);
  EXPECT_EQ(VerifyLog(copy(), {"", newer}).fault, VerifyFault::kTruncation);
}

TEST_F(AuditBackupTest, AnAbandonedStateOfAnotherLogIsRefused) {
  BackupLog(folder.path(), copy(), true, ops);
  LogFixture stranger;
  stranger.Fill(1);
  EXPECT_THROW(Restore(ReadFile(LogPaths(stranger.folder.path()).head, kMaxCheckpointBytes)),
               Error);
  EXPECT_EQ(VerifyLog(copy(), {}).entries, 5U);
}

}  // namespace
}  // namespace sworn::audit
