#include "indexer/folder_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/glob.h"

namespace sworn::indexer {
namespace {

namespace fs = std::filesystem;
using store::SourceKey;

constexpr int kMaxFolderDepth = 64;
constexpr std::size_t kMaxFiles = 10'000'000;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

store::FileFacts FactsOf(const struct stat& info) {
  return {.size = static_cast<std::uint64_t>(info.st_size),
          .mtime_ns = info.st_mtim.tv_sec * kNanosPerSecond + info.st_mtim.tv_nsec,
          .inode = info.st_ino};
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" ||
         (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

std::string RelativeTo(const std::string& path, const std::string& root) {
  if (path == root) return "";
  return path.substr(root == "/" ? 1 : root.size() + 1);
}

std::string Join(const std::string& folder, std::string_view name) {
  std::string joined = folder;
  if (!joined.empty() && joined.back() != '/') joined.push_back('/');
  return joined.append(name);
}

// Opens `relative` below an open root, one component at a time, following no link: whatever happens
// to the tree meanwhile, the file lies below the root.
FileDescriptor OpenBelow(const SourceKey& key) {
  FileDescriptor at(::open(key.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string_view rest = key.relative_path;
  while (at.valid() && !rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    const int flags =
        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (rest.empty() ? 0 : O_DIRECTORY);
    at = FileDescriptor(::openat(at.get(), name.c_str(), flags));
  }
  if (!at.valid()) throw SystemError(errno, "cannot open", PathOf(key).native());
  return at;
}

std::string ReadAll(int fd, std::uint64_t expected, std::uint64_t max_bytes, const fs::path& path) {
  std::string bytes;
  bytes.reserve(std::min(expected, max_bytes));
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot read", path.native());
    if (got == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) break;
  }
  throw Error(ErrorCode::kTooLarge,
              "larger than max_file_bytes (" + std::to_string(max_bytes) + " bytes)");
}

// Walks one path and sorts what it finds into a listing.
class Walker {
 public:
  Walker(const FolderSourceOptions& options, std::vector<Glob> include, std::vector<Glob> exclude,
         SourceListing& listing)
      : options_(options),
        include_(std::move(include)),
        exclude_(std::move(exclude)),
        listing_(listing) {
    for (const std::string& pattern : DefaultExcludes()) default_exclude_.emplace_back(pattern);
    roots_ = options.known_roots;
  }

  void AddPath(const fs::path& given) {
    std::error_code error;
    const fs::path path = fs::canonical(given, error);
    if (error) throw SystemError(error.value(), "cannot index", given.native());
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) throw SystemError(errno, "cannot index", given.native());
    const bool is_folder = S_ISDIR(info.st_mode);
    const std::string& text = path.native();
    const std::string home = RootFor(is_folder ? text : path.parent_path().native());
    listing_.scopes.push_back({home, RelativeTo(text, home)});
    if (!is_folder) {
      listing_.items.push_back({KeyOf(text), FactsOf(info), std::nullopt, ""});
      return;
    }
    for (const std::string& root : options_.known_roots) {
      if (root != home && IsBelow(root, text)) listing_.scopes.push_back({root, ""});
    }
    Walk(text, text, 0, true);
  }

 private:
  // The longest root that holds `folder`; `folder` becomes one if there is none.
  std::string RootFor(const std::string& folder) {
    const std::string* best = Longest(folder);
    if (best != nullptr) return *best;
    roots_.push_back(folder);
    return folder;
  }

  const std::string* Longest(const std::string& path) const {
    const std::string* best = nullptr;
    for (const std::string& root : roots_) {
      if (IsBelow(path, root) && (best == nullptr || root.size() > best->size())) best = &root;
    }
    return best;
  }

  SourceKey KeyOf(const std::string& path) const {
    const std::string& root = *Longest(fs::path(path).parent_path().native());
    return {root, RelativeTo(path, root)};
  }

  void Fault(const std::string& path, store::UnreadableKind kind, std::string reason) {
    listing_.faults.push_back({KeyOf(path), kind, std::move(reason)});
  }

  void Walk(const std::string& folder, const std::string& start, int depth, bool is_start) {
    using Handle = std::unique_ptr<DIR, int (*)(DIR*)>;
    const Handle handle(::opendir(folder.c_str()), ::closedir);
    if (handle == nullptr) {
      const Error error = SystemError(errno, "cannot read folder", folder);
      if (is_start) throw error;
      Fault(folder, store::UnreadableKind::kFailed, error.what());
      return;
    }
    if (depth > kMaxFolderDepth) {
      Fault(folder, store::UnreadableKind::kFailed, "folders nest deeper than 64");
      return;
    }
    // The handle is used by this thread alone, so readdir is safe.
    while (const dirent* entry = ::readdir(handle.get())) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") Visit(folder, Join(folder, name), start, depth);
    }
  }

  void Visit(const std::string& /*folder*/, const std::string& path, const std::string& start,
             int depth) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
      if (errno != ENOENT) {
        Fault(path, store::UnreadableKind::kFailed, SystemError(errno, "cannot stat", path).what());
      }
      return;
    }
    const std::string relative = RelativeTo(path, start);
    if (S_ISDIR(info.st_mode)) {
      if (path == options_.never_enter.native()) return;
      if (!Excluded(relative + "/") && !Excluded(relative)) Walk(path, start, depth + 1, false);
      return;
    }
    if (!Selected(relative)) {
      listing_.unselected.push_back(KeyOf(path));
    } else if (S_ISLNK(info.st_mode)) {
      Fault(path, store::UnreadableKind::kSkipped, "symbolic link: not followed");
    } else if (!S_ISREG(info.st_mode)) {
      Fault(path, store::UnreadableKind::kSkipped, "not a regular file");
    } else if (listing_.items.size() >= kMaxFiles) {
      throw Error(ErrorCode::kTooLarge, "more than 10,000,000 files below '" + start + "'");
    } else {
      listing_.items.push_back({KeyOf(path), FactsOf(info), std::nullopt, ""});
    }
  }

