#include "llm/files/hf_encoder_tokenizer.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "llm/files/hf_vocabulary.h"

namespace sworn::llm {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxVocabBytes = std::uint64_t{16} * 1024 * 1024;
constexpr std::string_view kWordStart = "\xE2\x96\x81";  // U+2581

[[noreturn]] void Damaged(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, where + ": " + why);
}
[[noreturn]] void Unsupported(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kUnsupportedMedia, where + ": " + why);
}

bool IsSpecial(const std::string& text) {
  return text.size() > 2 && text.front() == '[' && text.back() == ']';
}

// "##ing" goes on a word and loses its mark; everything else but "[CLS]" and its like begins one.
void MarkWordStarts(HfTokens& tokens) {
  for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
    std::string& text = tokens.texts[id];
    if (IsSpecial(text)) {
      if (tokens.types[id] == kHfNormal) {
        tokens.types[id] = text == "[UNK]" ? kHfUnknown : kHfControl;
      }
    } else if (text.size() > 2 && text.starts_with("##")) {
      text.erase(0, 2);
    } else {
      text.insert(0, kWordStart);
    }
  }
}

void StoreWordPieces(HfTokens tokens, std::size_t vocabulary, Metadata& metadata) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 5> kIds = {{
      {"[CLS]", "cls"},
      {"[SEP]", "seperator"},  // GGUF's spelling
      {"[UNK]", "unknown"},
      {"[PAD]", "padding"},
      {"[MASK]", "mask"},
  }};
  MarkWordStarts(tokens);
  metadata["tokenizer.ggml.model"] = std::string("bert");
  for (const auto& [text, name] : kIds) {
    for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
      if (tokens.texts[id] != text) continue;
      metadata["tokenizer.ggml." + std::string(name) + "_token_id"] = std::uint64_t{id};
      break;
    }
  }
  StoreTokens(std::move(tokens), vocabulary, metadata);
}

void StoreRules(const json& rules, const char* lowercase_key, const char* cjk_key, bool clean,
                const std::string& where, Metadata& metadata) {
  const bool lowercase = JsonFlag(rules, lowercase_key, where).value_or(true);
  metadata["sworn.tokenizer.clean"] = clean;
  metadata["sworn.tokenizer.lowercase"] = lowercase;
  metadata["sworn.tokenizer.cjk"] = JsonFlag(rules, cjk_key, where).value_or(true);
  metadata["sworn.tokenizer.strip_accents"] =
      JsonFlag(rules, "strip_accents", where).value_or(lowercase);
}

std::string FromBase64(const std::string& text, const std::string& where) {
  std::string bytes;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) Damaged(where, "'precompiled_charsmap' is no base64");
    buffer = (buffer << 6 | static_cast<std::uint32_t>(digit)) & 0xFFFFFF;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(buffer >> bits & 0xFF);
    }
  }
  return bytes;
}

// What stands in front of the model: SentencePiece's own rewriting, and white space apart.
void StoreUnigramRules(const json& tokenizer, const std::string& where, Metadata& metadata) {
  const json* const normalizer = JsonMember(tokenizer, "normalizer");
  if (normalizer != nullptr) {
    const json* const map = FindPart(*normalizer, "Precompiled");
    if (map == nullptr) Unsupported(where, "the normaliser is not SentencePiece's");
    const std::string bytes =
        FromBase64(JsonText(*map, "precompiled_charsmap", where).value_or(""), where);
    std::vector<std::int64_t> numbers;
    numbers.reserve(bytes.size());
    for (const char c : bytes) numbers.push_back(static_cast<std::uint8_t>(c));
    metadata["tokenizer.ggml.precompiled_charsmap"] = std::move(numbers);
  }
  const json* const pre = JsonMember(tokenizer, "pre_tokenizer");
  const json* const metaspace = pre == nullptr ? nullptr : FindPart(*pre, "Metaspace");
  if (metaspace == nullptr) Unsupported(where, "a unigram model without Metaspace");
  const bool prefix = JsonFlag(*metaspace, "add_prefix_space", where).value_or(true) &&
                      JsonText(*metaspace, "prepend_scheme", where).value_or("always") != "never";
  metadata["tokenizer.ggml.add_space_prefix"] = prefix;
  metadata["tokenizer.ggml.remove_extra_whitespaces"] = true;
}

}  // namespace

