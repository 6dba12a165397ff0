#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/sqlite.h"
#include "store/catalog_read.h"
#include "store/document_filter.h"
#include "store/faiss_index.h"
#include "store/fitted.h"
#include "store/live_contents.h"
#include "store/open_snapshot.h"
#include "store/term_file.h"
#include "store/term_weights.h"
#include "store/xapian_index.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;

/// A collection as the snapshot sees it.
struct OpenCollection {
  CollectionRow row;
  std::vector<ContentRow> live;
  std::optional<fs::path> state_file;                // of a fitted embedder that can be read
  mutable std::unique_ptr<const FittedState> state;  // opened by the first question
};

struct OpenSegment {
  std::size_t collection = 0;  // its place among the open ones
  std::string embedder_id;
  TermFile terms;
  VectorReader vectors;
};

/// Where a chunk's term row lies.
struct TermPlace {
  const OpenSegment* segment = nullptr;
  std::size_t row = 0;
};

std::map<std::string, std::string> Pairs(std::string_view json) {
  try {
    return nlohmann::json::parse(json).get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorCode::kIntegrity, "the metadata of a document is damaged");
  }
}

class SnapshotImpl : public Snapshot {
 public:
  SnapshotImpl(const StorePaths& paths, const TermEmbedderFactory* fitting)
      : fitting_(fitting),
        catalog_(paths.catalog(), SqliteConnection::Mode::kReadOnly),
        transaction_(catalog_, SqliteTransaction::Kind::kDeferred) {}

  /// Fills the snapshot; nothing on success.
  std::optional<SegmentFault> Open(const StorePaths& paths, std::span<const std::string> names) {
    for (CollectionRow& chosen : Choose(names)) {
      OpenCollection& collection = collections_.emplace_back();
      collection.row = std::move(chosen);
      const CollectionRow& row = collection.row;
      collection.live = LoadLiveContents(catalog_, row);
      const std::vector<SegmentRow> segments = LoadSegments(catalog_, row.id);
      CollectionInfo& info =
          infos_.emplace_back(Describe(catalog_, row, collection.live, segments));
      info.vector_lists = VectorListsOf(paths, row.collection_id, segments);
      const bool readable = IsStateOf(row, fitting_);
      if (row.base != 0 && !readable) info.vectors = VectorsKind::kForeign;
      for (const SegmentRow& segment : segments) {
        if (auto reason = Open(paths, row, segment)) return SegmentFault{row, segment, *reason};
        const fs::path folder = paths.segments(row.collection_id) / segment.name;
        if (readable) collection.state_file = folder / kStateFile;
      }
    }
    chunk_postings_ = std::make_unique<PostingReader>(chunk_folders_);
    content_postings_ = std::make_unique<PostingReader>(content_folders_);
    std::vector<const ContentRow*> live;
    for (const OpenCollection& collection : collections_) {
      for (const ContentRow& content : collection.live) live.push_back(&content);
    }
    live_ = LiveContents(std::move(live));
    return std::nullopt;
  }

  [[nodiscard]] const std::vector<CollectionInfo>& collections() const override { return infos_; }

  [[nodiscard]] std::unique_ptr<const ContentSet> Resolve(
      const DocumentFilter& filter) const override {
    if (filter.empty()) return nullptr;
    const FilterMatcher matcher(filter);
    const std::lock_guard lock(mutex_);
    std::vector<bool> members;
    for (const OpenCollection& collection : collections_) {
      SqliteStatement rows = catalog_.Prepare(
          "SELECT e.content_id, e.root, e.relative_path, t.media_type, e.document_date_ms, "
          "e.user_meta, t.metadata FROM entry e JOIN content t ON t.id = e.content_id "
          "WHERE e.collection = ?1 AND e.added_generation <= ?2 "
          "AND (e.removed_generation IS NULL OR e.removed_generation > ?2)");
      BindGeneration(rows, collection.row);
      while (rows.Step()) {
        const Candidate document{JoinPath({rows.Text(1), rows.Text(2)}), rows.Text(3), rows.Int(4),
                                 Pairs(rows.Bytes(5)), Pairs(rows.Bytes(6))};
        if (!matcher.Matches(document)) continue;
        const auto id = static_cast<std::size_t>(rows.Int(0));
        if (members.size() <= id) members.resize(id + 1);
        members[id] = true;
      }
    }
    return std::make_unique<const ContentSet>(std::move(members));
  }

