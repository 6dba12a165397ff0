// What the tokenizers share: the vocabulary, its control tokens, the way back to text, and the
// user-defined tokens, which are cut out of a text before it is split.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "llm/decode/prefix_index.h"
#include "llm/text/tokenizer.h"
#include "llm/text/vocabulary.h"

namespace sworn::llm {

class VocabularyTokenizer : public Tokenizer {
 public:
  VocabularyTokenizer(const VocabularyTokenizer&) = delete;
  VocabularyTokenizer& operator=(const VocabularyTokenizer&) = delete;

  [[nodiscard]] std::vector<Token> Encode(std::string_view text) const final;
  [[nodiscard]] std::string_view Bytes(Token token) const final;
  [[nodiscard]] std::optional<Token> Control(std::string_view text) const final;
  [[nodiscard]] std::size_t vocabulary() const final { return vocabulary_.size(); }
  [[nodiscard]] std::optional<Token> bos() const final { return vocabulary_.bos; }
  [[nodiscard]] bool adds_bos() const final { return adds_bos_; }
  [[nodiscard]] std::span<const Token> ends() const final { return vocabulary_.ends; }
  [[nodiscard]] std::string Decode(std::span<const Token> tokens) const override;

 protected:
  /// The texts of `vocabulary` have been replaced by the bytes that the tokens stand for.
  /// `adds_bos` counts where the file does not say, and if there is a bos.
  VocabularyTokenizer(Vocabulary vocabulary, bool adds_bos);

  /// Appends the tokens of a stretch of text in which no user-defined token occurs; it is valid
  /// UTF-8 and not empty.
  virtual void EncodePlain(std::string_view text, std::vector<Token>& tokens) const = 0;
  /// What a whole text becomes before it is encoded.
  [[nodiscard]] virtual std::string Prepare(std::string_view text) const {
    return std::string(text);
  }

  [[nodiscard]] const Vocabulary& vocabulary_data() const { return vocabulary_; }
  [[nodiscard]] TokenKind kind(std::size_t token) const { return vocabulary_.kinds[token]; }
  /// Of the normal tokens, by their bytes.
  [[nodiscard]] std::optional<Token> FindNormal(std::string_view bytes) const;
  /// The token for what no token expresses. Throws kInvalidArgument if the vocabulary has none.
  [[nodiscard]] Token Unknown() const;

 private:
  Vocabulary vocabulary_;
  bool adds_bos_;
  std::unordered_map<std::string_view, Token> normal_;
  std::size_t longest_normal_ = 0;
  PrefixIndex user_defined_;
};

/// "gpt2": byte-level byte-pair encoding (github.com/openai/gpt-2, src/encoder.py).
std::unique_ptr<const Tokenizer> MakeBpeTokenizer(const ModelFile& file);
/// "llama": SentencePiece's byte-pair encoding by scores (github.com/google/sentencepiece).
std::unique_ptr<const Tokenizer> MakeSpmTokenizer(const ModelFile& file);
/// "t5": SentencePiece's unigram model.
std::unique_ptr<const Tokenizer> MakeUnigramTokenizer(const ModelFile& file);

}  // namespace sworn::llm
