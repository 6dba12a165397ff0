#include <algorithm>
#include <numeric>
#include <set>
#include <span>

#include "core/crypto.h"
#include "core/error.h"
#include "core/text/analyzer.h"
#include "store/faiss_index.h"
#include "store/fitted.h"
#include "store/segment.h"
#include "store/term_file.h"
#include "store/xapian_index.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;

struct Dead {
  std::vector<std::uint32_t> contents;
  std::vector<std::uint32_t> chunks;
};

/// What the sources hold that has left the published generation.
Dead FindDead(SqliteConnection& catalog, const CollectionRow& collection,
              const std::vector<SegmentRow>& sources) {
  Dead dead;
  for (const SegmentRow& source : sources) {
    SqliteStatement rows = catalog.Prepare(
        "SELECT id, first_chunk, chunk_count FROM content WHERE collection = ? AND id BETWEEN ? "
        "AND ? AND removed_generation > ? AND removed_generation <= ? ORDER BY id");
    rows.Bind(1, collection.id)
        .Bind(2, std::int64_t{source.first_content})
        .Bind(3, std::int64_t{source.last_content})
        .Bind(4, static_cast<std::int64_t>(source.purged_generation))
        .Bind(5, static_cast<std::int64_t>(collection.published));
    while (rows.Step()) {
      dead.contents.push_back(static_cast<std::uint32_t>(rows.Int(0)));
      for (std::int64_t i = 0; i < rows.Int(2); ++i) {
        dead.chunks.push_back(static_cast<std::uint32_t>(rows.Int(1) + i));
      }
    }
  }
  return dead;
}

/// How many rows the file has that is written.
std::uint64_t MergeTerms(FileOps& files, const fs::path& path, const std::vector<TermFile>& terms,
                         const std::set<std::uint32_t>& dead) {
  std::vector<const TermFile*> sources;
  for (const TermFile& file : terms) sources.push_back(&file);
  MergeTermFiles(files, path, sources, [&dead](ChunkId id) { return !dead.contains(id); });
  return TermFile(path).rows();
}

/// As a segment that is built from the catalog has them.
std::vector<std::size_t> RowsById(const VectorReader& vectors) {
  std::vector<std::size_t> rows(vectors.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::sort(rows.begin(), rows.end(),
            [&](std::size_t a, std::size_t b) { return vectors.IdOf(a) < vectors.IdOf(b); });
  return rows;
}

}  // namespace

MergeRange PlanMerge(const std::vector<SegmentRow>& segments) {
  if (segments.size() <= kMaxSegments) return {};
  // From the newest backwards, as long as the next older one is no larger than all those together:
  // a chunk is then copied about log2(chunks) times in its life.
  MergeRange range{segments.size() - 1, segments.size()};
  std::uint64_t chunks = segments.back().chunks;
  while (range.begin > 0 && segments[range.begin - 1].embedder == segments.back().embedder) {
    const std::uint64_t next = segments[range.begin - 1].chunks;
    const bool enough = segments.size() - (range.end - range.begin) < kMaxSegments;
    if (enough && next > chunks) break;
    chunks += next;
    --range.begin;
  }
  return range.end - range.begin < 2 ? MergeRange{} : range;
}

SegmentRow MergeSegments(FileOps& files, const StorePaths& paths, SqliteConnection& catalog,
                         const CollectionRow& collection, const std::vector<SegmentRow>& sources) {
  SegmentRow merged;
  merged.name = RandomBase32Id();
  merged.collection = collection.id;
  merged.embedder = sources.front().embedder;
  merged.first_content = sources.front().first_content;
  merged.last_content = sources.back().last_content;
  merged.purged_generation = collection.published;
  merged.analyzer_version = text::kAnalyzerVersion;
  merged.format = kSegmentFormat;
  const Dead dead = FindDead(catalog, collection, sources);
  const std::set<std::uint32_t> dead_chunks(dead.chunks.begin(), dead.chunks.end());

  const fs::path folder = paths.temporary() / merged.name;
  CreatePrivateFolder(folder);
  std::vector<fs::path> chunk_postings;
  std::vector<fs::path> content_postings;
  std::vector<TermFile> terms;
  VectorRows rows;
  rows.dimension = collection.dimension;
  for (const SegmentRow& source : sources) {
    const fs::path from = paths.segments(collection.collection_id) / source.name;
    // A flipped bit would be copied and get a digest of its own.
    if (const auto damage = FindSegmentDamage(from, source)) {
      throw Error(ErrorCode::kIntegrity, "segment " + source.name + "/" + *damage);
    }
    chunk_postings.push_back(from / kChunkPostings);
    content_postings.push_back(from / kContentPostings);
    terms.emplace_back(from / kTermFile);
    if (!collection.HasVectors()) continue;
    const VectorReader vectors(from / kVectorFile, collection.dimension);
    for (const std::size_t row : RowsById(vectors)) {
      if (dead_chunks.contains(vectors.IdOf(row))) continue;
      rows.ids.push_back(vectors.IdOf(row));
      rows.values.resize(rows.values.size() + rows.dimension);
      vectors.ReadRow(row, std::span(rows.values).last(rows.dimension));
    }
  }
  MergePostings(chunk_postings, folder / kChunkPostings, dead.chunks);
  MergePostings(content_postings, folder / kContentPostings, dead.contents);
  merged.chunks = MergeTerms(files, folder / kTermFile, terms, dead_chunks);
  if (collection.base != 0) {
    LinkFile(paths.segments(collection.collection_id) / sources.front().name / kStateFile,
             folder / kStateFile);
  }
  WriteVectorFile(files, folder / kVectorFile, rows);
  MakePrivate(folder);
  merged.files = DescribeFiles(folder);
  MoveIntoPlace(files, paths, collection.collection_id, merged.name);
  return merged;
}

}  // namespace sworn::store
