// A byte-level BPE vocabulary small enough for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sworn::test {

/// As GGUF has it: 256 tokens of one byte each (written in GPT-2's printable letters), the tokens
/// that merges make, the control tokens, then unused ones.
struct TinyVocabulary {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;  // 1 normal, 3 control, 5 unused
  std::vector<std::string> merges;  // "left right", in order of rank
  std::int32_t begin_of_text = 0;   // "<|begin_of_text|>"
  std::int32_t end_of_text = 0;     // "<|end_of_text|>"
  std::int32_t end_of_turn = 0;     // "<|eot_id|>"
};

/// `size` tokens, or as many as are needed if that is more.
TinyVocabulary MakeTinyVocabulary(std::size_t size);

}  // namespace sworn::test