  [[nodiscard]] std::vector<KeywordHit> SearchChunks(const text::KeywordQuery& query,
                                                     const Bm25& bm25, std::size_t limit,
                                                     const ContentSet* only) const override {
    const auto accept = live_.Accepting(only);
    const std::lock_guard lock(mutex_);
    const auto found = chunk_postings_->Search(query, bm25, limit, true, accept);
    std::vector<KeywordHit> hits;
    hits.reserve(found.size());
    for (const PostingHit& hit : found) hits.push_back({hit.id, hit.tier, hit.score});
    return hits;
  }

  [[nodiscard]] std::vector<ScoredContent> SearchContents(const text::KeywordQuery& query,
                                                          const Bm25& bm25, std::size_t limit,
                                                          const ContentSet* only) const override {
    const std::lock_guard lock(mutex_);
    const auto found = content_postings_->Search(query, bm25, limit, false, [&](std::uint32_t id) {
      return live_.Find(id) != nullptr && (only == nullptr || only->Contains(id));
    });
    std::vector<ScoredContent> hits;
    hits.reserve(found.size());
    for (const PostingHit& hit : found) hits.push_back({hit.id, hit.score});
    return hits;
  }

  [[nodiscard]] std::vector<ScoredChunk> SearchVectors(std::string_view embedder_id,
                                                       std::span<const float> query,
                                                       std::size_t limit,
                                                       const ContentSet* only) const override {
    std::vector<const VectorReader*> indexes;
    for (const OpenSegment& segment : segments_) {
      if (segment.embedder_id == embedder_id) indexes.push_back(&segment.vectors);
    }
    return SearchVectorIndexes(indexes, query, limit, live_.Accepting(only));
  }

  [[nodiscard]] std::vector<ScoredChunk> SearchFitted(const TermRows& query,
                                                      std::span<const ChunkId> feedback,
                                                      std::size_t limit,
                                                      const ContentSet* only) const override;

  [[nodiscard]] TermRows LoadTermRows(std::span<const ChunkId> chunk_ids) const override {
    TermRows rows;
    for (const ChunkId id : chunk_ids) {
      if (ContentOf(id) == 0) throw Error(ErrorCode::kNotFound, "no chunk " + std::to_string(id));
      const TermPlace place = FindTerms(id);
      rows.Add(place.segment->terms.Read(place.row));
    }
    return rows;
  }

  [[nodiscard]] std::vector<double> TermWeights(std::span<const TermKey> terms) const override {
    const store::TermWeights& all = AllWeights();
    std::vector<double> weights;
    weights.reserve(terms.size());
    for (const TermKey term : terms) weights.push_back(all.Of(term));
    return weights;
  }

  [[nodiscard]] TermStatistics Statistics(std::string_view term) const override {
    const std::lock_guard lock(mutex_);
    return chunk_postings_->Statistics(term);
  }

  [[nodiscard]] ContentId ContentOf(ChunkId chunk_id) const override {
    return live_.ContentOf(chunk_id);
  }

  [[nodiscard]] std::vector<StoredChunk> LoadChunks(
      std::span<const ChunkId> chunk_ids) const override;

  [[nodiscard]] std::vector<ChunkId> ChunksOf(ContentId content_id) const override {
    std::vector<ChunkId> ids;
    if (const ContentRow* content = live_.Find(content_id)) {
      for (std::uint32_t i = 0; i < content->chunk_count; ++i) {
        ids.push_back(content->first_chunk + i);
      }
    }
    return ids;
  }

  [[nodiscard]] std::optional<std::string> LoadText(const std::string& document_id,
                                                    std::uint32_t version) const override {
    const std::lock_guard lock(mutex_);
    return LoadVersionText(catalog_, document_id, version);
  }

