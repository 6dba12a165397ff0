// The tokenizers of BERT's family as GGUF's "tokenizer.ggml.*" keys. Internal to llm/.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "llm/files/hf_json.h"

namespace sworn::llm {

/// A tokenizer.json whose model is WordPiece: "tokenizer.ggml.model" is "bert" and the normaliser's
/// settings are "sworn.tokenizer.*". Throws kIntegrity, or kUnsupportedMedia for one that BERT's
/// rules do not describe; naming `where`.
void TranslateWordPiece(const nlohmann::json& tokenizer, const std::string& where,
                        std::size_t vocabulary, Metadata& metadata);

/// vocab.txt, a token a line, with the settings of tokenizer_config.json.
void TranslateVocabText(const std::filesystem::path& path, const nlohmann::json& tokenizer_config,
                        const std::string& config_where, std::size_t vocabulary,
                        Metadata& metadata);

/// A tokenizer.json whose model is Unigram (XLM-RoBERTa's): "tokenizer.ggml.model" is "t5".
void TranslateUnigram(const nlohmann::json& tokenizer, const std::string& where,
                      std::size_t vocabulary, Metadata& metadata);

}  // namespace sworn::llm
