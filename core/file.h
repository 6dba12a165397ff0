// Files as the rest of Sworn needs them: bounded reads, publication by rename, checked fsync.
//
// Every durable step goes through FileOps, so that a test can fail any of them (before it happened
// or after) and a crash test can count them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sworn {

/// An owned file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  int Release() noexcept;

 private:
  int fd_ = -1;
};

/// The system calls whose failure must not lose data. The default does them; tests derive from it.
/// Each throws SystemError on failure. Thread-safe.
class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual void Write(int fd, std::string_view bytes, const std::filesystem::path& name);
  virtual void SyncFile(int fd, const std::filesystem::path& name);
  virtual void Rename(const std::filesystem::path& from, const std::filesystem::path& to);
  /// fsync of a folder: makes a rename, create or unlink in it durable.
  virtual void SyncFolder(const std::filesystem::path& folder);
  /// Called with a name just before and just after a durable step that is no file call of ours (a
  /// SQLite commit, say), so that tests can fail or stop there. The default does nothing.
  virtual void BeforeStep(std::string_view step);
  virtual void AfterStep(std::string_view step);
};

/// The whole file; throws kTooLarge above `max_bytes`, SystemError if it cannot be read.
std::string ReadFile(const std::filesystem::path& path, std::uint64_t max_bytes);

/// Writes aside, fsyncs, renames over `path`, fsyncs the folder: `path` is old or new, never half.
/// The file gets mode 0600.
void WriteFileDurably(FileOps& ops, const std::filesystem::path& path, std::string_view bytes);

/// fsyncs every regular file below `folder` and every folder of it, bottom up.
void SyncTree(FileOps& ops, const std::filesystem::path& folder);

/// Creates `folder` with mode 0700 (parents too); no error if it is there.
void CreatePrivateFolder(const std::filesystem::path& folder);

/// An flock(2) lock on a file, released on destruction or when the process dies.
class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  /// Waits at most `wait`; null if somebody else holds it. Creates the file when missing.
  static std::unique_ptr<FileLock> TryAcquire(const std::filesystem::path& path, Mode mode,
                                              std::chrono::milliseconds wait);

  /// As above on an existing file or folder; null too if it does not exist.
  static std::unique_ptr<FileLock> TryAcquireExisting(const std::filesystem::path& path, Mode mode);

 private:
  explicit FileLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace sworn
