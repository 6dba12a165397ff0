// The tokens of a model file and what each of them is for, read from "tokenizer.ggml.*" and
// checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "llm/files/model_file.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

inline constexpr std::size_t kMaxVocabulary = std::size_t{1} << 20;
inline constexpr std::size_t kMaxTokenBytes = 4096;  // of one token, as the file writes it

/// The numbers are those of GGUF's token_type.
enum class TokenKind : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,  // found in a text before anything else is done to it
  kUnused = 5,
  kByte = 6,  // "<0x41>": stands for a byte that no other token expresses
};

/// A token is taken for a control token if the file says so or if its text has the form "<|...|>"
/// or is one of the well-known markers ("</s>", "[INST]"), whatever type it has in the file: some
/// converters call role markers user-defined, and then a text could forge them.
struct Vocabulary {
  std::vector<std::string> texts;  // as the file writes them, by id
  std::vector<TokenKind> kinds;    // by id
  std::vector<float> scores;       // by id, finite; empty if the file has none
  std::unordered_map<std::string, Token> controls;
  std::optional<Token> bos;
  std::optional<Token> unknown;
  std::vector<Token> ends;       // ascending
  std::optional<bool> adds_bos;  // only if the file says so; then there is a bos

  [[nodiscard]] std::size_t size() const { return texts.size(); }
};

/// Throws kIntegrity naming the key, and the index where there is one.
Vocabulary ReadVocabulary(const ModelFile& file);

/// The array of strings under `key`, or null if there is none. Throws kIntegrity for another type.
const std::vector<std::string>* StringArray(const ModelFile& file, const std::string& key);
/// The array of numbers under `key`, widened; nothing if there is none. As StringArray.
std::optional<std::vector<double>> RealArray(const ModelFile& file, const std::string& key);

/// The byte of a token of kind kByte. Throws kIntegrity naming `token`.
std::uint8_t ByteOf(const Vocabulary& vocabulary, Token token);

}  // namespace sworn::llm
