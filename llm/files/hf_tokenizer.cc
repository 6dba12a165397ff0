#include "llm/files/hf_tokenizer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "llm/files/hf_encoder_tokenizer.h"
#include "llm/files/hf_vocabulary.h"
#include "llm/files/sentencepiece_file.h"

namespace sworn::llm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxTokenizerBytes = std::uint64_t{64} * 1024 * 1024;
constexpr std::uint64_t kMaxTokenizerConfigBytes = std::uint64_t{8} * 1024 * 1024;
constexpr std::uint64_t kMaxTemplateBytes = std::uint64_t{1024} * 1024;

// What XLM-RoBERTa's models call their SentencePiece model.
constexpr const char* kFairseqFile = "sentencepiece.bpe.model";

[[noreturn]] void Damaged(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, where + ": " + why);
}

// The pieces of "left right" or ["left", "right"].
std::pair<std::string, std::string> MergeParts(const json& merge, const std::string& where) {
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ', 1);
    if (space != std::string::npos) return {text.substr(0, space), text.substr(space + 1)};
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  Damaged(where, "a merge that is no pair of pieces");
}

// GGUF's name of the rule that cuts a text into pieces; the pattern itself where it has none, which
// LoadTokenizer then refuses by that name.
std::string PreTokenizer(const json& tokenizer, const HfTokens& tokens, const std::string& where) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kPatterns = {{
      {"llama-bpe",
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
       R"(\s*[\r\n]+|\s+(?!\S)|\s+)"},
      {"qwen2",
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
       R"(\s*[\r\n]+|\s+(?!\S)|\s+)"},
  }};
  // Falcon 3 keeps the first control tokens of Falcon.
  if (!tokens.texts.empty() && tokens.texts.front() == ">>TITLE<<" &&
      tokens.texts.size() >= 131'072) {
    return "falcon3";
  }
  const json* const pre = JsonMember(tokenizer, "pre_tokenizer");
  if (pre == nullptr) return "none";
  const json* const digits = FindPart(*pre, "Digits");
  const json* const split = FindPart(*pre, "Split");
  const json* const bytes = FindPart(*pre, "ByteLevel");
  if (split == nullptr) {
    const bool gpt2 = bytes != nullptr && JsonFlag(*bytes, "use_regex", where).value_or(true);
    if (gpt2 && digits == nullptr) return "gpt-2";
    if (gpt2 && JsonFlag(*digits, "individual_digits", where).value_or(false)) return "smollm";
    return "of an unknown kind";
  }
  const json* const pattern = JsonMember(*split, "pattern");
  std::string regex = pattern == nullptr ? "" : JsonText(*pattern, "Regex", where).value_or("");
  if (digits != nullptr) return regex + " with digits apart";
  for (const auto& [name, known] : kPatterns) {
    if (known == regex) return std::string(name);
  }
  return regex;
}

// A token's score under SentencePiece's rule, which joins the pair of the best score: the rank of
// the first merge that makes it.
void ScoreByMerges(const std::vector<std::pair<std::string, std::string>>& merges,
                   HfTokens& tokens) {
  std::unordered_map<std::string, std::size_t> ranks;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    ranks.emplace(merges[rank].first + merges[rank].second, rank);
  }
  tokens.scores.assign(tokens.texts.size(), -static_cast<double>(merges.size()));
  for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
    const auto rank = ranks.find(tokens.texts[id]);
    if (rank != ranks.end()) tokens.scores[id] = -static_cast<double>(rank->second);
  }
}

