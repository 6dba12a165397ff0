#include "llm/text/vocabulary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace sworn::llm {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";

constexpr std::array<std::string_view, 5> kEndTexts = {"<|end_of_text|>", "<|eot_id|>", "</s>",
                                                       "<|im_end|>", "<|endoftext|>"};
constexpr std::array<std::string_view, 8> kMarkers = {
    "<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<start_of_turn>", "<end_of_turn>"};

[[noreturn]] void Fail(const std::string& what) { throw Error(ErrorCode::kIntegrity, what); }

std::string At(std::string_view key, std::size_t index) {
  return std::string(key) + "[" + std::to_string(index) + "]";
}

const MetadataValue* Value(const ModelFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? nullptr : &found->second;
}

bool IsMarker(std::string_view text) {
  if (text.size() > 4 && text.starts_with("<|") && text.ends_with("|>")) return true;
  return std::find(kMarkers.begin(), kMarkers.end(), text) != kMarkers.end();
}

/// What a token is when the file says nothing.
TokenKind KindByText(std::string_view text) {
  if (text == "<unk>") return TokenKind::kUnknown;
  if (text.size() == 6 && text.starts_with("<0x") && text.back() == '>') return TokenKind::kByte;
  return TokenKind::kNormal;
}

void CheckLength(std::string_view key, std::size_t length, std::size_t wanted) {
  if (length == wanted) return;
  Fail(std::string(key) + " has " + std::to_string(length) + " entries for " +
       std::to_string(wanted) + " tokens");
}

std::vector<TokenKind> ReadKinds(const ModelFile& file, const std::vector<std::string>& texts) {
  std::vector<TokenKind> kinds;
  kinds.reserve(texts.size());
  if (const auto types = RealArray(file, kTypes)) {
    CheckLength(kTypes, types->size(), texts.size());
    for (std::size_t i = 0; i < types->size(); ++i) {
      const double type = (*types)[i];
      if (!(type >= 1 && type <= 6)) Fail(At(kTypes, i) + " is no token type");
      kinds.push_back(static_cast<TokenKind>(type));
    }
  } else {
    for (const std::string& text : texts) kinds.push_back(KindByText(text));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (IsMarker(texts[i])) kinds[i] = TokenKind::kControl;
  }
  return kinds;
}

std::vector<float> ReadScores(const ModelFile& file, std::size_t tokens) {
  const auto values = RealArray(file, kScores);
  if (!values) return {};
  CheckLength(kScores, values->size(), tokens);
  std::vector<float> scores;
  scores.reserve(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    const auto score = static_cast<float>((*values)[i]);
    if (!std::isfinite(score)) Fail(At(kScores, i) + " is not finite");
    scores.push_back(score);
  }
  return scores;
}

std::optional<Token> ReadId(const ModelFile& file, const char* key, std::size_t tokens) {
  const std::optional<std::uint64_t> id = file.Number(key);
  if (!id) return std::nullopt;
  if (*id >= tokens) {
    Fail(std::string(key) + " is " + std::to_string(*id) + ", beyond the " +
         std::to_string(tokens) + " tokens");
  }
  return static_cast<Token>(*id);
}

std::optional<Token> Find(const Vocabulary& vocabulary, std::string_view text) {
  const auto found = vocabulary.controls.find(std::string(text));
  if (found == vocabulary.controls.end()) return std::nullopt;
  return found->second;
}

