#include "core/sqlite.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn {
namespace {

using test::TempFolder;

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() : connection_(folder_.path() / "t.db", SqliteConnection::Mode::kReadWrite) {
    connection_.Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)");
  }

  std::int64_t Count() {
    SqliteStatement count = connection_.Prepare("SELECT count(*) FROM t");
    count.Step();
    return count.Int(0);
  }

  TempFolder folder_;
  SqliteConnection connection_;
};

TEST_F(SqliteTest, KeepsBytesWithZeros) {
  const std::string body("a\0b", 3);
  connection_.Prepare("INSERT INTO t VALUES(7, ?)").BindBlob(1, body).Run();
  SqliteStatement read = connection_.Prepare("SELECT body, NULL FROM t WHERE id = 7");
  ASSERT_TRUE(read.Step());
  EXPECT_EQ(read.Bytes(0), body);
  EXPECT_TRUE(read.IsNull(1));
  EXPECT_EQ(read.OptionalInt<int>(1), std::nullopt);
  EXPECT_FALSE(read.Step());
}

TEST_F(SqliteTest, ATransactionRollsBackUnlessCommitted) {
  {
    SqliteTransaction transaction(connection_);
    connection_.Execute("INSERT INTO t VALUES(1, 'x')");
  }
  EXPECT_EQ(Count(), 0);
  SqliteTransaction transaction(connection_);
  connection_.Execute("INSERT INTO t VALUES(1, 'x')");
  transaction.Commit();
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTest, AppendOnlyRefusesEveryChange) {
  connection_.RestrictToAppend();
  connection_.Execute("INSERT INTO t VALUES(1, 'x')");
  for (const char* sql :
       {"UPDATE t SET body = 'y'", "DELETE FROM t", "DROP TABLE t", "ALTER TABLE t RENAME TO u",
        "ATTACH ':memory:' AS m", "PRAGMA writable_schema = 1"}) {
    EXPECT_THROW(connection_.Execute(sql), Error) << sql;
  }
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTest, AFileThatIsNoDatabaseIsAnIntegrityError) {
  const auto path = folder_.Write("bad.db", std::string(8192, 'z'));
  SqliteConnection bad(path, SqliteConnection::Mode::kReadOnly);
  try {
    bad.Execute("SELECT * FROM sqlite_master");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
  }
}

TEST_F(SqliteTest, ABackupHoldsTheRows) {
  connection_.Execute("INSERT INTO t VALUES(1, 'x')");
  connection_.BackupTo(folder_.path() / "copy.db");
  SqliteConnection copy(folder_.path() / "copy.db", SqliteConnection::Mode::kReadOnly);
  SqliteStatement read = copy.Prepare("SELECT body FROM t");
  ASSERT_TRUE(read.Step());
  EXPECT_EQ(read.Text(0), "x");
  EXPECT_EQ(copy.FindDamage(), std::nullopt);
}

}  // namespace
}  // namespace sworn
