#include "llm/graph/packed_memory.h"

#include <string>
#include <utility>

#include <sys/mman.h>

#include "core/error.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} * 1024 * 1024;

}  // namespace

PackedMemory::PackedMemory(std::size_t bytes) {
  if (bytes == 0) return;
  const std::size_t mapped = (bytes + kHugePage - 1) / kHugePage * kHugePage + kHugePage;
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    throw Error(ErrorCode::kInternal, "no memory for " + std::to_string(bytes) + " bytes");
  }
  mapping_ = mapping;
  mapped_bytes_ = mapped;
  const std::size_t skip =
      (kHugePage - reinterpret_cast<std::uintptr_t>(mapping) % kHugePage) % kHugePage;
  data_ = static_cast<std::uint8_t*>(mapping) + skip;
  // Only a hint: without huge pages the same bytes are read somewhat slower.
  madvise(data_, mapped - kHugePage, MADV_HUGEPAGE);
}

PackedMemory::PackedMemory(PackedMemory&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)),
      data_(std::exchange(other.data_, nullptr)) {}

PackedMemory& PackedMemory::operator=(PackedMemory&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(data_, other.data_);
  return *this;
}

PackedMemory::~PackedMemory() {
  if (mapping_ != nullptr) munmap(mapping_, mapped_bytes_);
}

}  // namespace sworn::llm
