// Memory for the kernels: uninitialised numbers on a 64-byte boundary.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace sworn::llm {

struct AlignedDelete {
  template <typename T>
  void operator()(T* data) const noexcept {
    operator delete[](data, std::align_val_t{64});
  }
};

template <typename T>
using AlignedArray = std::unique_ptr<T[], AlignedDelete>;

/// Not initialised: pages that are never written take no memory.
template <typename T>
AlignedArray<T> MakeAlignedArray(std::size_t count) {
  static_assert(std::is_trivially_default_constructible_v<T>);
  return AlignedArray<T>(new (std::align_val_t{64}) T[count]);
}

}  // namespace sworn::llm
