// The tokenizer of a Hugging Face folder as GGUF's "tokenizer.ggml.*" keys. Internal to llm/.
#pragma once

#include <cstddef>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "llm/files/hf_json.h"

namespace sworn::llm {

/// Reads tokenizer.json (BPE: byte-level, or of characters with byte fallback; WordPiece; unigram),
/// otherwise tokenizer.model or sentencepiece.bpe.model (SentencePiece) or vocab.txt (WordPiece),
/// and the ids and template of tokenizer_config.json,
/// chat_template.jinja and `config` (config.json). Ids without a token, up to `vocabulary` (the
/// rows of the embedding), become unused tokens. A folder without tokenizer adds nothing. Throws
/// kIntegrity or kUnsupportedMedia, naming the file.
void TranslateTokenizer(const std::filesystem::path& folder, const nlohmann::json& config,
                        std::size_t vocabulary, Metadata& metadata);

}  // namespace sworn::llm
