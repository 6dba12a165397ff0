// Makes the files of one segment from contents, wherever they come from: a job that has just
// extracted them, or the catalog.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "core/text/analyzer.h"
#include "core/types.h"
#include "store/faiss_index.h"
#include "store/xapian_index.h"

namespace sworn::store {

struct BuildChunk {
  ByteRange range;
  std::string heading;
  std::string language;
  std::vector<float> vector;
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

/// One thread at a time. Contents come in ascending order of id.
class SegmentBuilder {
 public:
  SegmentBuilder(FileOps& files, std::filesystem::path folder, std::uint32_t dimension);

  void Add(const BuildContent& content);

  /// Writes everything out. Files are private and complete, the folder tree is not yet fsynced.
  void Finish();

  [[nodiscard]] std::uint64_t chunks() const { return vectors_.ids.size(); }

 private:
  FileOps& files_;
  std::filesystem::path folder_;
  text::Analyzer analyzer_;
  PostingWriter chunk_postings_;
  PostingWriter content_postings_;
  VectorRows vectors_;
};

/// A SegmentBuilder on a thread of its own, fed through a queue of bounded size, so that extraction
/// and embedding of the next documents go on meanwhile. One caller at a time.
class BackgroundBuilder {
 public:
  BackgroundBuilder(FileOps& files, std::filesystem::path folder, std::uint32_t dimension);
  /// Drops what is queued.
  ~BackgroundBuilder();
  BackgroundBuilder(const BackgroundBuilder&) = delete;
  BackgroundBuilder& operator=(const BackgroundBuilder&) = delete;

  /// Waits while the queue is full. Throws what the builder threw.
  void Add(BuildContent content);

  /// Waits for the queue, then finishes the segment on the caller's thread.
  void Finish();

  [[nodiscard]] std::uint64_t chunks() const { return builder_.chunks(); }

 private:
  void Run();
  void Stop(bool drain);

  SegmentBuilder builder_;
  std::mutex mutex_;  // guards everything below but thread_
  std::condition_variable changed_;
  std::deque<BuildContent> queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace sworn::store
