#include "llm/text/wordpiece_tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/text/bert_words.h"
#include "llm/text/vocabulary_tokenizer.h"

namespace sworn::llm {
namespace {

constexpr std::string_view kWordStart = "\xE2\x96\x81";  // U+2581

/// The id of `text` by the file's key, or by its text.
Token Special(const ModelFile& file, const Vocabulary& vocabulary,
              std::initializer_list<const char*> keys, std::string_view text) {
  for (const char* const key : keys) {
    const std::string name = "tokenizer.ggml." + std::string(key) + "_token_id";
    const auto id = file.Number(name);
    if (!id) continue;
    if (*id >= vocabulary.size()) {
      throw Error(ErrorCode::kIntegrity, name + " is " + std::to_string(*id) + ", beyond the " +
                                             std::to_string(vocabulary.size()) + " tokens");
    }
    return static_cast<Token>(*id);
  }
  const auto found = std::find(vocabulary.texts.begin(), vocabulary.texts.end(), text);
  if (found == vocabulary.texts.end()) {
    throw Error(ErrorCode::kIntegrity, "the vocabulary has no token '" + std::string(text) + "'");
  }
  return static_cast<Token>(found - vocabulary.texts.begin());
}

/// With a space in place of U+2581, and the special tokens known for what they are.
Vocabulary ReadWordPieces(const ModelFile& file) {
  Vocabulary vocabulary = ReadVocabulary(file);
  const auto kind = [&](Token token) -> TokenKind& {
    return vocabulary.kinds[static_cast<std::size_t>(token)];
  };
  const Token unknown = Special(file, vocabulary, {"unknown"}, "[UNK]");
  const Token first = Special(file, vocabulary, {"cls", "bos"}, "[CLS]");
  // The key is misspelt in most files.
  const Token last = Special(file, vocabulary, {"seperator", "separator", "eos"}, "[SEP]");
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    std::string& text = vocabulary.texts[i];
    if (text.starts_with(kWordStart)) {
      text.replace(0, kWordStart.size(), " ");
    } else if (text.size() > 2 && text.front() == '[' && text.back() == ']' &&
               vocabulary.kinds[i] == TokenKind::kNormal) {
      // A word of several characters with brackets cannot come up: they are words of their own.
      vocabulary.kinds[i] = TokenKind::kControl;
    }
  }
  for (const Token token : {first, last}) {
    kind(token) = TokenKind::kControl;
    vocabulary.controls.try_emplace(vocabulary.texts[static_cast<std::size_t>(token)], token);
  }
  kind(unknown) = TokenKind::kUnknown;
  vocabulary.unknown = unknown;
  vocabulary.bos = first;
  vocabulary.ends = {last};
  return vocabulary;
}

text::BertWordRules ReadRules(const ModelFile& file) {
  const auto flag = [&](const char* name, bool fallback) {
    return file.Flag("sworn.tokenizer." + std::string(name)).value_or(fallback);
  };
  text::BertWordRules rules;
  rules.clean = flag("clean", true);
  rules.cjk = flag("cjk", true);
  rules.lowercase = flag("lowercase", true);
  rules.strip_accents = flag("strip_accents", rules.lowercase);
  return rules;
}

class WordPieceTokenizer final : public VocabularyTokenizer {
 public:
  explicit WordPieceTokenizer(const ModelFile& file)
      : VocabularyTokenizer(ReadWordPieces(file), true), rules_(ReadRules(file)) {}

  [[nodiscard]] std::string Decode(std::span<const Token> tokens) const override {
    std::string text = VocabularyTokenizer::Decode(tokens);
    if (text.starts_with(' ')) text.erase(0, 1);
    return text;
  }

 private:
  void EncodePlain(std::string_view text, std::vector<Token>& tokens) const override {
    for (const std::string& word : text::BertWords(text, rules_)) EncodeWord(word, tokens);
  }

  void EncodeWord(const std::string& word, std::vector<Token>& tokens) const {
    const std::size_t before = tokens.size();
    const auto characters = static_cast<std::size_t>(
        std::count_if(word.begin(), word.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    bool known = characters <= kMaxWordPieceCharacters;
    // The space of a word's start is part of its first token.
    const std::string spaced = " " + word;
    for (std::size_t at = 0; known && at < spaced.size();) {
      std::size_t end = spaced.size();
      std::optional<Token> found;
      for (; end > std::max<std::size_t>(at, 1); --end) {
        if (end < spaced.size() && (spaced[end] & 0xC0) == 0x80) continue;  // in a code point
        found = FindNormal({spaced.data() + at, end - at});
        if (found) break;
      }
      known = found.has_value();
      if (known) tokens.push_back(*found);
      at = end;
    }
    if (known) return;
    tokens.resize(before);
    tokens.push_back(Unknown());
  }

  text::BertWordRules rules_;
};

}  // namespace

std::unique_ptr<const Tokenizer> MakeWordPieceTokenizer(const ModelFile& file) {
  return std::make_unique<WordPieceTokenizer>(file);
}

}  // namespace sworn::llm
