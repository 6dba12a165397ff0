#include "indexer/watcher.h"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/error.h"

namespace sworn::indexer {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                  IN_EXCL_UNLINK;
constexpr milliseconds kCancelPoll{200};

}  // namespace

FolderWatcher::FolderWatcher(std::vector<fs::path> paths, fs::path never_enter)
    : paths_(std::move(paths)),
      never_enter_(std::move(never_enter)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_.valid()) throw SystemError(errno, "cannot watch", "");
  WatchAll();
}

bool FolderWatcher::WaitForChange(milliseconds quiet, const CancelFlag& cancel) {
  while (!DrainEvents(kCancelPoll)) {
    if (cancel.cancelled()) return false;
  }
  while (DrainEvents(quiet)) {
    if (cancel.cancelled()) return false;
  }
  // Adding a watch that exists changes nothing, so walking everything again finds the new folders.
  WatchAll();
  return !cancel.cancelled();
}

void FolderWatcher::WatchAll() {
  for (const fs::path& path : paths_) {
    WatchFolder(fs::is_directory(path) ? path : fs::absolute(path).parent_path());
  }
}

void FolderWatcher::WatchFolder(const fs::path& folder) {
  if (folder == never_enter_) return;
  if (::inotify_add_watch(inotify_.get(), folder.c_str(), kEvents) < 0) {
    if (errno == ENOSPC) {
      throw Error(ErrorCode::kTooLarge, "too many folders to watch below '" + folder.native() +
                                            "': raise fs.inotify.max_user_watches");
    }
    return;  // gone or forbidden meanwhile: the next run reports it
  }
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) WatchFolder(entry->path());
  }
}

// True if there was at least one event within the time.
bool FolderWatcher::DrainEvents(milliseconds timeout) {
  pollfd waiting{inotify_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) return false;
  alignas(inotify_event) std::array<char, 1 << 14> buffer;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
  }
  return true;
}

}  // namespace sworn::indexer
