// A Hugging Face folder with an encoder of BERT's family under GGUF's names. Internal to llm/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "llm/files/hf_json.h"

namespace sworn::llm {

/// True if config.json names BertModel or XLMRobertaModel or their form with a head for masked
/// words, which is not used.
[[nodiscard]] bool IsHfBert(const nlohmann::json& config);

/// Writes "general.architecture", the keys of "bert" and, from the files of sentence-transformers
/// beside config.json, pooling, prompts and the longest text. `where` names config.json in errors:
/// kUnsupportedMedia for what is not built, kIntegrity for a member of the wrong kind.
void TranslateBert(const std::filesystem::path& folder, const nlohmann::json& config,
                   const std::string& where, Metadata& metadata);

/// "encoder.layer.3.attention.self.query.weight" -> "blk.3.attn_q.weight"; nothing for what no
/// embedding is made of (pooler, heads, lists of positions). Throws kUnsupportedMedia for a tensor
/// that is part of another graph.
std::optional<std::string> BertTensorName(std::string name);

}  // namespace sworn::llm
