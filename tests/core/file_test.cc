#include "core/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn {
namespace {

using test::TempFolder;

TEST(FileTest, ReadsBackWhatItWrote) {
  const TempFolder folder;
  FileOps ops;
  const auto path = folder.path() / "f";
  WriteFileDurably(ops, path, "one");
  WriteFileDurably(ops, path, "two");
  EXPECT_EQ(ReadFile(path, 3), "two");
  EXPECT_THROW(ReadFile(path, 2), Error);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(FileTest, AFailedSyncLeavesTheOldFile) {
  struct FailingSync : FileOps {
    void SyncFile(int /*fd*/, const std::filesystem::path& name) override {
      throw SystemError(EIO, "cannot make durable", name.native());
    }
  };
  const TempFolder folder;
  const auto path = folder.Write("f", "old");
  FailingSync ops;
  EXPECT_THROW(WriteFileDurably(ops, path, "new"), Error);
  EXPECT_EQ(ReadFile(path, 100), "old");
}

TEST(FileTest, AFullDiskSaysSo) {
  FileOps ops;
  const FileDescriptor full(::open("/dev/full", O_WRONLY));
  ASSERT_TRUE(full.valid());
  try {
    ops.Write(full.get(), "x", "/dev/full");
    FAIL() << "the write should have failed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNoSpace);
  }
}

TEST(FileTest, AnExclusiveLockKeepsOthersOut) {
  const TempFolder folder;
  const auto path = folder.path() / "lock";
  const auto wait = std::chrono::milliseconds(10);
  auto first = FileLock::TryAcquire(path, FileLock::Mode::kExclusive, wait);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(FileLock::TryAcquire(path, FileLock::Mode::kExclusive, wait), nullptr);
  first.reset();
  EXPECT_NE(FileLock::TryAcquire(path, FileLock::Mode::kShared, wait), nullptr);
  EXPECT_EQ(FileLock::TryAcquireExisting(folder.path() / "none", FileLock::Mode::kShared), nullptr);
}

}  // namespace
}  // namespace sworn
