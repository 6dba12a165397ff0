// The reading side of the log: entries as JSON, receipts, export. Never writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "audit/audit_entry.h"
#include "audit/audit_log.h"

namespace sworn::audit {

/// {"index","type","time", then the fields by name}; unknown tags as "tag_<n>" in hexadecimal.
nlohmann::json EntryToJson(std::uint64_t index, const AuditEntry& entry);

/// Reads beside running writers; each call sees one state of the log. One thread at a time.
class AuditReader {
 public:
  /// `folder` is the knowledge base; kNotFound if it has no log.
  explicit AuditReader(const std::filesystem::path& folder);
  ~AuditReader();
  AuditReader(const AuditReader&) = delete;
  AuditReader& operator=(const AuditReader&) = delete;

  struct Filter {
    std::size_t limit = 50;                // 0: all
    std::optional<EntryType> type;         // only these
    std::optional<std::int64_t> since_ms;  // UTC, inclusive
  };

  [[nodiscard]] std::uint64_t Size();
  /// Newest first.
  std::vector<nlohmann::json> List(const Filter& filter);
  /// With "leaf_sha256" and, where it is still there, "payload". kNotFound beyond the end.
  nlohmann::json Show(std::uint64_t index);
  /// Against the newest checkpoint that covers the entry; kNotFound if none does yet.
  Receipt ReceiptOf(std::uint64_t index);
  /// Oldest first, up to the newest checkpoint; each with "entry" (base64) and "proof" (base64
  /// hashes); last {"checkpoint": text}. Without payload.
  void Export(const std::function<void(const nlohmann::json&)>& line);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::audit
