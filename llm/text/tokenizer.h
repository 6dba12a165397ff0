// Text to token ids and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/files/model_file.h"

namespace sworn::llm {

using Token = std::int32_t;

/// Of one call of Encode; longer text throws kTooLarge.
inline constexpr std::size_t kMaxEncodeBytes = std::size_t{16} * 1024 * 1024;

/// Immutable; safe to share between threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Plain text only: what looks like a control token ("<|eot_id|>") is encoded as the characters
  /// it consists of, so no text of a user or a document can become one. No BOS, no EOS. Invalid
  /// UTF-8 throws kInvalidArgument.
  [[nodiscard]] virtual std::vector<Token> Encode(std::string_view text) const = 0;

  /// The bytes of one token as they stand inside a text; may end inside a code point. Empty for
  /// control tokens, U+FFFD for the unknown one. Throws kInvalidArgument for an id outside the
  /// vocabulary.
  [[nodiscard]] virtual std::string_view Bytes(Token token) const = 0;

  /// The id of a control token by its exact text; nothing if the vocabulary has none.
  [[nodiscard]] virtual std::optional<Token> Control(std::string_view text) const = 0;

  [[nodiscard]] virtual std::size_t vocabulary() const = 0;
  [[nodiscard]] virtual std::optional<Token> bos() const = 0;
  /// Whether a prompt begins with bos().
  [[nodiscard]] virtual bool adds_bos() const = 0;
  /// Every token that ends a text: the one the file names and those known by their text
  /// (<|end_of_text|>, <|eot_id|>, </s>, <|im_end|>, <|endoftext|>).
  [[nodiscard]] virtual std::span<const Token> ends() const = 0;

  /// The text of tokens that stand at the start of a text: Bytes joined, with SentencePiece's one
  /// leading space removed. Encode then Decode gives the text again, for any text the vocabulary
  /// can express.
  [[nodiscard]] virtual std::string Decode(std::span<const Token> tokens) const = 0;
};

/// From "tokenizer.ggml.*" of a model file: gpt2 (byte-level BPE; pre-tokenizers gpt-2, llama-bpe,
/// qwen2, falcon3, smollm; a missing "pre" means llama-bpe for bitnet architectures), llama
/// (SentencePiece BPE), t5 (SentencePiece unigram), bert
/// (WordPiece). Throws kUnsupportedMedia or kIntegrity.
std::unique_ptr<const Tokenizer> LoadTokenizer(const ModelFile& file);

}  // namespace sworn::llm
