// The numbers that shape an encoder of BERT's family, read from its metadata and checked.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "llm/files/model_file.h"

namespace sworn::llm {

/// What of a text's hidden states becomes its vector.
enum class Pooling { kMean, kCls };

/// "mean" or "cls".
std::string_view PoolingName(Pooling pooling) noexcept;
/// Nothing for another name.
std::optional<Pooling> PoolingByName(std::string_view name) noexcept;

struct EncoderConfig {
  std::string architecture;  // "bert"
  std::string name;
  std::size_t vocabulary = 0;
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t head_dim = 0;
  std::size_t ffn = 0;
  std::size_t positions = 0;        // tokens of the longest text, its first and last included
  std::size_t position_offset = 0;  // row of the first position in the table
  float norm_epsilon = 1e-12F;
  std::optional<Pooling> pooling;  // if the file says so
  bool int8 = false;               // linear layers are int8 with a scale for each row
};

/// True for what ReadEncoderConfig reads (and ReadModelConfig does not).
[[nodiscard]] bool IsEncoder(const ModelFile& file);

/// Throws kUnsupportedMedia for what is not built (another pooling, causal attention, another
/// activation), kIntegrity for numbers that are missing, out of bounds or do not fit the tensors.
EncoderConfig ReadEncoderConfig(const ModelFile& file);

}  // namespace sworn::llm
