#include "indexer/extract/zip_reader.h"

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include <archive.h>
#include <archive_entry.h>

#include "core/error.h"

namespace sworn::indexer {
namespace {

constexpr std::uint64_t kRatioFreeBytes = kMebibyte;  // small members may be as dense as they like
constexpr std::size_t kMaxMemberNameBytes = 4096;
constexpr std::size_t kReadBytes = 64UL * 1024;

struct CloseArchive {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
using ArchiveHandle = std::unique_ptr<archive, CloseArchive>;

[[noreturn]] void ThrowCorrupt() { throw Error(ErrorCode::kIntegrity, "corrupt ZIP container"); }

/// What was inflated so far, of all members together.
class InflateBudget {
 public:
  InflateBudget(std::uint64_t packed_bytes, const ExtractLimits& limits)
      : packed_bytes_(packed_bytes), limits_(limits) {}

  void Spend(std::uint64_t bytes) {
    used_ += bytes;
    if (used_ > limits_.max_inflated_bytes) {
      throw Error(ErrorCode::kTooLarge, "inflates to more than " +
                                            std::to_string(limits_.max_inflated_bytes) +
                                            " bytes (max_inflated_bytes)");
    }
    if (used_ > kRatioFreeBytes && used_ / limits_.max_inflate_ratio > packed_bytes_) {
      throw Error(ErrorCode::kTooLarge, "inflates to more than " +
                                            std::to_string(limits_.max_inflate_ratio) +
                                            " times its size (max_inflate_ratio)");
    }
  }

 private:
  std::uint64_t packed_bytes_;
  const ExtractLimits& limits_;
  std::uint64_t used_ = 0;
};

std::string ReadMember(archive* handle, InflateBudget& budget) {
  std::string content;
  std::array<char, kReadBytes> buffer{};
  while (true) {
    const la_ssize_t got = archive_read_data(handle, buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0) ThrowCorrupt();
    budget.Spend(static_cast<std::uint64_t>(got));
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

ZipMembers ReadZipMembers(std::string_view bytes, const ExtractLimits& limits,
                          bool (*wanted)(std::string_view name)) {
  const ArchiveHandle handle(archive_read_new());
  if (handle == nullptr || archive_read_support_format_zip_seekable(handle.get()) != ARCHIVE_OK) {
    throw Error(ErrorCode::kInternal, "the ZIP reader cannot be made");
  }
  if (archive_read_open_memory(handle.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    ThrowCorrupt();
  }
  ZipMembers members;
  InflateBudget budget(bytes.size(), limits);
  std::uint32_t entries = 0;
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) return members;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) ThrowCorrupt();
    if (++entries > limits.max_archive_entries) {
      throw Error(ErrorCode::kTooLarge, "has more than " +
                                            std::to_string(limits.max_archive_entries) +
                                            " members (max_archive_entries)");
    }
    const char* raw_name = archive_entry_pathname_utf8(entry);
    if (raw_name == nullptr) raw_name = archive_entry_pathname(entry);
    if (raw_name == nullptr) continue;
    const std::string_view name(raw_name);
    if (name.size() > kMaxMemberNameBytes || !wanted(name) || members.contains(name)) continue;
    if (archive_entry_is_data_encrypted(entry) != 0) {
      throw Error(ErrorCode::kDenied, "encrypted: needs a password");
    }
    std::string key(name);  // the entry's own storage ends with the next call
    std::string content = ReadMember(handle.get(), budget);
    members.emplace(std::move(key), std::move(content));
  }
}

}  // namespace sworn::indexer
