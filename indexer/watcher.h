// Notices changes below folders (inotify).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/cancel.h"
#include "core/file.h"

namespace sworn::indexer {

/// One thread at a time. Events that the kernel dropped count as a change.
class FolderWatcher {
 public:
  /// Watches the folders and everything below them; for a file, its folder. Throws kTooLarge when
  /// the system's limit on watches is reached (fs.inotify.max_user_watches).
  FolderWatcher(std::vector<std::filesystem::path> paths, std::filesystem::path never_enter);

  /// Waits for a create, write, move or delete, then until `quiet` passed without another one.
  /// False if cancelled first. Watches of new folders are set before it returns.
  bool WaitForChange(std::chrono::milliseconds quiet, const CancelFlag& cancel);

 private:
  void WatchAll();
  void WatchFolder(const std::filesystem::path& folder);
  bool DrainEvents(std::chrono::milliseconds timeout);

  std::vector<std::filesystem::path> paths_;
  std::filesystem::path never_enter_;
  FileDescriptor inotify_;
};

}  // namespace sworn::indexer