  [[nodiscard]] std::vector<UnreadableFile> Unreadable() const override {
    const std::lock_guard lock(mutex_);
    std::vector<UnreadableFile> files;
    for (const OpenCollection& collection : collections_) {
      SqliteStatement rows = catalog_.Prepare(
          "SELECT root, relative_path, unreadable_kind, reason FROM entry "
          "WHERE collection = ?1 AND content_id IS NULL AND added_generation <= ?2 "
          "AND (removed_generation IS NULL OR removed_generation > ?2) ORDER BY 1, 2");
      BindGeneration(rows, collection.row);
      while (rows.Step()) {
        files.push_back(
            {{rows.Text(0), rows.Text(1)}, static_cast<UnreadableKind>(rows.Int(2)), rows.Text(3)});
      }
    }
    return files;
  }

 private:
  static void BindGeneration(SqliteStatement& rows, const CollectionRow& row) {
    rows.Bind(1, row.id).Bind(2, static_cast<std::int64_t>(row.published));
  }

  std::vector<CollectionRow> Choose(std::span<const std::string> names) {
    if (names.empty()) return LoadCollections(catalog_);
    std::vector<CollectionRow> rows;
    const std::set<std::string> distinct(names.begin(), names.end());
    for (const std::string& name : distinct) {
      std::optional<CollectionRow> row = FindCollection(catalog_, name);
      if (!row) throw Error(ErrorCode::kNotFound, "no collection '" + name + "'");
      rows.push_back(std::move(*row));
    }
    return rows;
  }

  std::optional<std::string> Open(const StorePaths& paths, const CollectionRow& row,
                                  const SegmentRow& segment) {
    const fs::path folder = paths.segments(row.collection_id) / segment.name;
    auto lock = FileLock::TryAcquireExisting(folder, FileLock::Mode::kShared);
    if (lock == nullptr) return "is missing";
    if (auto damage = FindSegmentDamage(folder, segment, &checked_)) return damage;
    try {
      segments_.push_back({collections_.size() - 1, row.embedder_id, TermFile(folder / kTermFile),
                           VectorReader(folder / kVectorFile, row.dimension)});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIntegrity) throw;
      return error.what();  // of an earlier format
    }
    chunk_folders_.push_back(folder / kChunkPostings);
    content_folders_.push_back(folder / kContentPostings);
    locks_.push_back(std::move(lock));
    return std::nullopt;
  }

  /// Of a live chunk. Throws kIntegrity if no segment has it.
  [[nodiscard]] TermPlace FindTerms(ChunkId id) const {
    for (const OpenSegment& segment : segments_) {
      if (const auto row = segment.terms.FindRow(id)) return {&segment, *row};
    }
    throw Error(ErrorCode::kIntegrity, "chunk " + std::to_string(id) + " is in no segment");
  }

  [[nodiscard]] const store::TermWeights& AllWeights() const {
    const std::lock_guard lock(mutex_);
    if (weights_ == nullptr) {
      std::vector<const TermFile*> files;
      for (const OpenSegment& segment : segments_) files.push_back(&segment.terms);
      weights_ = std::make_unique<const store::TermWeights>(files);
    }
    return *weights_;
  }

  [[nodiscard]] const TermEmbedder& EmbedderOf(const OpenCollection& collection) const {
    const std::lock_guard lock(mutex_);
    if (collection.state == nullptr) {
      collection.state = std::make_unique<const FittedState>(*collection.state_file, *fitting_);
    }
    return collection.state->embedder();
  }

  void FillDocument(StoredChunk& chunk) const;

  const TermEmbedderFactory* fitting_;
  // Guards catalog_, the posting readers, and the making of weights_ and of states.
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const store::TermWeights> weights_;  // made by the first question
  mutable SqliteConnection catalog_;
  SqliteTransaction transaction_;  // keeps the catalog as it was
  std::vector<OpenCollection> collections_;
  std::vector<CollectionInfo> infos_;
  std::vector<std::unique_ptr<FileLock>> locks_;  // keep the segments' folders in place
  CheckedFiles checked_;
  std::vector<OpenSegment> segments_;
  std::vector<fs::path> chunk_folders_;
  std::vector<fs::path> content_folders_;
  std::unique_ptr<PostingReader> chunk_postings_;
  std::unique_ptr<PostingReader> content_postings_;
  LiveContents live_;  // of collections_
};