void TranslateTokenizerJson(const json& tokenizer, const std::string& where, std::size_t vocabulary,
                            Metadata& metadata) {
  const json* const model = JsonMember(tokenizer, "model");
  if (model == nullptr) Damaged(where, "'model' is missing");
  // Files of older versions leave the type out where merges say it.
  const std::string type = JsonText(*model, "type", where)
                               .value_or(JsonMember(*model, "merges") == nullptr ? "none" : "BPE");
  if (type == "WordPiece") return TranslateWordPiece(tokenizer, where, vocabulary, metadata);
  if (type == "Unigram") return TranslateUnigram(tokenizer, where, vocabulary, metadata);
  if (type != "BPE") {
    throw Error(ErrorCode::kUnsupportedMedia, where + ": a tokenizer of the type '" + type +
                                                  "' is not read; BPE, WordPiece and Unigram are");
  }
  const json* const listed = JsonMember(*model, "merges");
  if (listed == nullptr || !listed->is_array()) Damaged(where, "'merges' is missing");
  std::vector<std::pair<std::string, std::string>> merges;
  for (const json& merge : *listed) merges.push_back(MergeParts(merge, where));
  HfTokens tokens = ReadHfTokens(tokenizer, *model, where);

  const json* const pre = JsonMember(tokenizer, "pre_tokenizer");
  const json* const decoder = JsonMember(tokenizer, "decoder");
  const bool byte_level = (pre != nullptr && FindPart(*pre, "ByteLevel") != nullptr) ||
                          (decoder != nullptr && FindPart(*decoder, "ByteLevel") != nullptr);
  if (byte_level) {
    std::vector<std::string> joined;
    joined.reserve(merges.size());
    for (const auto& [left, right] : merges) joined.emplace_back(left).append(" ").append(right);
    metadata["tokenizer.ggml.model"] = std::string("gpt2");
    metadata["tokenizer.ggml.pre"] = PreTokenizer(tokenizer, tokens, where);
    metadata["tokenizer.ggml.merges"] = std::move(joined);
  } else {
    ScoreByMerges(merges, tokens);
    const json* const normalizer = JsonMember(tokenizer, "normalizer");
    const json* const metaspace = pre == nullptr ? nullptr : FindPart(*pre, "Metaspace");
    bool adds_space = normalizer != nullptr && FindPart(*normalizer, "Prepend") != nullptr;
    if (metaspace != nullptr) {
      adds_space = JsonText(*metaspace, "prepend_scheme", where).value_or("always") != "never";
    }
    metadata["tokenizer.ggml.model"] = std::string("llama");
    metadata["tokenizer.ggml.add_space_prefix"] = adds_space;
  }
  const json* const processor = JsonMember(tokenizer, "post_processor");
  const json* const sequence =
      processor == nullptr ? nullptr : FindPart(*processor, "TemplateProcessing");
  const json* const single = sequence == nullptr ? nullptr : JsonMember(*sequence, "single");
  metadata["tokenizer.ggml.add_bos_token"] = single != nullptr && single->is_array() &&
                                             !single->empty() &&
                                             JsonMember(single->front(), "SpecialToken") != nullptr;
  StoreTokens(std::move(tokens), vocabulary, metadata);
}

// Fairseq's ids, with which XLM-RoBERTa was trained, of SentencePiece's: <s>, <pad>, </s> and <unk>
// come first, and the pieces behind SentencePiece's own three follow.
void ToFairseq(SentencePieceFile& file) {
  constexpr std::size_t kOwn = 3;
  if (file.pieces.size() < kOwn) {
    throw Error(ErrorCode::kIntegrity, "the SentencePiece model has too few pieces");
  }
  const auto replace = [](auto& list, auto front) {
    list.erase(list.begin(), list.begin() + kOwn);
    list.insert(list.begin(), front.begin(), front.end());
  };
  replace(file.pieces, std::vector<std::string>{"<s>", "<pad>", "</s>", "<unk>"});
  replace(file.scores, std::vector<double>(4, 0));
  replace(file.types, std::vector<std::int64_t>{kHfControl, kHfControl, kHfControl, kHfUnknown});
  file.bos = 0;
  file.eos = 2;
  file.unknown = 3;
  file.pieces.emplace_back("<mask>");
  file.scores.push_back(0);
  file.types.push_back(kHfControl);
}

void TranslateSentencePiece(const fs::path& path, const json& tokenizer_config,
                            const std::string& config_where, std::size_t vocabulary,
                            Metadata& metadata) {
  SentencePieceFile file = ParseSentencePiece(ReadFile(path, kMaxTokenizerBytes));
  const bool bpe = file.kind == SentencePieceFile::Kind::kBpe;
  const bool fairseq = path.filename() == kFairseqFile;
  if (fairseq) ToFairseq(file);
  HfTokens tokens;
  tokens.texts = std::move(file.pieces);
  tokens.types = std::move(file.types);
  tokens.scores = std::move(file.scores);
  const json* const added = JsonMember(tokenizer_config, "added_tokens_decoder");
  if (added != nullptr && added->is_object()) {
    const std::size_t limit = 2 * tokens.texts.size() + 65'536;
    for (const auto& [key, token] : added->items()) {
      std::uint64_t id = 0;
      const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
      if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || id >= limit) {
        Damaged(config_where, "the added token '" + key + "' has no usable id");
      }
      if (id < tokens.texts.size()) continue;
      const bool special = JsonFlag(token, "special", config_where).value_or(false);
      tokens.Put(id, JsonText(token, "content", config_where).value_or(""),
                 special ? kHfControl : kHfUserDefined, config_where);
    }
  }
  metadata["tokenizer.ggml.model"] = std::string(bpe ? "llama" : "t5");
  metadata["tokenizer.ggml.add_space_prefix"] = file.adds_space;
  metadata["tokenizer.ggml.remove_extra_whitespaces"] = file.one_space;
  metadata["tokenizer.ggml.add_bos_token"] = bpe || fairseq;
  const std::array<std::pair<const char*, std::int64_t>, 3> ids = {
      {{"unknown", file.unknown}, {"bos", file.bos}, {"eos", file.eos}}};
  for (const auto& [name, id] : ids) {
    if (id >= 0) metadata["tokenizer.ggml." + std::string(name) + "_token_id"] = id;
  }
  if (!bpe && !file.charsmap.empty()) {
    std::vector<std::int64_t> bytes;
    for (const char c : file.charsmap) bytes.push_back(static_cast<std::uint8_t>(c));
    metadata["tokenizer.ggml.precompiled_charsmap"] = std::move(bytes);
  }
  StoreTokens(std::move(tokens), vocabulary, metadata);
}

