// tokenizer.model: the protobuf of SentencePiece, as far as a tokenizer needs it
// (github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto). Internal to llm/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::llm {

struct SentencePieceFile {
  enum class Kind { kUnigram = 1, kBpe = 2 };

  std::vector<std::string> pieces;
  std::vector<double> scores;
  std::vector<std::int64_t> types;  // as GGUF numbers them, too: 1 normal, 2 unknown, 3 control ...
  Kind kind = Kind::kUnigram;
  std::int64_t unknown = 0;
  std::int64_t bos = 1;
  std::int64_t eos = 2;
  std::string charsmap;  // of the normaliser; may be empty
  bool adds_space = true;
  bool one_space = true;  // runs of spaces become one
};

/// Throws kIntegrity, with the byte offset, for a damaged file and kUnsupportedMedia for a word or
/// character model.
SentencePieceFile ParseSentencePiece(std::string_view bytes);

}  // namespace sworn::llm
