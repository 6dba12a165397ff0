// How texts are put to an embedding model: what its weights do not say. Model cards do; the ones of
// well-known models are suggested when a model is imported, and then stand in the manifest.
#pragma once

#include <string>
#include <string_view>

#include "llm/files/model_file.h"

namespace sworn::llm {

struct EmbeddingSettings {
  std::string query_prefix;    // put before a question
  std::string passage_prefix;  // put before a passage
  std::string pooling;         // "mean", "cls", "last"

  friend bool operator==(const EmbeddingSettings&, const EmbeddingSettings&) = default;
};

/// What `file` says ("sworn.embedding.query_prefix", ".passage_prefix", its pooling), else what the
/// card of the well-known model says that `name` (a file, folder or id) or "general.name" contains,
/// else no prefix and, of an encoder, the mean; a decoder's pooling is "last". Throws what
/// ReadEncoderConfig throws.
EmbeddingSettings SuggestSettings(const ModelFile& file, std::string_view name);

}  // namespace sworn::llm