void ReadSpecialTokens(const ModelFile& file, Vocabulary& vocabulary) {
  const std::size_t tokens = vocabulary.size();
  vocabulary.bos = ReadId(file, "tokenizer.ggml.bos_token_id", tokens);
  if (!vocabulary.bos) vocabulary.bos = Find(vocabulary, "<|begin_of_text|>");
  if (!vocabulary.bos) vocabulary.bos = Find(vocabulary, "<s>");
  vocabulary.unknown = ReadId(file, "tokenizer.ggml.unknown_token_id", tokens);
  if (!vocabulary.unknown) {
    const auto kind =
        std::find(vocabulary.kinds.begin(), vocabulary.kinds.end(), TokenKind::kUnknown);
    if (kind != vocabulary.kinds.end()) {
      vocabulary.unknown = static_cast<Token>(kind - vocabulary.kinds.begin());
    }
  }
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                          "tokenizer.ggml.eom_token_id"}) {
    if (const auto id = ReadId(file, key, tokens)) vocabulary.ends.push_back(*id);
  }
  for (const std::string_view text : kEndTexts) {
    if (const auto id = Find(vocabulary, text)) vocabulary.ends.push_back(*id);
  }
  std::sort(vocabulary.ends.begin(), vocabulary.ends.end());
  vocabulary.ends.erase(std::unique(vocabulary.ends.begin(), vocabulary.ends.end()),
                        vocabulary.ends.end());
  vocabulary.adds_bos = file.Flag("tokenizer.ggml.add_bos_token");
  if (vocabulary.adds_bos.value_or(false) && !vocabulary.bos) {
    Fail("tokenizer.ggml.add_bos_token is set, but tokenizer.ggml.bos_token_id is missing");
  }
}

}  // namespace

const std::vector<std::string>* StringArray(const ModelFile& file, const std::string& key) {
  const MetadataValue* const value = Value(file, key);
  if (value == nullptr) return nullptr;
  const auto* texts = std::get_if<std::vector<std::string>>(value);
  if (texts == nullptr) Fail(key + " is not an array of strings");
  return texts;
}

std::optional<std::vector<double>> RealArray(const ModelFile& file, const std::string& key) {
  const MetadataValue* const value = Value(file, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* reals = std::get_if<std::vector<double>>(value)) return *reals;
  const auto* numbers = std::get_if<std::vector<std::int64_t>>(value);
  if (numbers == nullptr) Fail(key + " is not an array of numbers");
  return std::vector<double>(numbers->begin(), numbers->end());
}

std::uint8_t ByteOf(const Vocabulary& vocabulary, Token token) {
  const std::string& text = vocabulary.texts[static_cast<std::size_t>(token)];
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  if (text.size() == 6 && text.starts_with("<0x") && text.back() == '>' &&
      std::from_chars(text.data() + 3, end, value, 16).ptr == end - 1) {
    return static_cast<std::uint8_t>(value);
  }
  Fail(At(kTokens, static_cast<std::size_t>(token)) + " is of type byte but not like \"<0x41>\"");
}

Vocabulary ReadVocabulary(const ModelFile& file) {
  Vocabulary vocabulary;
  const std::vector<std::string>* const texts = StringArray(file, kTokens);
  if (texts == nullptr || texts->empty()) Fail(std::string(kTokens) + " is missing or empty");
  if (texts->size() > kMaxVocabulary) {
    Fail(std::string(kTokens) + " has " + std::to_string(texts->size()) + " entries; at most " +
         std::to_string(kMaxVocabulary) + " are read");
  }
  for (std::size_t i = 0; i < texts->size(); ++i) {
    const std::size_t length = (*texts)[i].size();
    if (length > kMaxTokenBytes) {
      Fail(At(kTokens, i) + " has " + std::to_string(length) + " bytes; at most " +
           std::to_string(kMaxTokenBytes) + " are read");
    }
  }
  vocabulary.texts = *texts;
  vocabulary.kinds = ReadKinds(file, vocabulary.texts);
  vocabulary.scores = ReadScores(file, vocabulary.size());
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    if (vocabulary.kinds[i] == TokenKind::kControl) {
      vocabulary.controls.try_emplace(vocabulary.texts[i], static_cast<Token>(i));
    }
  }
  ReadSpecialTokens(file, vocabulary);
  return vocabulary;
}

}  // namespace sworn::llm
