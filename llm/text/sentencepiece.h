// What the two models of SentencePiece share: U+2581 for a space, the space in front of a text, and
// bytes for what is no token.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/text/vocabulary_tokenizer.h"

namespace sworn::llm {

/// Bytes of the code point that begins with `first`, in valid UTF-8.
[[nodiscard]] std::size_t CodePointSize(char first) noexcept;

class SentencePieceTokenizer : public VocabularyTokenizer {
 public:
  /// Without the space that Prepare puts in front.
  [[nodiscard]] std::string Decode(std::span<const Token> tokens) const final;

 protected:
  explicit SentencePieceTokenizer(const ModelFile& file);

  [[nodiscard]] std::string Prepare(std::string_view text) const override;
  [[nodiscard]] bool adds_space() const { return adds_space_; }
  [[nodiscard]] float score(Token token) const {
    return vocabulary_data().scores[static_cast<std::size_t>(token)];
  }
  /// Appends the byte tokens of a code point, or the unknown token if the vocabulary has no bytes.
  void EncodeUnknown(std::string_view code_point, std::vector<Token>& tokens) const;

 private:
  bool adds_space_;
  std::array<std::optional<Token>, 256> bytes_;
};

}  // namespace sworn::llm
