#include "indexer/watcher.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace sworn::indexer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuiet{20};

TEST(WatcherTest, NoticesCreateChangeMoveAndDelete) {
  const test::TempFolder folder;
  folder.Write("sub/a.txt", "1");
  FolderWatcher watcher({folder.path()}, {});
  const CancelFlag cancel;
  folder.Write("sub/b.txt", "new");
  EXPECT_TRUE(watcher.WaitForChange(kQuiet, cancel));
  folder.Write("sub/a.txt", "22");
  EXPECT_TRUE(watcher.WaitForChange(kQuiet, cancel));
  std::filesystem::rename(folder.path() / "sub/a.txt", folder.path() / "c.txt");
  EXPECT_TRUE(watcher.WaitForChange(kQuiet, cancel));
  std::filesystem::remove(folder.path() / "c.txt");
  EXPECT_TRUE(watcher.WaitForChange(kQuiet, cancel));
}

TEST(WatcherTest, WatchesFoldersThatAppear) {
  const test::TempFolder folder;
  FolderWatcher watcher({folder.path()}, {});
  const CancelFlag cancel;
  std::filesystem::create_directory(folder.path() / "later");
  ASSERT_TRUE(watcher.WaitForChange(kQuiet, cancel));
  folder.Write("later/x.txt", "x");
  EXPECT_TRUE(watcher.WaitForChange(kQuiet, cancel));
}

TEST(WatcherTest, CancellingEndsTheWait) {
  const test::TempFolder folder;
  FolderWatcher watcher({folder.path()}, {});
  CancelFlag cancel;
  std::jthread canceller([&] {
    std::this_thread::sleep_for(kQuiet);
    cancel.Cancel();
  });
  EXPECT_FALSE(watcher.WaitForChange(kQuiet, cancel));
}

}  // namespace
}  // namespace sworn::indexer
