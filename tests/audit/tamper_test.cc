// The tamper matrix: each mutation at many positions must be found and placed.
#include "tests/audit/tamper.h"

#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "audit/audit_draft.h"
#include "audit/audit_keys.h"
#include "audit/audit_verify.h"
#include "core/error.h"
#include "tests/audit/log_fixture.h"

namespace sworn::audit {
namespace {

using test::LogFixture;
using test::Tamperer;

constexpr int kPairs = 8;
constexpr std::uint64_t kEntries = 1 + 2 * kPairs;

// One clean log for all tests; each damages a copy of its own.
class TamperTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    clean_ = new LogFixture;
    clean_->Fill(kPairs);
    trusted_ = FormatVerifierKey(ReadVerifierKey(LogPaths(clean_->folder.path())));
  }
  static void TearDownTestSuite() { delete clean_; }

  struct Copy {
    Copy() {
      std::filesystem::copy(clean_->folder.path(), folder.path() / "kb",
                            std::filesystem::copy_options::recursive);
    }
    [[nodiscard]] std::filesystem::path path() const { return folder.path() / "kb"; }
    [[nodiscard]] VerifyReport Verify() const { return VerifyLog(path(), {trusted_, ""}); }
    sworn::test::TempFolder folder;
  };

  // Damages a copy and expects the fault to be placed at `expected`.
  template <typename Damage>
  static void Expect(const Damage& damage, std::uint64_t expected, const std::string& what) {
    Copy copy;
    {
      Tamperer tamperer(copy.path());
      damage(tamperer, copy.path());
    }
    const VerifyReport report = copy.Verify();
    ASSERT_FALSE(report.ok) << what;
    ASSERT_TRUE(report.first_bad.has_value()) << what;
    EXPECT_LE(*report.first_bad, expected) << what << ": " << report.reason;
    EXPECT_GE(*report.last_bad, expected) << what << ": " << report.reason;
    // At most one question and its answer are in doubt.
    EXPECT_LE(*report.last_bad - *report.first_bad, 1U) << what << ": " << report.reason;
    EXPECT_FALSE(report.reason.empty());
  }

  static LogFixture* clean_;
  static std::string trusted_;
};

LogFixture* TamperTest::clean_ = nullptr;
std::string TamperTest::trusted_;

std::string At(const char* what, std::uint64_t index) {
  return std::string(what) + " at " + std::to_string(index);
}

TEST_F(TamperTest, ACleanLogRaisesNoAlarm) {
  const VerifyReport report = Copy().Verify();
  EXPECT_TRUE(report.ok) << report.reason;
  EXPECT_EQ(report.entries, kEntries);
  EXPECT_EQ(report.head.size, kEntries);
}

TEST_F(TamperTest, AnyFlippedByteOfAnyEntryIsFound) {
  Copy copy;
  Tamperer tamperer(copy.path());
  std::mt19937 random(3);
  for (std::uint64_t index = 0; index < kEntries; ++index) {
    const std::string bytes = tamperer.Bytes(index);
    for (std::size_t at = 0; at < bytes.size(); at += 1 + random() % 7) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (random() % 8)));
      tamperer.SetBytes(index, flipped);
      const VerifyReport report = copy.Verify();
      ASSERT_FALSE(report.ok) << index << " byte " << at;
      ASSERT_EQ(report.first_bad, index) << report.reason;
      ASSERT_EQ(report.last_bad, index) << report.reason;
    }
    tamperer.SetBytes(index, bytes);
  }
  EXPECT_TRUE(copy.Verify().ok);
}

