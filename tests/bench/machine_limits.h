// What a machine can do at most, measured by loops that do nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sworn::bench {

/// Reads every byte of `bytes`, whose size is a multiple of 512, with the widest plain loads.
/// Returns a digest, so that nothing can be left out.
std::uint64_t ReadAll(std::span<const std::uint8_t> bytes);

/// Multiplications of the loop that repeats the kernel table's own instruction on registers alone,
/// `rounds` times; 0 if there is none for this table.
double PeakLoop(std::string_view table, std::size_t rounds);

}  // namespace sworn::bench
