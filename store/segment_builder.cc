#include "store/segment_builder.h"

#include <utility>

#include "core/term_rows.h"
#include "core/text/analyzer.h"
#include "store/fitted.h"
#include "store/segment.h"
#include "store/term_file.h"
#include "store/xapian_index.h"

namespace sworn::store {
namespace {

// Text of a block; about 200,000 postings.
constexpr std::size_t kBlockBytes = std::size_t{2} << 20;

/// The folder must exist before its postings' folders are made.
std::filesystem::path Created(std::filesystem::path folder) {
  CreatePrivateFolder(folder);
  return folder;
}

}  // namespace

SegmentBuilder::SegmentBuilder(FileOps& files, std::filesystem::path folder,
                               std::uint32_t dimension, std::size_t threads)
    : files_(files), folder_(Created(std::move(folder))), max_queued_(threads) {
  vectors_.dimension = dimension;
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

SegmentBuilder::~SegmentBuilder() { Stop(false); }

void SegmentBuilder::Add(BuildContent content) {
  ChunkId id = content.first_chunk;
  for (BuildChunk& chunk : content.chunks) {
    const ChunkId chunk_id = id++;
    ++chunks_;
    if (chunk.vector.empty()) continue;
    vectors_.ids.push_back(chunk_id);
    vectors_.values.insert(vectors_.values.end(), chunk.vector.begin(), chunk.vector.end());
    chunk.vector = {};
  }
  gathered_bytes_ += content.text.size();
  gathered_.push_back(std::move(content));
  if (gathered_bytes_ >= kBlockBytes) Submit();
}

void SegmentBuilder::Submit() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || queue_.size() < max_queued_; });
  if (failure_) std::rethrow_exception(failure_);
  queue_.push_back({blocks_++, std::exchange(gathered_, {})});
  gathered_bytes_ = 0;
  changed_.notify_all();
}

void SegmentBuilder::Run() {
  for (;;) {
    Block block;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || failure_ || !queue_.empty(); });
      if (queue_.empty() || failure_) return;
      block = std::move(queue_.front());
      queue_.pop_front();
      changed_.notify_all();
    }
    try {
      Build(block);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
      return;
    }
  }
}

void SegmentBuilder::Build(const Block& block) const {
  text::Analyzer analyzer;
  PostingWriter chunk_postings(PartPath(kChunkPostings, block.number));
  PostingWriter content_postings(PartPath(kContentPostings, block.number));
  std::vector<ChunkId> ids;
  TermRows rows;
  for (const BuildContent& content : block.contents) {
    const std::string_view text = content.text;
    ChunkId id = content.first_chunk;
    for (const BuildChunk& chunk : content.chunks) {
      const std::string_view passage =
          text.substr(chunk.range.begin, chunk.range.end - chunk.range.begin);
      const std::vector<text::Posting> postings =
          analyzer.AnalyzePassage({content.title, chunk.heading, passage, chunk.language});
      std::vector<TermCount> row;
      row.reserve(postings.size());
      for (const text::Posting& posting : postings) {
        row.push_back({TermKeyOf(posting.term), posting.wdf});
      }
      rows.Add(std::move(row));
      ids.push_back(id);
      chunk_postings.Add(id++, postings);
    }
    content_postings.Add(content.content_id,
                         analyzer.AnalyzeDocument({content.title, {}, text, content.language}));
  }
  chunk_postings.Finish();
  content_postings.Finish();
  WriteTermFile(files_, PartPath(kTermFile, block.number), ids, rows);
}

std::filesystem::path SegmentBuilder::PartPath(const char* index, std::size_t number) const {
  return folder_ / (std::string(index) + ".part" + std::to_string(number));
}

std::vector<std::filesystem::path> SegmentBuilder::PartPaths(const char* index) const {
  std::vector<std::filesystem::path> folders;
  for (std::size_t i = 0; i < blocks_; ++i) folders.push_back(PartPath(index, i));
  return folders;
}

void SegmentBuilder::JoinTerms() {
  const std::vector<std::filesystem::path> parts = PartPaths(kTermFile);
  std::vector<TermFile> files(parts.begin(), parts.end());
  std::vector<const TermFile*> sources;
  for (const TermFile& file : files) sources.push_back(&file);
  MergeTermFiles(files_, folder_ / kTermFile, sources, [](ChunkId) { return true; });
  for (const std::filesystem::path& part : parts) std::filesystem::remove(part);
}

void SegmentBuilder::Finish(const FittedState* state) {
  if (!gathered_.empty() || blocks_ == 0) Submit();
  Stop(true);
  if (failure_) std::rethrow_exception(failure_);
  JoinPostings(PartPaths(kChunkPostings), folder_ / kChunkPostings);
  JoinPostings(PartPaths(kContentPostings), folder_ / kContentPostings);
  JoinTerms();
  if (state != nullptr) {
    vectors_ = EmbedRows(TermFile(folder_ / kTermFile), state->embedder());
    LinkFile(state->path(), folder_ / kStateFile);
  }
  WriteVectorFile(files_, folder_ / kVectorFile, vectors_);
  MakePrivate(folder_);
}

void SegmentBuilder::Stop(bool drain) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (!drain) queue_.clear();
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace sworn::store