TEST_F(TamperTest, AChangedValueInAnyField) {
  Copy copy;
  Tamperer tamperer(copy.path());
  for (std::uint64_t index = 0; index < kEntries; ++index) {
    const std::string bytes = tamperer.Bytes(index);
    const AuditEntry entry = DecodeEntry(bytes);
    for (const auto& [tag, value] : entry.fields.all()) {
      if (value.empty()) continue;
      AuditEntry changed = entry;
      std::string flipped = value;
      flipped.back() = static_cast<char>(flipped.back() ^ 1);
      changed.fields.SetRaw(tag, flipped);
      tamperer.SetBytes(index, EncodeEntry(changed));
      const VerifyReport report = copy.Verify();
      ASSERT_EQ(report.first_bad, index) << "tag " << tag << ": " << report.reason;
    }
    tamperer.SetBytes(index, bytes);
  }
}

TEST_F(TamperTest, DeletedSwappedDuplicatedAndInsertedEntries) {
  for (std::uint64_t index = 0; index + 1 < kEntries; ++index) {
    const std::string text = std::to_string(index);
    Expect([&](Tamperer& t, const auto&) { t.Run("DELETE FROM entry WHERE idx = " + text); }, index,
           At("delete", index));
    Expect([&](Tamperer& t, const auto&) { t.Swap(index, index + 1); }, index, At("swap", index));
    Expect([&](Tamperer& t, const auto&) { t.SetBytes(index + 1, t.Bytes(index)); }, index + 1,
           At("duplicate", index));
    Expect(
        [&](Tamperer& t, const auto&) {
          t.Run("DELETE FROM entry WHERE idx = " + text);
          t.Run("UPDATE entry SET idx = -idx WHERE idx > " + text);
          t.Run("UPDATE entry SET idx = -idx - 1 WHERE idx < 0");
          t.RebuildNodes();
        },
        index, At("delete, close the gap and rebuild the tree", index));
  }
}

TEST_F(TamperTest, ADroppedTailIsSeenByTheHead) {
  for (std::uint64_t size = 1; size < kEntries; ++size) {
    const std::string text = std::to_string(size);
    Copy copy;
    {
      Tamperer tamperer(copy.path());
      tamperer.Run("DELETE FROM entry WHERE idx >= " + text);
      tamperer.Run("DELETE FROM checkpoint WHERE size > " + text);
      tamperer.RebuildNodes();
    }
    const VerifyReport report = copy.Verify();
    EXPECT_EQ(report.fault, VerifyFault::kTruncation) << size << ": " << report.reason;
    EXPECT_EQ(report.first_bad, size);
    EXPECT_NE(report.reason.find(std::to_string(kEntries)), std::string::npos) << report.reason;
  }
}

TEST_F(TamperTest, AForgedEntryWithARebuiltTree) {
  for (std::uint64_t index = 0; index < kEntries; ++index) {
    Expect(
        [&](Tamperer& t, const auto&) {
          AuditEntry entry = DecodeEntry(t.Bytes(index));
          entry.fields.SetText(Tag::kReason, "forged");
          t.SetBytes(index, EncodeEntry(entry));
          t.RebuildNodes();
        },
        index, At("forge", index));
  }
}

TEST_F(TamperTest, AnEditedTimeWithARebuiltTree) {
  for (std::uint64_t index = 1; index < kEntries; ++index) {
    Expect(
        [&](Tamperer& t, const auto&) {
          AuditEntry entry = DecodeEntry(t.Bytes(index));
          entry.fields.SetNumber(Tag::kUtcMs, *entry.fields.Number(Tag::kUtcMs) + 86'400'000);
          t.SetBytes(index, EncodeEntry(entry));
          t.RebuildNodes();
        },
        index, At("time", index));
  }
}

