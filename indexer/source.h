// Where documents come from: folders on disk, or records that a caller holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/records.h"

namespace sworn::indexer {

/// A document that the source offers, not yet read.
struct SourceItem {
  store::SourceKey key;
  store::FileFacts facts;
  // Known beforehand, an upload's for example; else the document tells. An empty title is none.
  std::optional<std::string> title;
  std::string media_type;
};

/// A document's bytes, and the facts that held for the whole time they were read.
struct SourceBytes {
  std::string bytes;
  store::FileFacts facts;
};

/// Part of a root: everything whose relative path is `prefix` or lies below it; "" is the whole
/// root.
struct Scope {
  std::string root;
  std::string prefix;

  [[nodiscard]] bool Contains(const store::SourceKey& key) const;
};

/// What a source found in one pass.
struct SourceListing {
  std::vector<SourceItem> items;  // sorted by key, without duplicates
  std::vector<store::UnreadableFile>
      faults;  // sorted; entries that could not be read or are no files
  std::vector<store::SourceKey> unselected;  // sorted; there, but not asked for by the globs
  std::vector<Scope> scopes;                 // what a missing document must lie in to be removed
};

/// List is called once; Read may be called from several threads.
class Source {
 public:
  virtual ~Source() = default;

  /// Throws kNotFound or kDenied if a root itself cannot be read: then nothing may be removed.
  virtual SourceListing List() = 0;

  /// Throws kTooLarge above `max_bytes`, kConflict if the document changed while it was read, or
  /// the system's error.
  virtual SourceBytes Read(const SourceItem& item, std::uint64_t max_bytes) = 0;
};

}  // namespace sworn::indexer
