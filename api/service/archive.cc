#include "api/service/archive.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 1 << 18;

struct FreeWriter {
  void operator()(archive* handle) const noexcept { archive_write_free(handle); }
};
struct FreeReader {
  void operator()(archive* handle) const noexcept { archive_read_free(handle); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};
using Writer = std::unique_ptr<archive, FreeWriter>;
using Reader = std::unique_ptr<archive, FreeReader>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

void CheckWrite(int result, archive* handle, const fs::path& path) {
  if (result != ARCHIVE_OK) throw SystemError(archive_errno(handle), "cannot write", path.native());
}

[[noreturn]] void Damaged(const fs::path& path, const std::string& reason) {
  throw Error(ErrorCode::kIntegrity, "'" + path.native() + "' is no backup of Sworn: " + reason);
}

void AddFile(archive* writer, const fs::path& folder, const std::string& name,
             const fs::path& target) {
  const fs::path path = folder / name;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) {
    throw SystemError(errno, "cannot read", path.native());
  }
  const Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), info.st_size);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  CheckWrite(archive_write_header(writer, entry.get()), writer, target);
  std::string block(kBlockBytes, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot read", path.native());
    if (got == 0) return;
    if (archive_write_data(writer, block.data(), static_cast<std::size_t>(got)) != got) {
      throw SystemError(archive_errno(writer), "cannot write", target.native());
    }
  }
}

void UnpackFile(archive* reader, const fs::path& source, const fs::path& target, FileOps& files) {
  CreatePrivateFolder(target.parent_path());
  const FileDescriptor out(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out.valid()) throw SystemError(errno, "cannot create", target.native());
  std::string block(kBlockBytes, '\0');
  for (;;) {
    const la_ssize_t got = archive_read_data(reader, block.data(), block.size());
    if (got < 0) Damaged(source, archive_error_string(reader));
    if (got == 0) break;
    files.Write(out.get(), {block.data(), static_cast<std::size_t>(got)}, target);
  }
  files.SyncFile(out.get(), target);
}

}  // namespace

void WriteArchive(const fs::path& folder, const std::vector<std::string>& names,
                  const fs::path& target, FileOps& files) {
  const FileDescriptor out(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out.valid() && errno == EEXIST) {
    throw Error(ErrorCode::kConflict, "'" + target.native() + "' exists");
  }
  if (!out.valid()) throw SystemError(errno, "cannot create", target.native());
  try {
    const Writer writer(archive_write_new());
    archive_write_set_format_pax_restricted(writer.get());
    CheckWrite(archive_write_open_fd(writer.get(), out.get()), writer.get(), target);
    for (const std::string& name : names) AddFile(writer.get(), folder, name, target);
    CheckWrite(archive_write_close(writer.get()), writer.get(), target);
    files.SyncFile(out.get(), target);
    files.SyncFolder(fs::absolute(target).parent_path());
  } catch (...) {
    ::unlink(target.c_str());
    throw;
  }
}

void ReadArchive(const fs::path& source, const std::vector<std::string>& allowed,
                 const fs::path& folder, FileOps& files) {
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (!fs::is_regular_file(source)) {
    throw Error(ErrorCode::kNotFound, "no file '" + source.native() + "'");
  }
  if (archive_read_open_filename(reader.get(), source.c_str(), kBlockBytes) != ARCHIVE_OK) {
    Damaged(source, archive_error_string(reader.get()));
  }
  for (;;) {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result != ARCHIVE_OK) Damaged(source, archive_error_string(reader.get()));
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG ||
        std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      Damaged(source, "it holds '" + std::string(name == nullptr ? "?" : name) + "'");
    }
    UnpackFile(reader.get(), source, folder / name, files);
  }
  SyncTree(files, folder);
}

}  // namespace sworn::service