TEST_F(TamperTest, AnyStoredNodeOrCheckpoint) {
  Copy copy;
  Tamperer tamperer(copy.path());
  std::uint64_t nodes = 0;
  {
    SqliteStatement query = tamperer.log().Prepare("SELECT level, position FROM node");
    while (query.Step()) {
      ++nodes;
      const std::string where = " WHERE level = " + std::to_string(query.Int(0)) +
                                " AND position = " + std::to_string(query.Int(1));
      const auto last = ((query.Int(1) + 1) << query.Int(0)) - 1;
      Expect(
          [&](Tamperer& t, const auto&) { t.Run("UPDATE node SET hash = zeroblob(32)" + where); },
          static_cast<std::uint64_t>(last), "node" + where);
    }
  }
  EXPECT_GT(nodes, kEntries);
  for (std::uint64_t size = 1; size <= kEntries; size += 2) {
    const std::string where = " WHERE size = " + std::to_string(size);
    Expect(
        [&](Tamperer& t, const auto&) {
          t.Run("UPDATE checkpoint SET note = replace(note, '=', 'A')" + where);
        },
        size - 1, "checkpoint" + where);
    Expect([&](Tamperer& t, const auto&) { t.Run("DELETE FROM checkpoint" + where); }, size - 1,
           "deleted checkpoint" + where);
  }
}

TEST_F(TamperTest, AForeignKeyOverAForgedEntry) {
  for (std::uint64_t index = 1; index < kEntries; index += 3) {
    Copy copy;
    {
      Tamperer t(copy.path());
      AuditEntry entry = DecodeEntry(t.Bytes(index));
      entry.fields.SetText(Tag::kReason, "forged");
      t.SetBytes(index, EncodeEntry(entry));
      t.RebuildNodes();
      t.SignAgain(SigningKey::FromSeed(std::string(32, 'x')), "sworn/k_test");
    }
    EXPECT_EQ(copy.Verify().fault, VerifyFault::kSignature);
  }
}

TEST_F(TamperTest, AWholeForgedLogUnderANewKeyIsFoundWithTheTrustedKey) {
  LogFixture other;
  other.Fill(kPairs);
  EXPECT_TRUE(VerifyLog(other.folder.path(), {}).ok);
  EXPECT_EQ(VerifyLog(other.folder.path(), {trusted_, ""}).fault, VerifyFault::kSignature);
}

TEST_F(TamperTest, OldEntriesSignedAgainUnderANewKey) {
  Copy copy;
  const SigningKey key = SigningKey::FromSeed(std::string(32, 'x'));
  Tamperer(copy.path()).SignAgain(key, "sworn/k_test");
  std::filesystem::remove(copy.path() / "audit" / "head");
  const VerifierKey forged{"sworn/k_test", key.PublicKey()};
  EXPECT_EQ(VerifyLog(copy.path(), {FormatVerifierKey(forged), ""}).fault, VerifyFault::kSignature);
  EXPECT_EQ(copy.Verify().fault, VerifyFault::kSignature);
}

TEST_F(TamperTest, AWrongOrMissingPublicKeyFile) {
  Copy copy;
  FileOps ops;
  const LogPaths paths(copy.path());
  WriteFileDurably(ops, paths.verifier_key,
                   FormatVerifierKey({"sworn/k_test", std::string(32, 'k')}));
  EXPECT_EQ(VerifyLog(copy.path(), {}).fault, VerifyFault::kSignature);
  WriteFileDurably(ops, paths.verifier_key, "rubbish");
  EXPECT_EQ(VerifyLog(copy.path(), {}).fault, VerifyFault::kSignature);
}

TEST_F(TamperTest, PayloadsThatWereChangedOrRemoved) {
  for (const char* sql :
       {"UPDATE payload SET json = replace(CAST(json AS TEXT), 'answer 3', 'answer 4')",
        "DELETE FROM payload WHERE CAST(json AS TEXT) LIKE '%answer 3%'",
        "DELETE FROM payload_key WHERE commitment IN (SELECT commitment FROM payload WHERE "
        "CAST(json AS TEXT) LIKE '%answer 3%')",
        "UPDATE payload_key SET key = zeroblob(32) WHERE commitment IN (SELECT commitment FROM "
        "payload WHERE CAST(json AS TEXT) LIKE '%answer 3%')"}) {
    Expect(
        [&](Tamperer&, const std::filesystem::path& folder) {
          SqliteConnection(LogPaths(folder).payload, SqliteConnection::Mode::kReadWrite)
              .Execute(sql);
        },
        8, sql);
  }
}

