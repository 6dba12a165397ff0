// What the processor can do at most, to measure kernels against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sworn::kernels {

/// Repeats the product instruction of the table `name` on registers alone, `rounds` times. Returns
/// how many products that were (for the caller to divide by the time); 0 where no probe is known,
/// as for "scalar" and tables of other processors. The table must be able to run here.
std::uint64_t ProbeIntegerProducts(std::string_view name, std::uint64_t rounds) noexcept;

/// Reads every byte of `bytes`, whose size is a multiple of 512, with the widest plain loads.
/// Returns their digest (the exclusive or of all 64-bit words), so that nothing can be left out.
std::uint64_t ProbeRead(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace sworn::kernels
