// Keys and values of the positions computed so far, in pages of 64 positions that several caches
// may share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/model_config.h"
#include "llm/graph/aligned_array.h"

namespace sworn::llm {

inline constexpr std::size_t kPagePositions = kernels::kAttentionBlock;

/// Positions 64i to 64i+63 of all layers, binary16; zeros where nothing was written. Once frozen it
/// never changes again and may be read by any number of threads.
class KvPage {
 public:
  explicit KvPage(const ModelConfig& config);
  /// A copy of the contents; not frozen.
  KvPage(const KvPage& other);
  KvPage& operator=(const KvPage&) = delete;
  ~KvPage() = default;

  /// [head_dim, 64]: a position per column, as kernels::AttentionBlock wants it; 64-byte aligned.
  [[nodiscard]] std::uint16_t* keys(std::size_t layer, std::size_t kv_head) noexcept {
    return data_.get() + Offset(layer, kv_head);
  }
  [[nodiscard]] const std::uint16_t* keys(std::size_t layer, std::size_t kv_head) const noexcept {
    return data_.get() + Offset(layer, kv_head);
  }
  /// [64, head_dim]; 64-byte aligned.
  [[nodiscard]] std::uint16_t* values(std::size_t layer, std::size_t kv_head) noexcept {
    return data_.get() + Offset(layer, kv_head) + head_elements_;
  }
  [[nodiscard]] const std::uint16_t* values(std::size_t layer, std::size_t kv_head) const noexcept {
    return data_.get() + Offset(layer, kv_head) + head_elements_;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return elements_ * sizeof(std::uint16_t); }

  /// Ends writing: the page is or was shared.
  void Freeze() const noexcept { frozen_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool frozen() const noexcept { return frozen_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] std::size_t Offset(std::size_t layer, std::size_t kv_head) const noexcept {
    return (layer * kv_heads_ + kv_head) * 2 * head_elements_;
  }

  std::size_t kv_heads_;
  std::size_t head_elements_;  // head_dim * 64
  std::size_t elements_;
  AlignedArray<std::uint16_t> data_;  // [layers, kv_heads, keys and values]
  mutable std::atomic<bool> frozen_{false};
};

/// Of one generation; not thread-safe. Copying shares the pages, which are then copied on write.
class KvCache {
 public:
  /// Holds at most `capacity` positions; pages are taken as they are needed. `config` must outlive
  /// the cache and its copies.
  KvCache(const ModelConfig& config, std::size_t capacity);
  KvCache(const KvCache& other);
  KvCache& operator=(const KvCache& other);
  KvCache(KvCache&&) noexcept = default;
  KvCache& operator=(KvCache&&) noexcept = default;
  ~KvCache() = default;

  [[nodiscard]] std::size_t length() const noexcept { return length_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Makes the pages of positions length() to length() + count - 1 writable (their own), so that
  /// Forward may fill them. Throws kTooLarge beyond the capacity.
  void Reserve(std::size_t count);
  /// Positions were written and count from now on.
  void Advance(std::size_t count) noexcept { length_ += count; }
  /// Forgets the positions from `length` on; at most length().
  void Truncate(std::size_t length) noexcept;

  [[nodiscard]] const KvPage& page(std::size_t index) const noexcept { return *pages_[index].page; }
  /// One that Reserve made writable.
  [[nodiscard]] KvPage& writable_page(std::size_t index) noexcept { return *pages_[index].own; }

  /// Page `index`, all of whose positions are below length(), to be shared. It will not change.
  [[nodiscard]] std::shared_ptr<const KvPage> SharePage(std::size_t index) const;
  /// Replaces the contents by these full pages. Throws kTooLarge beyond the capacity.
  void Adopt(const std::vector<std::shared_ptr<const KvPage>>& pages);

 private:
  struct Slot {
    std::shared_ptr<const KvPage> page;
    KvPage* own = nullptr;  // the same page where this cache made it; written until it is frozen
  };

  const ModelConfig* config_;
  std::size_t capacity_;
  std::size_t length_ = 0;
  std::vector<Slot> pages_;
};

}  // namespace sworn::llm