  static bool AnyMatches(const std::vector<Glob>& globs, const std::string& path) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const Glob& glob) { return glob.MatchesPathOrTail(path); });
  }

  [[nodiscard]] bool Excluded(const std::string& relative) const {
    return AnyMatches(exclude_, relative) || AnyMatches(default_exclude_, relative);
  }

  [[nodiscard]] bool Selected(const std::string& relative) const {
    if (AnyMatches(exclude_, relative)) return false;
    if (!include_.empty()) return AnyMatches(include_, relative);
    return !AnyMatches(default_exclude_, relative);
  }

  const FolderSourceOptions& options_;
  std::vector<Glob> include_;
  std::vector<Glob> exclude_;
  std::vector<Glob> default_exclude_;
  std::vector<std::string> roots_;
  SourceListing& listing_;
};

std::vector<Glob> Compile(const std::vector<std::string>& patterns) {
  std::vector<Glob> globs;
  globs.reserve(patterns.size());
  for (const std::string& pattern : patterns) globs.emplace_back(pattern);
  return globs;
}

template <typename T, typename Key>
void SortUnique(std::vector<T>& values, Key key) {
  std::sort(values.begin(), values.end(), [&](const T& a, const T& b) { return key(a) < key(b); });
  values.erase(std::unique(values.begin(), values.end(),
                           [&](const T& a, const T& b) { return key(a) == key(b); }),
               values.end());
}

}  // namespace

bool Scope::Contains(const SourceKey& key) const {
  if (key.root != root) return false;
  return prefix.empty() || key.relative_path == prefix ||
         (key.relative_path.starts_with(prefix) && key.relative_path.size() > prefix.size() &&
          key.relative_path[prefix.size()] == '/');
}

fs::path PathOf(const SourceKey& key) { return fs::path(key.root) / key.relative_path; }

const std::vector<std::string>& DefaultExcludes() {
  static const std::vector<std::string> patterns = {
      ".*",        "*~",         "~$*",         "#*#",         "*.swp",        "*.tmp",
      "*.part",    "*.bak",      "*.o",         "*.pyc",       "node_modules", "__pycache__",
      "Thumbs.db", "lost+found", "desktop.ini", "*.crdownload"};
  return patterns;
}

FolderSource::FolderSource(FolderSourceOptions options) : options_(std::move(options)) {
  if (options_.paths.empty()) throw Error(ErrorCode::kInvalidArgument, "no path to index");
  Compile(options_.include);
  Compile(options_.exclude);
}

SourceListing FolderSource::List() {
  SourceListing listing;
  Walker walker(options_, Compile(options_.include), Compile(options_.exclude), listing);
  for (const fs::path& path : options_.paths) walker.AddPath(path);
  SortUnique(listing.items, [](const SourceItem& item) { return item.key; });
  SortUnique(listing.faults, [](const store::UnreadableFile& file) { return file.key; });
  SortUnique(listing.unselected, [](const SourceKey& key) { return key; });
  return listing;
}

SourceBytes FolderSource::Read(const SourceItem& item, std::uint64_t max_bytes) {
  const fs::path path = PathOf(item.key);
  const FileDescriptor fd = OpenBelow(item.key);
  struct stat before {};
  if (::fstat(fd.get(), &before) != 0) throw SystemError(errno, "cannot stat", path.native());
  if (!S_ISREG(before.st_mode)) throw Error(ErrorCode::kUnsupportedMedia, "not a regular file");
  const store::FileFacts facts = FactsOf(before);
  if (facts.size > max_bytes) {
    throw Error(ErrorCode::kTooLarge, "has " + std::to_string(facts.size) +
                                          " bytes, more than max_file_bytes (" +
                                          std::to_string(max_bytes) + ")");
  }
  std::string bytes = ReadAll(fd.get(), facts.size, max_bytes, path);
  struct stat after {};
  if (::fstat(fd.get(), &after) != 0) throw SystemError(errno, "cannot stat", path.native());
  if (FactsOf(after) != facts || bytes.size() != facts.size) {
    throw Error(ErrorCode::kConflict, "changed while it was read");
  }
  return {std::move(bytes), facts};
}

}  // namespace sworn::indexer