std::vector<ScoredChunk> SnapshotImpl::SearchFitted(const TermRows& query,
                                                    std::span<const ChunkId> feedback,
                                                    std::size_t limit,
                                                    const ContentSet* only) const {
  const auto accept = live_.Accepting(only);
  std::vector<ScoredChunk> hits;
  for (std::size_t i = 0; i < collections_.size(); ++i) {
    if (!collections_[i].state_file) continue;
    TermRows own;
    for (const ChunkId id : feedback) {
      if (ContentOf(id) == 0) continue;
      const TermPlace place = FindTerms(id);
      if (place.segment->collection == i) own.Add(place.segment->terms.Read(place.row));
    }
    const std::vector<float> target = MovedQuery(EmbedderOf(collections_[i]), query, own);
    if (target.empty()) continue;
    std::vector<const VectorReader*> indexes;
    for (const OpenSegment& segment : segments_) {
      if (segment.collection == i) indexes.push_back(&segment.vectors);
    }
    const auto found = SearchVectorIndexes(indexes, target, limit, accept);
    hits.insert(hits.end(), found.begin(), found.end());
  }
  std::sort(hits.begin(), hits.end(), [](const ScoredChunk& a, const ScoredChunk& b) {
    return a.score != b.score ? a.score > b.score : a.chunk_id < b.chunk_id;
  });
  if (hits.size() > limit) hits.resize(limit);
  return hits;
}

std::vector<StoredChunk> SnapshotImpl::LoadChunks(std::span<const ChunkId> chunk_ids) const {
  const std::lock_guard lock(mutex_);
  std::map<ContentId, std::string> texts;
  std::vector<StoredChunk> chunks;
  chunks.reserve(chunk_ids.size());
  for (const ChunkId chunk_id : chunk_ids) {
    const ContentId content_id = ContentOf(chunk_id);
    const std::string what = "chunk " + std::to_string(chunk_id);
    if (content_id == 0) throw Error(ErrorCode::kNotFound, "no " + what);
    const std::optional<ChunkRow> row = LoadChunkRow(catalog_, chunk_id);
    if (!row || row->chunk.content_id != content_id) {
      throw Error(ErrorCode::kIntegrity, what + " is missing");
    }
    auto text = texts.find(content_id);
    if (text == texts.end()) {
      text = texts.emplace(content_id, LoadContentText(catalog_, content_id)).first;
    }
    StoredChunk chunk = row->chunk;
    chunk.text = ChunkText(*row, text->second);
    FillDocument(chunk);
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

void SnapshotImpl::FillDocument(StoredChunk& chunk) const {
  SqliteStatement rows = catalog_.Prepare(
      "SELECT c.name, c.published, d.document_id, e.version, t.document_sha256, t.text_sha256, "
      "e.root, e.relative_path, t.title, t.media_type, e.document_date_ms "
      "FROM entry e JOIN document d ON d.id = e.document JOIN collection c ON c.id = e.collection "
      "JOIN content t ON t.id = e.content_id WHERE e.content_id = ? "
      "AND e.added_generation <= c.published "
      "AND (e.removed_generation IS NULL OR e.removed_generation > c.published) ORDER BY d.id");
  rows.Bind(1, std::int64_t{chunk.content_id});
  if (!rows.Step()) {
    throw Error(ErrorCode::kIntegrity,
                "chunk " + std::to_string(chunk.chunk_id) + " belongs to no document");
  }
  chunk.collection = rows.Text(0);
  chunk.document_id = rows.Text(2);
  chunk.version = static_cast<std::uint32_t>(rows.Int(3));
  chunk.document_sha256 = rows.Text(4);
  chunk.text_sha256 = rows.Text(5);
  chunk.path = JoinPath({rows.Text(6), rows.Text(7)});
  chunk.title = rows.Text(8);
  chunk.media_type = rows.Text(9);
  chunk.document_date_ms = rows.Int(10);
  while (rows.Step()) chunk.also_at.push_back(JoinPath({rows.Text(6), rows.Text(7)}));
}

}  // namespace

std::variant<std::shared_ptr<const Snapshot>, SegmentFault> TryOpenSnapshot(
    const StorePaths& paths, std::span<const std::string> collections,
    const TermEmbedderFactory* fitting) {
  auto snapshot = std::make_shared<SnapshotImpl>(paths, fitting);
  if (std::optional<SegmentFault> fault = snapshot->Open(paths, collections)) return *fault;
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

}  // namespace sworn::store
