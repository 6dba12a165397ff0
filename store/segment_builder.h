// Makes the files of one segment from contents, wherever they come from: a job that has just
// extracted them, or the catalog.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "core/types.h"
#include "store/faiss_index.h"

namespace sworn::store {

class FittedState;

struct BuildChunk {
  ByteRange range;
  std::string heading;
  std::string language;
  std::vector<float> vector;  // empty where the embedder is a fitted one
};

/// A content with its chunks, whose ids count up from first_chunk.
struct BuildContent {
  ContentId content_id = 0;
  ChunkId first_chunk = 0;
  std::string title;
  std::string language;
  std::string text;
  std::vector<BuildChunk> chunks;
};

/// Builds on threads of its own, so that extraction and embedding of the next documents go on
/// meanwhile. Contents are gathered to blocks; each block becomes a part of both keyword indexes
/// and of the file of terms on one thread, and Finish joins the parts. Blocks are small for a
/// second reason: Xapian gathers postings in one map per database, which is a quarter faster while
/// it fits the processor's caches.
///
/// One caller at a time.
class SegmentBuilder {
 public:
  SegmentBuilder(FileOps& files, std::filesystem::path folder, std::uint32_t dimension,
                 std::size_t threads);
  /// Drops what is not built yet.
  ~SegmentBuilder();
  SegmentBuilder(const SegmentBuilder&) = delete;
  SegmentBuilder& operator=(const SegmentBuilder&) = delete;

  /// Contents in ascending order of id. Waits while too many blocks do; throws what a builder
  /// threw.
  void Add(BuildContent content);

  /// Writes everything out; with `state`, that of a fitted embedder, vectors are made with it.
  /// Files are private and complete, the folder tree is not yet fsynced.
  void Finish(const FittedState* state);

  [[nodiscard]] std::uint64_t chunks() const { return chunks_; }

 private:
  struct Block {
    std::size_t number = 0;
    std::vector<BuildContent> contents;
  };

  void Run();
  void Build(const Block& block) const;
  void Submit();
  void Stop(bool drain);
  void JoinTerms();
  [[nodiscard]] std::filesystem::path PartPath(const char* index, std::size_t number) const;
  [[nodiscard]] std::vector<std::filesystem::path> PartPaths(const char* index) const;

  FileOps& files_;
  std::filesystem::path folder_;
  std::size_t max_queued_;
  VectorRows vectors_;
  std::uint64_t chunks_ = 0;
  std::vector<BuildContent> gathered_;  // the next block
  std::size_t gathered_bytes_ = 0;
  std::size_t blocks_ = 0;

  std::mutex mutex_;  // guards everything below but threads_
  std::condition_variable changed_;
  std::deque<Block> queue_;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace sworn::store
