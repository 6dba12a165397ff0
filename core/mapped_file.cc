#include "core/mapped_file.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

namespace sworn {
namespace {

constexpr std::size_t kHashStep = std::size_t{4} * 1024 * 1024;

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  // O_NONBLOCK: a named pipe is refused below instead of waited for.
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) throw SystemError(errno, "cannot read", path.native());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw SystemError(errno, "cannot read", path.native());
  if (!S_ISREG(info.st_mode)) {
    throw Error(ErrorCode::kUnsupportedMedia, "'" + path.native() + "' is no regular file");
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return;
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (start == MAP_FAILED) throw SystemError(errno, "cannot map", path.native());
  bytes_ = {static_cast<const std::uint8_t*>(start), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

void MappedFile::Release(std::span<const std::uint8_t> part) const noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto first = static_cast<std::size_t>(part.data() - bytes_.data());
  const std::size_t begin = (first + page - 1) / page * page;
  // The last page belongs to the part alone where the file ends in it.
  const std::size_t last = first + part.size();
  const std::size_t end = last == bytes_.size() ? last : last / page * page;
  if (begin >= end) return;
  // Advice: nothing depends on whether the kernel takes it.
  ::madvise(const_cast<std::uint8_t*>(bytes_.data() + begin), end - begin, MADV_DONTNEED);
}

void MappedFile::Hash(Sha256Hasher& hasher) const {
  for (std::size_t at = 0; at < bytes_.size(); at += kHashStep) {
    const auto step = bytes_.subspan(at, std::min(kHashStep, bytes_.size() - at));
    hasher.Update({reinterpret_cast<const char*>(step.data()), step.size()});
    Release(step);
  }
}

}  // namespace sworn
