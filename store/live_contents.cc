#include "store/live_contents.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sworn::store {

LiveContents::LiveContents(std::vector<const ContentRow*> rows) : by_id_(std::move(rows)) {
  std::copy_if(by_id_.begin(), by_id_.end(), std::back_inserter(by_chunk_),
               [](const ContentRow* content) { return content->chunk_count > 0; });
  std::sort(by_id_.begin(), by_id_.end(),
            [](const auto* a, const auto* b) { return a->id < b->id; });
  std::sort(by_chunk_.begin(), by_chunk_.end(),
            [](const auto* a, const auto* b) { return a->first_chunk < b->first_chunk; });
  chunks_ = ChunksIn(nullptr);
}

const ContentRow* LiveContents::Find(ContentId id) const {
  const auto at = std::lower_bound(
      by_id_.begin(), by_id_.end(), id,
      [](const ContentRow* content, ContentId wanted) { return content->id < wanted; });
  return at != by_id_.end() && (*at)->id == id ? *at : nullptr;
}

ContentId LiveContents::ContentOf(ChunkId id) const {
  // The last content whose first chunk is not behind the one asked for.
  auto at = std::upper_bound(
      by_chunk_.begin(), by_chunk_.end(), id,
      [](ChunkId wanted, const ContentRow* content) { return wanted < content->first_chunk; });
  if (at == by_chunk_.begin()) return 0;
  const ContentRow& content = **--at;
  return id - content.first_chunk < content.chunk_count ? content.id : 0;
}

std::function<bool(ChunkId)> LiveContents::Accepting(const ContentSet* only) const {
  if (only == nullptr) {
    return [this](ChunkId id) { return id < chunks_.size() && chunks_[id]; };
  }
  return [allowed = ChunksIn(only)](ChunkId id) { return id < allowed.size() && allowed[id]; };
}

std::vector<bool> LiveContents::ChunksIn(const ContentSet* only) const {
  std::vector<bool> chunks;
  if (!by_chunk_.empty()) {
    chunks.resize(by_chunk_.back()->first_chunk + by_chunk_.back()->chunk_count);
  }
  for (const ContentRow* content : by_chunk_) {
    if (only != nullptr && !only->Contains(content->id)) continue;
    const auto begin = chunks.begin() + content->first_chunk;
    std::fill(begin, begin + content->chunk_count, true);
  }
  return chunks;
}

}  // namespace sworn::store
