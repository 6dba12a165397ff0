// The tokens of a tokenizer.json or the like on their way to "tokenizer.ggml.tokens". Internal to
// llm/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "llm/files/hf_json.h"

namespace sworn::llm {

/// GGUF's token types.
enum HfTokenType : std::int64_t {
  kHfNormal = 1,
  kHfUnknown = 2,
  kHfControl = 3,
  kHfUserDefined = 4,
  kHfUnused = 5,
  kHfByte = 6,
};

struct HfTokens {
  std::vector<std::string> texts;
  std::vector<std::int64_t> types;
  std::vector<double> scores;  // empty, or one for each

  /// Throws kIntegrity, naming `where`, for an id beyond kMaxArrayElements.
  void Put(std::uint64_t id, const std::string& text, std::int64_t type, const std::string& where);
  /// Ids that nothing is put at are unused tokens.
  void Grow(std::size_t size);
};

/// Any part of a pre-tokenizer, decoder or the like that is of `type`; null if there is none.
const nlohmann::json* FindPart(const nlohmann::json& part, std::string_view type);

/// "vocab" of the model of a tokenizer.json, an object of texts and ids, and its added tokens.
/// Throws kIntegrity naming `where`.
HfTokens ReadHfTokens(const nlohmann::json& tokenizer, const nlohmann::json& model,
                      const std::string& where);

/// The "added_tokens" of a tokenizer.json with ids below `limit`; `unknown` is the text of the
/// unknown token.
void PutAddedTokens(const nlohmann::json& tokenizer, const std::string& unknown, std::size_t limit,
                    const std::string& where, HfTokens& tokens);

/// Writes the keys of the tokens, at least `vocabulary` of them.
void StoreTokens(HfTokens tokens, std::size_t vocabulary, Metadata& metadata);

}  // namespace sworn::llm
