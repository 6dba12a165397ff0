// The linear layers of a block. Internal to llm/.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace sworn::llm {

inline constexpr std::array<std::string_view, 7> kLinearNames = {
    "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};

/// True for "blk.7.attn_q.weight" and its like.
inline bool IsLinearWeight(std::string_view tensor) {
  constexpr std::string_view kBlock = "blk.";
  constexpr std::string_view kWeight = ".weight";
  if (!tensor.starts_with(kBlock) || !tensor.ends_with(kWeight)) return false;
  const std::size_t dot = tensor.find('.', kBlock.size());
  if (dot == std::string_view::npos || dot + 1 + kWeight.size() >= tensor.size()) return false;
  const std::string_view kind = tensor.substr(dot + 1, tensor.size() - dot - 1 - kWeight.size());
  return std::find(kLinearNames.begin(), kLinearNames.end(), kind) != kLinearNames.end();
}

/// "blk.7.attn_q.scale" of "blk.7.attn_q.weight"; with ".scale" appended to other names.
inline std::string ScaleName(std::string_view weight) {
  constexpr std::string_view kWeight = ".weight";
  if (weight.ends_with(kWeight)) weight.remove_suffix(kWeight.size());
  return std::string(weight) + ".scale";
}

}  // namespace sworn::llm
