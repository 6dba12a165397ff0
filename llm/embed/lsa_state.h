// What a fitted LSA space consists of, and its bytes.
//
// All numbers are little-endian: 8 bytes "SWORNLSA", u32 version (1), u32 dimension k, u32 number
// of terms t, u32 zero, then t u64 term keys in ascending order, t f32 entropy weights in [0, 1],
// t f32 scales, and t rows of k int8. Row i of V is scale[i] * row i.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/term_rows.h"

namespace sworn::llm {

inline constexpr std::uint32_t kMaxLsaDimension = 384;
/// The most common ones of a larger vocabulary are kept. 26 MB of state.
inline constexpr std::uint32_t kMaxLsaTerms = 65536;

struct LsaState {
  std::uint32_t dimension = 0;          // 1 to kMaxLsaDimension
  std::vector<TermKey> terms;           // ascending
  std::vector<float> weights;           // per term
  std::vector<float> scales;            // per term
  std::vector<std::int8_t> directions;  // row-major [terms, dimension]
};

std::string EncodeLsaState(const LsaState& state);

/// Throws kIntegrity for anything that EncodeLsaState does not write.
LsaState DecodeLsaState(std::string_view bytes);

}  // namespace sworn::llm
