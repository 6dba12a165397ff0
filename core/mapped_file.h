// A file mapped read-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "core/crypto.h"

namespace sworn {

/// Immutable and thread-safe. A file that somebody shortens while it is mapped ends the process
/// (SIGBUS): models and segments are replaced by renaming, never written in place.
class MappedFile {
 public:
  /// Throws SystemError if it cannot be read and kUnsupportedMedia if it is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Starts at a page, so an offset's alignment in the file is its alignment in memory.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Lets the kernel take back the whole pages of `part`, a piece of bytes().
  void Release(std::span<const std::uint8_t> part) const noexcept;

  /// Feeds the whole file, giving its pages back on the way.
  void Hash(Sha256Hasher& hasher) const;

 private:
  std::filesystem::path path_;
  std::span<const std::uint8_t> bytes_;
};

}  // namespace sworn
