// Vocabularies small enough for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sworn::test {

/// As GGUF has it: 256 tokens of one byte each (byte-level: written in GPT-2's printable letters;
/// SentencePiece: "<0x00>", and the printable characters), the tokens that merges make, the control
/// tokens, then unused ones.
struct TinyVocabulary {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;  // 1 normal, 2 unknown, 3 control, 5 unused, 6 byte
  std::vector<std::string> merges;  // "left right", in order of rank
  std::vector<float> scores;        // of SentencePiece: minus the rank; empty: byte-level
  std::int32_t begin_of_text = 0;   // "<|begin_of_text|>" or "<bos>"
  std::int32_t end_of_text = 0;     // "<|end_of_text|>" or "<eos>"
  std::int32_t end_of_turn = 0;     // "<|eot_id|>", byte-level alone
};

/// `size` tokens, or as many as are needed if that is more.
TinyVocabulary MakeTinyVocabulary(std::size_t size);

/// The same words in the manner of Gemma: SentencePiece pieces joined by merges, bytes for what is
/// no piece.
TinyVocabulary MakeTinyPieces(std::size_t size);

}  // namespace sworn::test
