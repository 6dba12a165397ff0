#include "llm/text/sentencepiece.h"

#include <cstdint>
#include <utility>

#include "core/error.h"

namespace sworn::llm {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581

std::string Unescape(const std::string& written) {
  std::string bytes;
  bytes.reserve(written.size());
  for (std::size_t at = 0; at < written.size();) {
    if (written.compare(at, kSpace.size(), kSpace) == 0) {
      bytes += ' ';
      at += kSpace.size();
    } else {
      bytes += written[at++];
    }
  }
  return bytes;
}

Vocabulary ReadPieces(const ModelFile& file) {
  Vocabulary vocabulary = ReadVocabulary(file);
  if (vocabulary.scores.empty()) {
    throw Error(ErrorCode::kIntegrity, "tokenizer.ggml.scores is missing");
  }
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    switch (vocabulary.kinds[i]) {
      case TokenKind::kControl:
      case TokenKind::kUnknown:
        break;
      case TokenKind::kByte:
        vocabulary.texts[i] = static_cast<char>(ByteOf(vocabulary, static_cast<Token>(i)));
        break;
      default:
        vocabulary.texts[i] = Unescape(vocabulary.texts[i]);
    }
  }
  return vocabulary;
}

}  // namespace

std::size_t CodePointSize(char first) noexcept {
  const auto byte = static_cast<std::uint8_t>(first);
  if (byte < 0x80) return 1;
  return byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

SentencePieceTokenizer::SentencePieceTokenizer(const ModelFile& file)
    : VocabularyTokenizer(ReadPieces(file), true),
      adds_space_(file.Flag("tokenizer.ggml.add_space_prefix").value_or(true)) {
  for (std::size_t i = 0; i < vocabulary(); ++i) {
    if (kind(i) != TokenKind::kByte) continue;
    const auto byte = static_cast<std::uint8_t>(vocabulary_data().texts[i].front());
    if (!bytes_[byte]) bytes_[byte] = static_cast<Token>(i);
  }
}

std::string SentencePieceTokenizer::Prepare(std::string_view text) const {
  std::string prepared;
  prepared.reserve(text.size() + 1);
  if (adds_space_) prepared += ' ';
  prepared += text;
  return prepared;
}

void SentencePieceTokenizer::EncodeUnknown(std::string_view code_point,
                                           std::vector<Token>& tokens) const {
  const std::size_t before = tokens.size();
  for (const char c : code_point) {
    if (const auto token = bytes_[static_cast<std::uint8_t>(c)]) {
      tokens.push_back(*token);
    } else {
      tokens.resize(before);
      tokens.push_back(Unknown());
      return;
    }
  }
}

std::string SentencePieceTokenizer::Decode(std::span<const Token> tokens) const {
  std::string text = VocabularyTokenizer::Decode(tokens);
  if (adds_space_ && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

}  // namespace sworn::llm
