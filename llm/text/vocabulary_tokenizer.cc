#include "llm/text/vocabulary_tokenizer.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text/unicode.h"
#include "llm/text/wordpiece_tokenizer.h"

namespace sworn::llm {
namespace {

PrefixIndex UserDefined(const Vocabulary& vocabulary) {
  std::vector<PrefixIndex::Entry> entries;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string& bytes = vocabulary.texts[i];
    // Others could only be found inside a code point.
    if (vocabulary.kinds[i] == TokenKind::kUserDefined && !bytes.empty() &&
        text::IsValidUtf8(bytes)) {
      entries.push_back({bytes, static_cast<Token>(i)});
    }
  }
  return PrefixIndex(std::move(entries));
}

}  // namespace

VocabularyTokenizer::VocabularyTokenizer(Vocabulary vocabulary, bool adds_bos)
    : vocabulary_(std::move(vocabulary)),
      adds_bos_(vocabulary_.adds_bos.value_or(adds_bos) && vocabulary_.bos.has_value()),
      user_defined_(UserDefined(vocabulary_)) {
  normal_.reserve(vocabulary_.size());
  for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
    const std::string& bytes = vocabulary_.texts[i];
    if (kind(i) != TokenKind::kNormal || bytes.empty()) continue;
    normal_.try_emplace(bytes, static_cast<Token>(i));
    longest_normal_ = std::max(longest_normal_, bytes.size());
  }
}

std::vector<Token> VocabularyTokenizer::Encode(std::string_view text) const {
  if (text.size() > kMaxEncodeBytes) {
    throw Error(ErrorCode::kTooLarge,
                "a text of " + std::to_string(text.size()) + " bytes is too long for one prompt");
  }
  if (!text::IsValidUtf8(text)) {
    throw Error(ErrorCode::kInvalidArgument, "the text to encode is not valid UTF-8");
  }
  std::vector<Token> tokens;
  if (text.empty()) return tokens;
  tokens.reserve(text.size() / 3 + 1);
  const std::string prepared = Prepare(text);
  const std::string_view whole = prepared;
  std::size_t begin = 0;
  const auto encode_up_to = [&](std::size_t end) {
    if (end > begin) EncodePlain(whole.substr(begin, end - begin), tokens);
  };
  for (std::size_t at = 0; !user_defined_.empty() && at < whole.size();) {
    PrefixIndex::Entry longest;
    user_defined_.ForEach(whole.substr(at), [&](const PrefixIndex::Entry& e) { longest = e; });
    if (longest.bytes.empty()) {
      ++at;
      continue;
    }
    encode_up_to(at);
    tokens.push_back(longest.token);
    at += longest.bytes.size();
    begin = at;
  }
  encode_up_to(whole.size());
  return tokens;
}

std::string_view VocabularyTokenizer::Bytes(Token token) const {
  if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "token " + std::to_string(token) + " is not in the vocabulary");
  }
  const auto index = static_cast<std::size_t>(token);
  if (kind(index) == TokenKind::kControl) return {};
  if (kind(index) == TokenKind::kUnknown) return "\xEF\xBF\xBD";  // U+FFFD: what it was is lost
  return vocabulary_.texts[index];
}

std::optional<Token> VocabularyTokenizer::Control(std::string_view text) const {
  const auto found = vocabulary_.controls.find(std::string(text));
  if (found == vocabulary_.controls.end()) return std::nullopt;
  return found->second;
}

std::optional<Token> VocabularyTokenizer::FindNormal(std::string_view bytes) const {
  if (bytes.size() > longest_normal_) return std::nullopt;
  const auto found = normal_.find(bytes);
  if (found == normal_.end()) return std::nullopt;
  return found->second;
}

Token VocabularyTokenizer::Unknown() const {
  // Some files name a control token here; no text may become one.
  if (!vocabulary_.unknown ||
      kind(static_cast<std::size_t>(*vocabulary_.unknown)) == TokenKind::kControl) {
    throw Error(ErrorCode::kInvalidArgument,
                "the text has characters that the model's vocabulary cannot express");
  }
  return *vocabulary_.unknown;
}

std::string VocabularyTokenizer::Decode(std::span<const Token> tokens) const {
  std::string text;
  for (const Token token : tokens) text += Bytes(token);
  return text;
}

std::unique_ptr<const Tokenizer> LoadTokenizer(const ModelFile& file) {
  const std::optional<std::string> model = file.Text("tokenizer.ggml.model");
  if (!model) throw Error(ErrorCode::kIntegrity, "tokenizer.ggml.model is missing");
  if (*model == "gpt2") return MakeBpeTokenizer(file);
  if (*model == "llama") return MakeSpmTokenizer(file);
  if (*model == "t5") return MakeUnigramTokenizer(file);
  if (*model == "bert") return MakeWordPieceTokenizer(file);
  throw Error(ErrorCode::kUnsupportedMedia, "tokenizer.ggml.model '" + *model +
                                                "' is not supported; gpt2, llama, t5 and bert are");
}

}  // namespace sworn::llm
