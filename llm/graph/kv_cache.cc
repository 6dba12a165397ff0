#include "llm/graph/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "core/error.h"

namespace sworn::llm {
KvPage::KvPage(const ModelConfig& config)
    : kv_heads_(config.kv_heads),
      head_elements_(config.head_dim * kPagePositions),
      elements_(config.layers * kv_heads_ * 2 * head_elements_),
      data_(MakeAlignedArray<std::uint16_t>(elements_)) {
  std::fill_n(data_.get(), elements_, std::uint16_t{0});
}

KvPage::KvPage(const KvPage& other)
    : kv_heads_(other.kv_heads_),
      head_elements_(other.head_elements_),
      elements_(other.elements_),
      data_(MakeAlignedArray<std::uint16_t>(elements_)) {
  std::copy_n(other.data_.get(), elements_, data_.get());
}

KvCache::KvCache(const ModelConfig& config, std::size_t capacity)
    : config_(&config), capacity_(capacity) {}

KvCache::KvCache(const KvCache& other)
    : config_(other.config_),
      capacity_(other.capacity_),
      length_(other.length_),
      pages_(other.pages_) {
  // Neither of the two may write to these any more.
  for (Slot& slot : pages_) {
    slot.page->Freeze();
    slot.own = nullptr;
  }
}

KvCache& KvCache::operator=(const KvCache& other) {
  if (this != &other) *this = KvCache(other);
  return *this;
}

void KvCache::Reserve(std::size_t count) {
  if (count > capacity_ - length_) {
    throw Error(ErrorCode::kTooLarge, "the text needs " + std::to_string(length_ + count) +
                                          " tokens of context; there are " +
                                          std::to_string(capacity_));
  }
  if (count == 0) return;
  const std::size_t first = length_ / kPagePositions;
  const std::size_t end = (length_ + count - 1) / kPagePositions + 1;
  for (std::size_t index = first; index < end; ++index) {
    if (index < pages_.size() && pages_[index].own != nullptr && !pages_[index].page->frozen()) {
      continue;
    }
    // Only the first page holds positions that are to stay.
    const bool keep = index < pages_.size() && index * kPagePositions < length_;
    auto page =
        keep ? std::make_shared<KvPage>(*pages_[index].page) : std::make_shared<KvPage>(*config_);
    if (index == pages_.size()) pages_.emplace_back();
    pages_[index].own = page.get();
    pages_[index].page = std::move(page);
  }
}

void KvCache::Truncate(std::size_t length) noexcept {
  assert(length <= length_);
  length_ = length;
  const std::size_t needed = (length + kPagePositions - 1) / kPagePositions;
  if (pages_.size() > needed) pages_.resize(needed);
}

std::shared_ptr<const KvPage> KvCache::SharePage(std::size_t index) const {
  assert((index + 1) * kPagePositions <= length_);
  pages_[index].page->Freeze();
  return pages_[index].page;
}

void KvCache::Adopt(const std::vector<std::shared_ptr<const KvPage>>& pages) {
  if (pages.size() * kPagePositions > capacity_) {
    throw Error(ErrorCode::kTooLarge, "more pages than the cache may hold");
  }
  std::vector<Slot> slots;
  slots.reserve(pages.size());
  for (const std::shared_ptr<const KvPage>& page : pages) {
    page->Freeze();
    slots.push_back({.page = page});
  }
  pages_ = std::move(slots);
  length_ = pages_.size() * kPagePositions;
}

}  // namespace sworn::llm
