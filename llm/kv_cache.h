// Keys and values of the positions computed so far, in pages of 64 positions that several caches
// may share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "llm/model_config.h"

namespace sworn::llm {

inline constexpr std::size_t kPagePositions = kernels::kAttentionBlock;

/// Positions 64i to 64i+63 of all layers, binary16.
class KvPage {
 public:
  explicit KvPage(const ModelConfig& config);
  KvPage(const KvPage& other);
  KvPage& operator=(const KvPage&) = delete;

  /// [head_dim, 64]: a position per column, as kernels::AttentionBlock wants it.
  [[nodiscard]] std::uint16_t* keys(std::size_t layer, std::size_t kv_head) noexcept;
  [[nodiscard]] const std::uint16_t* keys(std::size_t layer, std::size_t kv_head) const noexcept;
  /// [64, head_dim].
  [[nodiscard]] std::uint16_t* values(std::size_t layer, std::size_t kv_head) noexcept;
  [[nodiscard]] const std::uint16_t* values(std::size_t layer, std::size_t kv_head) const noexcept;

  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  struct Buffer;  // aligned to 64 bytes
  std::size_t kv_heads_;
  std::size_t head_elements_;  // head_dim * 64
  std::size_t elements_;
  std::shared_ptr<std::uint16_t[]> data_;
};

/// Of one generation; not thread-safe. Copying shares the pages, which are then copied on write.
class KvCache {
 public:
  /// Holds at most `capacity` positions; pages are taken as they are needed.
  KvCache(const ModelConfig& config, std::size_t capacity);

  [[nodiscard]] std::size_t length() const noexcept { return length_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Makes the pages of positions length() to length() + count - 1 writable (their own), so that
  /// Forward may fill them. Throws kTooLarge beyond the capacity.
  void Reserve(std::size_t count);
  /// Positions were written and count from now on.
  void Advance(std::size_t count) noexcept { length_ += count; }
  /// Forgets the positions from `length` on; at most length().
  void Truncate(std::size_t length) noexcept;

  [[nodiscard]] const KvPage& page(std::size_t index) const noexcept { return *pages_[index]; }
  [[nodiscard]] KvPage& writable_page(std::size_t index) noexcept { return *pages_[index]; }

  /// Page `index`, all of whose positions are below length(), to be shared. It will not change.
  [[nodiscard]] std::shared_ptr<const KvPage> SharePage(std::size_t index) const;
  /// Replaces the contents by these full pages.
  void Adopt(const std::vector<std::shared_ptr<const KvPage>>& pages);

 private:
  const ModelConfig* config_;
  std::size_t capacity_;
  std::size_t length_ = 0;
  std::vector<std::shared_ptr<KvPage>> pages_;  // one with a second owner is copied before a write
};

}  // namespace sworn::llm