TEST_F(TamperTest, AnOldCopyContinuedIsAForkOfTheAnchor) {
  Copy copy;
  const std::string anchor = ReadFile(LogPaths(copy.path()).head, kMaxCheckpointBytes);
  {
    Tamperer tamperer(copy.path());
    tamperer.Run("DELETE FROM entry WHERE idx >= 5");
    tamperer.Run("DELETE FROM checkpoint WHERE size > 5");
    tamperer.RebuildNodes();
    FileOps ops;
    SqliteStatement query = tamperer.log().Prepare("SELECT note FROM checkpoint WHERE size = 5");
    ASSERT_TRUE(query.Step());
    WriteFileDurably(ops, LogPaths(copy.path()).head, query.Text(0));
  }
  const auto continue_log = [&](int pairs) {
    AuditLog log(copy.path(), test::kTestKbId, {}, clean_->ops, clean_->clock);
    for (int i = 0; i < pairs; ++i) {
      PendingIntent intent = log.BeginIntent(test::Question("other"));
      log.Finish(std::move(intent), test::AnswerTo("other"));
    }
  };
  continue_log(2);
  EXPECT_TRUE(copy.Verify().ok) << "whoever holds the key can do this: only an anchor tells";
  EXPECT_EQ(VerifyLog(copy.path(), {trusted_, anchor}).fault, VerifyFault::kTruncation);
  continue_log(kPairs);
  EXPECT_EQ(VerifyLog(copy.path(), {trusted_, anchor}).fault, VerifyFault::kFork);
}

TEST_F(TamperTest, ASecondOutcomeOrAnOutcomeOfNothing) {
  const SigningKey key =
      SigningKey::FromSeed(ReadFile(LogPaths(clean_->folder.path()).signing_key, 32));
  for (const std::uint64_t intent : {1ULL, 4ULL, 99ULL}) {
    Copy copy;
    {
      Tamperer t(copy.path());
      AuditEntry entry = DecodeEntry(t.Bytes(8));
      entry.fields.SetNumber(Tag::kIntent, intent);
      t.SetBytes(8, EncodeEntry(entry));
      t.Run("DROP INDEX entry_outcome");
      t.Run("UPDATE entry SET outcome_of = " + std::to_string(intent) + " WHERE idx = 8");
      t.RebuildNodes();
      t.SignAgain(key, "sworn/k_test");
    }
    const VerifyReport report = copy.Verify();
    EXPECT_FALSE(report.ok);
    EXPECT_EQ(report.first_bad, 8U) << report.reason;
  }
}

TEST_F(TamperTest, DerivedColumnsThatLie) {
  Expect([](Tamperer& t, const auto&) { t.Run("UPDATE entry SET first_open = 0 WHERE idx = 6"); },
         6, "first_open");
  Expect([](Tamperer& t, const auto&) { t.Run("UPDATE entry SET type = 8 WHERE idx = 5"); }, 5,
         "type");
  Expect(
      [](Tamperer& t, const auto&) { t.Run("UPDATE entry SET outcome_of = NULL WHERE idx = 6"); },
      6, "outcome_of");
}

TEST_F(TamperTest, FilesThatAreNoLog) {
  for (const char* name : {"audit/log.db", "audit/payload.db", "audit/head"}) {
    Copy copy;
    std::filesystem::remove(copy.path() / (std::string(name) + "-wal"));
    copy.folder.Write("kb/" + std::string(name), std::string(9000, 'z'));
    EXPECT_FALSE(copy.Verify().ok) << name;
    std::filesystem::remove(copy.path() / name);
    if (std::string(name) == "audit/log.db") {
      EXPECT_THROW(copy.Verify(), Error);
    } else {
      EXPECT_FALSE(copy.Verify().ok) << name;
    }
  }
  Copy dropped;
  Tamperer(dropped.path()).Run("DROP TABLE checkpoint");
  EXPECT_FALSE(dropped.Verify().ok);
}

}  // namespace
}  // namespace sworn::audit
