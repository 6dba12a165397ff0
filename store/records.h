// What goes into the store and what comes out of it. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/types.h"

namespace sworn::store {

/// Which document of a collection is meant. Files: the indexed root's absolute path and the path
/// below it. Uploads: root "upload:" and the client's external id.
struct SourceKey {
  std::string root;
  std::string relative_path;

  // clang-tidy 14 takes the 0 behind a defaulted <=> for a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const SourceKey&, const SourceKey&) = default;
};

/// What tells without reading whether a file is the one that was indexed.
struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

struct NewChunk {
  ByteRange range;      // into NewContent::text
  std::string heading;  // path, "Terms > Termination"
  Location location;
  std::string language;  // "en", "und"
  bool ocr = false;
  std::vector<float> vector;  // of the collection's embedder; empty where that is a fitted one
};

/// A text that is stored and indexed once per collection, however many paths have its bytes.
struct NewContent {
  std::string document_sha256;  // hex, of the original bytes
  std::string media_type;       // "application/pdf"
  std::string extractor;        // name and version
  int normalization_version = 0;
  std::string title;
  std::string language;
  std::string text;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> warnings;
  std::string flags;  // "hidden_text,ocr": comma-separated, empty if none
  std::uint32_t page_count = 0;
  std::vector<NewChunk> chunks;
};

/// Everything of one version but its content.
struct NewVersion {
  SourceKey key;
  FileFacts facts;
  std::int64_t document_date_ms = 0;             // from the document's metadata, else its mtime
  std::map<std::string, std::string> user_meta;  // --meta key=value
};

/// Why a file gave no text.
enum class UnreadableKind { kFailed, kSkipped, kNeedsOcr };

struct UnreadableFile {
  SourceKey key;
  UnreadableKind kind = UnreadableKind::kFailed;
  std::string reason;
};

enum class DocumentState { kCurrent, kSuperseded, kWithdrawn, kUnreadable };

/// One document as `list`, `show` and planning see it: its newest version.
struct DocumentInfo {
  std::string document_id;  // "d_..."
  std::string collection;
  SourceKey key;
  std::string path;  // root and relative path joined
  std::uint32_t version = 0;
  DocumentState state = DocumentState::kCurrent;
  std::string reason;  // of kUnreadable
  UnreadableKind unreadable_kind = UnreadableKind::kFailed;
  FileFacts facts;
  ContentId content_id = 0;
  std::string document_sha256;
  std::string text_sha256;
  std::string media_type;
  std::string extractor;
  std::string title;
  std::string language;
  std::string flags;
  std::uint32_t page_count = 0;
  std::uint32_t chunk_count = 0;
  std::uint64_t text_bytes = 0;
  std::int64_t document_date_ms = 0;
  std::int64_t indexed_at_ms = 0;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> user_meta;
  std::vector<std::string> warnings;
};

/// A chunk with everything a hit or a citation shows. `text` was compared with its stored digest.
struct StoredChunk {
  ChunkId chunk_id = 0;
  ContentId content_id = 0;
  std::uint32_t ordinal = 0;
  ByteRange range;
  std::string text;
  std::string heading;
  Location location;
  std::string language;
  bool ocr = false;
  // Of the first live document with this content, by document row:
  std::string collection;
  std::string document_id;
  std::uint32_t version = 0;
  std::string document_sha256;
  std::string text_sha256;
  std::string path;
  std::string title;
  std::string media_type;
  std::int64_t document_date_ms = 0;
  std::vector<std::string> also_at;  // further live paths with the same bytes
};

/// Which documents may be found; empty members do not restrict. Globs match the whole path or its
/// end after a slash; `*` does not cross a slash, `**` does.
struct DocumentFilter {
  std::vector<std::string> path_globs;  // any of them
  std::vector<std::string>
      media_types;  // any of them: "application/pdf", or an extension such as "pdf"
  std::optional<std::int64_t> since_ms;      // document date, inclusive
  std::optional<std::int64_t> until_ms;      // exclusive
  std::map<std::string, std::string> where;  // all of them, against user_meta and metadata

  [[nodiscard]] bool empty() const {
    return path_globs.empty() && media_types.empty() && !since_ms && !until_ms && where.empty();
  }
};

/// What the vector leg finds in a collection.
enum class VectorsKind {
  kText,      // vectors of an Embedder: Snapshot::SearchVectors
  kFitted,    // vectors fitted to the collection: Snapshot::SearchFitted
  kUnfitted,  // none yet: too few chunks to fit an embedder to
  kForeign,   // fitted by an embedder that this program does not have: the next index job refits
};

/// A segment whose vectors are cut into lists, and what was measured when it was built: the share
/// of the ten best hits of an exact search that the probed lists hold.
struct VectorListsInfo {
  std::uint64_t rows = 0;
  std::uint32_t lists = 0;
  std::uint32_t probes = 0;
  double recall_at_10 = 0;

  friend bool operator==(const VectorListsInfo&, const VectorListsInfo&) = default;
};

struct CollectionInfo {
  std::string name;
  std::string collection_id;     // "c_" and 26 random base32 characters; never reused
  std::uint64_t generation = 0;  // 0: nothing published yet
  std::string embedder_id;       // digest of the EmbedderIdentity; empty before the first job
  std::string embedder_name;
  VectorsKind vectors = VectorsKind::kText;
  std::vector<std::string> roots;
  std::vector<std::string> languages;  // of the live chunks, most frequent first
  std::uint64_t documents = 0;         // live
  std::uint64_t chunks = 0;
  std::uint64_t skipped = 0;
  std::uint64_t unreadable = 0;  // failed and needs OCR
  std::uint32_t segments = 0;
  std::uint64_t index_bytes = 0;
  std::vector<VectorListsInfo> vector_lists;  // empty where every vector is scanned
};

}  // namespace sworn::store
