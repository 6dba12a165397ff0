// What the processor can do at most, to measure kernels against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sworn::kernels {

/// Multiplies int8 by uint8 and adds, in registers alone, with the widest instruction that the
/// table `name` uses, `rounds` times. Returns how many products that were (for the caller to divide
/// by the time); 0 where no probe is known, as for "scalar" and tables of other processors. The
/// table must be able to run here.
std::uint64_t ProbeIntegerProducts(std::string_view name, std::uint64_t rounds) noexcept;

/// The sum of `count` words, eight at a time: reads memory as fast as one thread can.
std::uint64_t ProbeRead(const std::uint64_t* words, std::size_t count) noexcept;

}  // namespace sworn::kernels
