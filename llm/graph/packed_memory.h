// Anonymous memory on huge pages, where the system gives them: for what is read as one long stream.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sworn::llm {

/// Move-only; what it holds may be shared between threads.
class PackedMemory {
 public:
  PackedMemory() = default;
  /// Zeros. Throws kInternal if the system has no such memory.
  explicit PackedMemory(std::size_t bytes);
  PackedMemory(const PackedMemory&) = delete;
  PackedMemory& operator=(const PackedMemory&) = delete;
  PackedMemory(PackedMemory&& other) noexcept;
  PackedMemory& operator=(PackedMemory&& other) noexcept;
  ~PackedMemory();

  /// Aligned to a huge page; null if empty.
  [[nodiscard]] std::uint8_t* data() const noexcept { return data_; }

 private:
  void* mapping_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::uint8_t* data_ = nullptr;
};

}  // namespace sworn::llm