void TranslateWordPiece(const json& tokenizer, const std::string& where, std::size_t vocabulary,
                        Metadata& metadata) {
  const json& model = *JsonMember(tokenizer, "model");
  if (JsonText(model, "continuing_subword_prefix", where).value_or("##") != "##") {
    Unsupported(where, "word pieces that go on with something other than '##'");
  }
  const json* const normalizer = JsonMember(tokenizer, "normalizer");
  const json* const rules =
      normalizer == nullptr ? nullptr : FindPart(*normalizer, "BertNormalizer");
  const json* const pre = JsonMember(tokenizer, "pre_tokenizer");
  if (rules == nullptr || pre == nullptr || FindPart(*pre, "BertPreTokenizer") == nullptr) {
    Unsupported(where, "the text is not cut into words as BERT does it");
  }
  StoreRules(*rules, "lowercase", "handle_chinese_chars",
             JsonFlag(*rules, "clean_text", where).value_or(true), where, metadata);
  StoreWordPieces(ReadHfTokens(tokenizer, model, where), vocabulary, metadata);
}

void TranslateVocabText(const std::filesystem::path& path, const json& tokenizer_config,
                        const std::string& config_where, std::size_t vocabulary,
                        Metadata& metadata) {
  const std::string where = "'" + path.native() + "'";
  const std::string text = ReadFile(path, kMaxVocabBytes);
  HfTokens tokens;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    tokens.Put(tokens.texts.size(), line, line.empty() ? kHfUnused : kHfNormal, where);
    begin = end + 1;
  }
  if (tokens.texts.empty()) Damaged(where, "there is no token");
  StoreRules(tokenizer_config, "do_lower_case", "tokenize_chinese_chars", true, config_where,
             metadata);
  StoreWordPieces(std::move(tokens), vocabulary, metadata);
}

void TranslateUnigram(const json& tokenizer, const std::string& where, std::size_t vocabulary,
                      Metadata& metadata) {
  const json& model = *JsonMember(tokenizer, "model");
  const json* const pieces = JsonMember(model, "vocab");
  if (pieces == nullptr || !pieces->is_array() || pieces->empty()) {
    Damaged(where, "'vocab' is missing");
  }
  const std::uint64_t unknown = JsonNumber(model, "unk_id", where).value_or(pieces->size());
  HfTokens tokens;
  std::vector<double> scores;
  for (const json& piece : *pieces) {
    if (!piece.is_array() || piece.size() != 2 || !piece[0].is_string() || !piece[1].is_number()) {
      Damaged(where, "a piece that is no pair of text and score");
    }
    const std::uint64_t id = tokens.texts.size();
    tokens.Put(id, piece[0].get<std::string>(), id == unknown ? kHfUnknown : kHfNormal, where);
    scores.push_back(piece[1].get<double>());
  }
  tokens.scores = std::move(scores);
  const std::string unknown_text = unknown < tokens.texts.size() ? tokens.texts[unknown] : "";
  PutAddedTokens(tokenizer, unknown_text, 2 * tokens.texts.size() + 65'536, where, tokens);
  StoreUnigramRules(tokenizer, where, metadata);
  metadata["tokenizer.ggml.model"] = std::string("t5");
  metadata["tokenizer.ggml.add_bos_token"] = true;
  if (unknown < tokens.texts.size()) metadata["tokenizer.ggml.unknown_token_id"] = unknown;
  StoreTokens(std::move(tokens), vocabulary, metadata);
}

}  // namespace sworn::llm
