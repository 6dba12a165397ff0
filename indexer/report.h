// What an index run tells while it goes on and at its end. Plain data.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sworn::indexer {

/// A file that gave no text, or (in a dry run) what would happen to it.
struct FileNote {
  std::string path;
  std::string outcome;  // "failed", "skipped"; dry run also "new", "updated", "removed"
  std::string reason;
};

struct IndexReport {
  std::string collection;
  std::uint64_t added = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t removed = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t chunks = 0;      // written by this run
  std::uint64_t text_bytes = 0;  // extracted by this run
  std::uint64_t generation = 0;
  double seconds = 0;
  bool cancelled = false;  // what was published stays; the next run goes on from there
  bool dry_run = false;
  std::vector<FileNote> notes;
};

struct IndexProgress {
  std::string phase;  // "scanning", "indexing", "publishing"
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t chunks = 0;
  std::uint64_t generation = 0;  // newest published
  std::string path;              // last file finished
  double seconds = 0;
};
using ProgressSink = std::function<void(const IndexProgress&)>;

}  // namespace sworn::indexer
