#include "core/file.h"

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace sworn {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivateFile = 0600;
constexpr std::chrono::milliseconds kLockPoll{5};

FileDescriptor OpenOrThrow(const fs::path& path, int flags, std::string_view what) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC, kPrivateFile));
  if (!fd.valid()) throw SystemError(errno, what, path.native());
  return fd;
}

void SyncDescriptor(int fd, const fs::path& name) {
  if (::fsync(fd) != 0) throw SystemError(errno, "cannot make durable", name.native());
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.Release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

int FileDescriptor::Release() noexcept { return std::exchange(fd_, -1); }

void FileOps::Write(int fd, std::string_view bytes, const fs::path& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw SystemError(errno, "cannot write", name.native());
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void FileOps::SyncFile(int fd, const fs::path& name) { SyncDescriptor(fd, name); }

void FileOps::Rename(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw SystemError(errno, "cannot rename to", to.native());
  }
}

void FileOps::SyncFolder(const fs::path& folder) {
  const FileDescriptor fd = OpenOrThrow(folder, O_RDONLY | O_DIRECTORY, "cannot open folder");
  SyncDescriptor(fd.get(), folder);
}

void FileOps::BeforeStep(std::string_view /*step*/) {}
void FileOps::AfterStep(std::string_view /*step*/) {}

std::string ReadFile(const fs::path& path, std::uint64_t max_bytes) {
  const FileDescriptor fd = OpenOrThrow(path, O_RDONLY, "cannot read");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw SystemError(errno, "cannot read", path.native());
  std::string bytes;
  bytes.reserve(std::min<std::uint64_t>(static_cast<std::uint64_t>(info.st_size), max_bytes));
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot read", path.native());
    if (got == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) {
      throw Error(ErrorCode::kTooLarge,
                  "'" + path.native() + "' is larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

void WriteFileDurably(FileOps& ops, const fs::path& path, std::string_view bytes) {
  fs::path aside = path;
  aside += ".new";
  {
    const FileDescriptor fd = OpenOrThrow(aside, O_WRONLY | O_CREAT | O_TRUNC, "cannot write");
    ops.Write(fd.get(), bytes, aside);
    ops.SyncFile(fd.get(), aside);
  }
  ops.Rename(aside, path);
  ops.SyncFolder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void SyncTree(FileOps& ops, const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) {
      SyncTree(ops, entry.path());
    } else if (entry.is_regular_file()) {
      const FileDescriptor fd = OpenOrThrow(entry.path(), O_RDONLY, "cannot open");
      ops.SyncFile(fd.get(), entry.path());
    }
  }
  ops.SyncFolder(folder);
}

void CreatePrivateFolder(const fs::path& folder) {
  if (folder.empty() || fs::is_directory(folder)) return;
  CreatePrivateFolder(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw SystemError(errno, "cannot create folder", folder.native());
  }
}

namespace {

bool LockWithin(int fd, int operation, std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (::flock(fd, operation | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw SystemError(errno, "cannot lock", "");
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLockPoll);
  }
  return true;
}

int Operation(FileLock::Mode mode) { return mode == FileLock::Mode::kShared ? LOCK_SH : LOCK_EX; }

}  // namespace

std::unique_ptr<FileLock> FileLock::TryAcquire(const fs::path& path, Mode mode,
                                               std::chrono::milliseconds wait) {
  FileDescriptor fd = OpenOrThrow(path, O_RDWR | O_CREAT, "cannot open lock");
  if (!LockWithin(fd.get(), Operation(mode), wait)) return nullptr;
  return std::unique_ptr<FileLock>(new FileLock(std::move(fd)));
}

std::unique_ptr<FileLock> FileLock::TryAcquireExisting(const fs::path& path, Mode mode) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT) return nullptr;
    throw SystemError(errno, "cannot open", path.native());
  }
  if (!LockWithin(fd.get(), Operation(mode), std::chrono::milliseconds(0))) return nullptr;
  return std::unique_ptr<FileLock>(new FileLock(std::move(fd)));
}

}  // namespace sworn
