// The bounds of extraction. docs/formats/extraction.md lists them with their reasons.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sworn::indexer {

inline constexpr std::uint64_t kMebibyte = 1024ULL * 1024;

/// Bounds on one file; each is configurable, the values here are the defaults.
struct ExtractLimits {
  std::uint64_t max_file_bytes = 256 * kMebibyte;
  std::uint32_t max_pages = 5000;                      // pages, slides or sheets of a document
  std::uint64_t max_inflated_bytes = 512 * kMebibyte;  // of all members of an archive together
  std::uint32_t max_inflate_ratio = 100;               // inflated : packed, beyond the first MiB
  std::uint32_t max_archive_entries = 10000;           // members of an archive
  std::uint32_t max_nesting = 2;                       // a mail in a mail in a mail is too deep
  std::uint32_t max_seconds = 60;                      // wall clock for a file
  std::uint64_t max_worker_memory_bytes = 2048 * kMebibyte;  // address space of a worker

  friend bool operator==(const ExtractLimits&, const ExtractLimits&) = default;
};

// Bounds on what one document may become; not configurable, since the store relies on them.
inline constexpr std::uint64_t kMaxTextBytes = 64 * kMebibyte;
inline constexpr std::size_t kMaxBlocks = 1'000'000;
inline constexpr std::size_t kMaxTitleBytes = 1024;
inline constexpr std::size_t kMaxTableHeaderBytes = 1024;
inline constexpr std::size_t kMaxLocationNameBytes = 1024;     // sheet, page label, attachment path
inline constexpr std::size_t kMaxNameBytes = 256 * kMebibyte;  // table headers, sheets, ... of all
inline constexpr std::size_t kMaxMetadataEntries = 64;
inline constexpr std::size_t kMaxMetadataBytes = 4096;  // of one key or value
inline constexpr std::size_t kMaxWarnings = 100;
inline constexpr std::size_t kMaxWarningBytes = 512;

}  // namespace sworn::indexer