// The control token that the tokenizer puts behind a text: what an embedding model pools.
void TranslateEnd(const json& tokenizer, const std::string& where, Metadata& metadata) {
  const json* const processor = JsonMember(tokenizer, "post_processor");
  const json* const found =
      processor == nullptr ? nullptr : FindPart(*processor, "TemplateProcessing");
  const json* const single = found == nullptr ? nullptr : JsonMember(*found, "single");
  if (single == nullptr || !single->is_array() || single->size() < 2) return;
  const json* const last = JsonMember(single->back(), "SpecialToken");
  const json* const specials = JsonMember(*found, "special_tokens");
  if (last == nullptr || specials == nullptr) return;
  const std::string name = JsonText(*last, "id", where).value_or("");
  const json* const special = JsonMember(*specials, name.c_str());
  const json* const ids = special == nullptr ? nullptr : JsonMember(*special, "ids");
  if (ids == nullptr || !ids->is_array() || ids->size() != 1 ||
      !ids->front().is_number_unsigned()) {
    Damaged(where, "the token '" + name + "' behind a text has no id");
  }
  metadata["tokenizer.ggml.eos_token_id"] = ids->front().get<std::uint64_t>();
}

// "bos_token_id": 1 or [1, 2], of which the first counts.
void TranslateId(const json& config, const char* theirs, const std::string& ours,
                 Metadata& metadata) {
  const json* id = JsonMember(config, theirs);
  if (id != nullptr && id->is_array() && !id->empty()) id = &id->front();
  if (id != nullptr && id->is_number_unsigned()) metadata[ours] = id->get<std::uint64_t>();
}

void TranslateTemplate(const fs::path& folder, const json& tokenizer_config, Metadata& metadata) {
  const json* chat = JsonMember(tokenizer_config, "chat_template");
  if (chat != nullptr && chat->is_array()) {  // several, by name
    const json* chosen = nullptr;
    for (const json& named : *chat) {
      const json* const name = JsonMember(named, "name");
      if (name != nullptr && *name == "default") chosen = JsonMember(named, "template");
    }
    chat = chosen;
  }
  if (chat != nullptr && chat->is_string()) {
    metadata["tokenizer.chat_template"] = chat->get<std::string>();
  } else if (fs::exists(folder / "chat_template.jinja")) {
    metadata["tokenizer.chat_template"] =
        ReadFile(folder / "chat_template.jinja", kMaxTemplateBytes);
  }
}

}  // namespace

void TranslateTokenizer(const fs::path& folder, const json& config, std::size_t vocabulary,
                        Metadata& metadata) {
  vocabulary = std::min<std::size_t>(vocabulary, kMaxArrayElements);
  const fs::path config_path = folder / "tokenizer_config.json";
  const json tokenizer_config = ReadJsonFile(config_path, kMaxTokenizerConfigBytes);
  const std::string config_where = "'" + config_path.native() + "'";
  const fs::path path = folder / "tokenizer.json";
  const json tokenizer = ReadJsonFile(path, kMaxTokenizerBytes);
  if (!tokenizer.is_discarded()) {
    TranslateTokenizerJson(tokenizer, "'" + path.native() + "'", vocabulary, metadata);
  } else if (fs::exists(folder / "tokenizer.model")) {
    TranslateSentencePiece(folder / "tokenizer.model", tokenizer_config, config_where, vocabulary,
                           metadata);
  } else if (fs::exists(folder / kFairseqFile)) {
    TranslateSentencePiece(folder / kFairseqFile, tokenizer_config, config_where, vocabulary,
                           metadata);
  } else if (fs::exists(folder / "vocab.txt")) {
    TranslateVocabText(folder / "vocab.txt", tokenizer_config, config_where, vocabulary, metadata);
  } else {
    return;
  }
  TranslateId(config, "bos_token_id", "tokenizer.ggml.bos_token_id", metadata);
  TranslateId(config, "eos_token_id", "tokenizer.ggml.eos_token_id", metadata);
  if (!tokenizer.is_discarded()) TranslateEnd(tokenizer, "'" + path.native() + "'", metadata);
  if (const auto adds = JsonFlag(tokenizer_config, "add_bos_token", config_where)) {
    metadata["tokenizer.ggml.add_bos_token"] = *adds;
  }
  // A vocabulary that has no such token cannot begin with it.
  if (!metadata.contains("tokenizer.ggml.bos_token_id")) {
    metadata["tokenizer.ggml.add_bos_token"] = false;
  }
  TranslateTemplate(folder, tokenizer_config, metadata);
}

}  // namespace sworn::llm
