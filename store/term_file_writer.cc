#include <algorithm>
#include <cerrno>
#include <numeric>
#include <string>

#include <fcntl.h>

#include "core/error.h"
#include "store/term_file.h"
#include "store/term_file_format.h"

namespace sworn::store {
namespace {

constexpr std::size_t kWriteBuffer = std::size_t{1} << 20;

/// Writes one file front to back: the tables first, then row after row.
class Writer {
 public:
  Writer(FileOps& ops, const std::filesystem::path& path)
      : ops_(ops),
        path_(path),
        fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    if (!fd_.valid()) throw SystemError(errno, "cannot write", path.native());
  }

  void Begin(std::uint64_t rows, std::span<const TermKey> keys,
             std::span<const TermSpread> spreads) {
    Append(kTermMagic);
    AppendNumber(rows);
    AppendNumber(std::uint64_t{keys.size()});
    for (const TermKey key : keys) AppendNumber(key);
    for (const TermSpread& spread : spreads) AppendNumber(spread.occurrences);
    for (const TermSpread& spread : spreads) AppendNumber(spread.count_log_count);
  }

  /// `entries` ascend by term.
  void Add(ChunkId id, std::span<const IndexedCount> entries) {
    std::string row;
    std::uint64_t next = 0;
    for (const IndexedCount& entry : entries) {
      PutNumber(row, (entry.term - next) << 1U | (entry.count > 1 ? 1U : 0U));
      if (entry.count > 1) PutNumber(row, entry.count);
      next = std::uint64_t{entry.term} + 1;
    }
    Append(row);
    ends_.push_back((ends_.empty() ? 0 : ends_.back()) + row.size());
    ids_.push_back(id);
  }

  void Finish() {
    for (const std::uint64_t end : ends_) AppendNumber(end);
    for (const ChunkId id : ids_) AppendNumber(id);
    Flush();
  }

 private:
  static void PutNumber(std::string& bytes, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes.push_back(static_cast<char>(value | 0x80U));
    bytes.push_back(static_cast<char>(value));
  }

  template <typename T>
  void AppendNumber(T value) {
    Append({reinterpret_cast<const char*>(&value), sizeof(value)});
  }

  void Append(std::string_view bytes) {
    buffer_.append(bytes);
    if (buffer_.size() >= kWriteBuffer) Flush();
  }

  void Flush() {
    ops_.Write(fd_.get(), buffer_, path_);
    buffer_.clear();
  }

  FileOps& ops_;
  std::filesystem::path path_;
  FileDescriptor fd_;
  std::string buffer_;
  std::vector<std::uint64_t> ends_;
  std::vector<ChunkId> ids_;
};

void SortUnique(std::vector<TermKey>& keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() > kMaxTerms) throw Error(ErrorCode::kTooLarge, "a segment has too many terms");
}

/// For each source, the place of each of its keys among `keys`, which hold them all.
std::vector<std::vector<std::uint32_t>> PlacesIn(std::span<const TermKey> keys,
                                                 std::span<const TermFile* const> sources) {
  std::vector<std::vector<std::uint32_t>> places;
  places.reserve(sources.size());
  for (const TermFile* source : sources) {
    auto& place = places.emplace_back();
    place.reserve(source->keys().size());
    std::uint32_t at = 0;
    for (const TermKey key : source->keys()) {
      while (keys[at] != key) ++at;
      place.push_back(at);
    }
  }
  return places;
}

/// Calls `visit(id, entries)` for each row that `keep` wants, its terms as places in the joint
/// table.
template <typename Visit>
void ForEachRow(std::span<const TermFile* const> sources,
                const std::vector<std::vector<std::uint32_t>>& places,
                const std::function<bool(ChunkId)>& keep, Visit&& visit) {
  std::vector<IndexedCount> entries;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (std::size_t row = 0; row < sources[i]->rows(); ++row) {
      const ChunkId id = sources[i]->IdOf(row);
      if (!keep(id)) continue;
      sources[i]->ReadIndexed(row, entries);
      for (IndexedCount& entry : entries) entry.term = places[i][entry.term];
      visit(id, entries);
    }
  }
}

/// Takes out the keys that no row has any more.
void DropUnused(std::vector<TermKey>& keys, std::vector<TermSpread>& spreads,
                std::vector<std::vector<std::uint32_t>>& places) {
  std::vector<std::uint32_t> moved(keys.size());
  std::uint32_t kept = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    moved[i] = kept;
    if (spreads[i].occurrences == 0) continue;
    keys[kept] = keys[i];
    spreads[kept] = spreads[i];
    ++kept;
  }
  if (kept == keys.size()) return;
  keys.resize(kept);
  spreads.resize(kept);
  for (auto& place : places) {
    for (std::uint32_t& at : place) at = moved[at];
  }
}

}  // namespace

void WriteTermFile(FileOps& ops, const std::filesystem::path& path, std::span<const ChunkId> ids,
                   const TermRows& rows) {
  std::vector<TermKey> keys;
  keys.reserve(rows.counts().size());
  for (const TermCount& entry : rows.counts()) keys.push_back(entry.term);
  SortUnique(keys);
  std::vector<TermSpread> spreads(keys.size());
  std::vector<IndexedCount> indexed;
  indexed.reserve(rows.counts().size());
  for (const TermCount& entry : rows.counts()) {
    const auto at = std::lower_bound(keys.begin(), keys.end(), entry.term) - keys.begin();
    spreads[static_cast<std::size_t>(at)].Add(entry.count);
    indexed.push_back({static_cast<std::uint32_t>(at), entry.count});
  }
  Writer writer(ops, path);
  writer.Begin(rows.size(), keys, spreads);
  std::size_t begin = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::size_t length = rows[row].size();
    writer.Add(ids[row], std::span(indexed).subspan(begin, length));
    begin += length;
  }
  writer.Finish();
}

void MergeTermFiles(FileOps& ops, const std::filesystem::path& path,
                    std::span<const TermFile* const> sources,
                    const std::function<bool(ChunkId)>& keep) {
  std::vector<TermKey> keys;
  for (const TermFile* source : sources) {
    keys.insert(keys.end(), source->keys().begin(), source->keys().end());
  }
  SortUnique(keys);
  auto places = PlacesIn(keys, sources);
  std::vector<TermSpread> spreads(keys.size());
  std::uint64_t rows = 0;
  ForEachRow(sources, places, keep, [&](ChunkId, const std::vector<IndexedCount>& entries) {
    ++rows;
    for (const IndexedCount& entry : entries) spreads[entry.term].Add(entry.count);
  });
  DropUnused(keys, spreads, places);
  Writer writer(ops, path);
  writer.Begin(rows, keys, spreads);
  ForEachRow(sources, places, keep, [&](ChunkId id, const std::vector<IndexedCount>& entries) {
    writer.Add(id, entries);
  });
  writer.Finish();
}

}  // namespace sworn::store
