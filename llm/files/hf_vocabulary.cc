#include "llm/files/hf_vocabulary.h"

#include <utility>

#include "core/error.h"

namespace sworn::llm {
namespace {

using nlohmann::json;

[[noreturn]] void Damaged(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, where + ": " + why);
}

bool IsByteToken(const std::string& text) {  // "<0x0A>"
  return text.size() == 6 && text.starts_with("<0x") && text.back() == '>';
}

}  // namespace

void HfTokens::Put(std::uint64_t id, const std::string& text, std::int64_t type,
                   const std::string& where) {
  if (id >= kMaxArrayElements) Damaged(where, "the token id " + std::to_string(id));
  if (id >= texts.size()) Grow(id + 1);
  texts[id] = text;
  types[id] = type;
}

void HfTokens::Grow(std::size_t size) {
  for (std::size_t id = texts.size(); id < size; ++id) {
    texts.push_back("[unused " + std::to_string(id) + "]");
    types.push_back(kHfUnused);
  }
  if (!scores.empty()) scores.resize(size, 0);
}

const json* FindPart(const json& part, std::string_view type) {
  const json* const own = JsonMember(part, "type");
  if (own != nullptr && own->is_string() && own->get_ref<const std::string&>() == type) {
    return &part;
  }
  for (const char* const list : {"pretokenizers", "decoders", "processors", "normalizers"}) {
    const json* const parts = JsonMember(part, list);
    if (parts == nullptr || !parts->is_array()) continue;
    for (const json& inner : *parts) {
      if (const json* const found = FindPart(inner, type)) return found;
    }
  }
  return nullptr;
}

void PutAddedTokens(const json& tokenizer, const std::string& unknown, std::size_t limit,
                    const std::string& where, HfTokens& tokens) {
  const json* const added = JsonMember(tokenizer, "added_tokens");
  if (added == nullptr || !added->is_array()) return;
  for (const json& token : *added) {
    const json* const id = JsonMember(token, "id");
    const std::string text = JsonText(token, "content", where).value_or("");
    if (id == nullptr || text.empty()) Damaged(where, "an added token without id or text");
    if (!id->is_number_unsigned() || id->get<std::uint64_t>() >= limit) {
      Damaged(where, "token '" + text + "' has no usable id");
    }
    const bool special = JsonFlag(token, "special", where).value_or(false);
    tokens.Put(id->get<std::uint64_t>(), text,
               text == unknown ? kHfUnknown
               : special       ? kHfControl
                               : kHfUserDefined,
               where);
  }
}

HfTokens ReadHfTokens(const json& tokenizer, const json& model, const std::string& where) {
  const json* const vocabulary = JsonMember(model, "vocab");
  if (vocabulary == nullptr || !vocabulary->is_object()) Damaged(where, "'vocab' is missing");
  const bool fallback = JsonFlag(model, "byte_fallback", where).value_or(false);
  const std::string unknown = JsonText(model, "unk_token", where).value_or("");
  // Ids are dense but for a few: a far one must not make us fill millions of them.
  const std::size_t limit = 2 * vocabulary->size() + 65'536;
  HfTokens tokens;
  for (const auto& [text, id] : vocabulary->items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= limit) {
      Damaged(where, "token '" + text + "' has no usable id");
    }
    std::int64_t type = kHfNormal;
    if (text == unknown) type = kHfUnknown;
    if (fallback && IsByteToken(text)) type = kHfByte;
    tokens.Put(id.get<std::uint64_t>(), text, type, where);
  }
  PutAddedTokens(tokenizer, unknown, limit, where, tokens);
  return tokens;
}

void StoreTokens(HfTokens tokens, std::size_t vocabulary, Metadata& metadata) {
  if (tokens.texts.size() < vocabulary) tokens.Grow(vocabulary);
  if (!tokens.scores.empty()) metadata["tokenizer.ggml.scores"] = std::move(tokens.scores);
  metadata["tokenizer.ggml.tokens"] = std::move(tokens.texts);
  metadata["tokenizer.ggml.token_type"] = std::move(tokens.types);
}

}  // namespace sworn::llm
