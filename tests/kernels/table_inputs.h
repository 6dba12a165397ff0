// Random inputs that are the same everywhere, and a place to collect outputs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace sworn::kernels {

/// The same numbers on every processor and library: xorshift64*.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}

  std::uint32_t Bits() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>(state_ * 0x2545F4914F6CDD1DU >> 32);
  }
  std::uint32_t Below(std::uint32_t bound) { return Bits() % bound; }
  /// Either sign, 24 random bits, magnitudes mostly from 2^-6 to 2^2.
  float Float() {
    const auto mantissa = static_cast<float>(static_cast<std::int32_t>(Bits()) >> 8);
    const std::uint32_t exponent = 127U - 23U - 6U + Below(9);
    return mantissa * std::bit_cast<float>(exponent << 23);
  }
  std::vector<float> Floats(std::size_t n) {
    std::vector<float> out(n);
    for (float& x : out) x = Float();
    return out;
  }

 private:
  std::uint64_t state_;
};

/// Collects the outputs of a case.
class Outputs {
 public:
  template <typename T>
  void Add(const T* values, std::size_t n) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + n * sizeof(T));
    std::memcpy(bytes_.data() + at, values, n * sizeof(T));
  }
  template <typename T>
  void Add(const std::vector<T>& values) {
    Add(values.data(), values.size());
  }
  std::vector<std::uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Zeros at a 64-byte aligned address.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size) : size_(size), lines_((size + 63) / 64) {}
  [[nodiscard]] std::uint8_t* data() { return lines_[0].bytes; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct alignas(64) Line {
    std::uint8_t bytes[64];
  };
  std::size_t size_;
  std::vector<Line> lines_;
};

}  // namespace sworn::kernels
