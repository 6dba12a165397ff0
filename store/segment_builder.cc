#include "store/segment_builder.h"

#include <utility>

#include "store/segment.h"

namespace sworn::store {
namespace {

constexpr std::size_t kMaxQueuedBytes = std::size_t{64} << 20;

std::size_t SizeOf(const BuildContent& content) {
  std::size_t bytes = content.text.size() + sizeof(content);
  for (const BuildChunk& chunk : content.chunks) {
    bytes += sizeof(chunk) + chunk.vector.size() * sizeof(float);
  }
  return bytes;
}

/// The folder must exist before its postings' folders are made.
std::filesystem::path Created(std::filesystem::path folder) {
  CreatePrivateFolder(folder);
  return folder;
}

}  // namespace

SegmentBuilder::SegmentBuilder(FileOps& files, std::filesystem::path folder,
                               std::uint32_t dimension)
    : files_(files),
      folder_(Created(std::move(folder))),
      chunk_postings_(folder_ / kChunkPostings),
      content_postings_(folder_ / kContentPostings) {
  vectors_.dimension = dimension;
}

void SegmentBuilder::Add(const BuildContent& content) {
  const std::string_view text = content.text;
  ChunkId id = content.first_chunk;
  for (const BuildChunk& chunk : content.chunks) {
    const text::PassageText passage{
        content.title, chunk.heading,
        text.substr(chunk.range.begin, chunk.range.end - chunk.range.begin), chunk.language};
    chunk_postings_.Add(id, analyzer_.AnalyzePassage(passage));
    vectors_.ids.push_back(id);
    vectors_.values.insert(vectors_.values.end(), chunk.vector.begin(), chunk.vector.end());
    ++id;
  }
  content_postings_.Add(content.content_id,
                        analyzer_.AnalyzeDocument({content.title, {}, text, content.language}));
}

void SegmentBuilder::Finish() {
  chunk_postings_.Finish();
  content_postings_.Finish();
  WriteVectorFile(files_, folder_ / kVectorFile, vectors_);
  MakePrivate(folder_);
}

BackgroundBuilder::BackgroundBuilder(FileOps& files, std::filesystem::path folder,
                                     std::uint32_t dimension)
    : builder_(files, std::move(folder), dimension), thread_([this] { Run(); }) {}

BackgroundBuilder::~BackgroundBuilder() { Stop(false); }

void BackgroundBuilder::Run() {
  for (;;) {
    BuildContent content;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      content = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      builder_.Add(content);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
      return;
    }
    const std::lock_guard lock(mutex_);
    queued_bytes_ -= SizeOf(content);
    changed_.notify_all();
  }
}

void BackgroundBuilder::Add(BuildContent content) {
  const std::size_t bytes = SizeOf(content);
  std::unique_lock lock(mutex_);
  // A single content above the bound goes through alone.
  changed_.wait(lock, [&] {
    return failure_ || queued_bytes_ == 0 || queued_bytes_ + bytes <= kMaxQueuedBytes;
  });
  if (failure_) std::rethrow_exception(failure_);
  queued_bytes_ += bytes;
  queue_.push_back(std::move(content));
  changed_.notify_all();
}

void BackgroundBuilder::Finish() {
  Stop(true);
  if (failure_) std::rethrow_exception(failure_);
  builder_.Finish();
}

void BackgroundBuilder::Stop(bool drain) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (!drain) queue_.clear();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace sworn::store
