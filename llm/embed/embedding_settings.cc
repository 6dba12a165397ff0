#include "llm/embed/embedding_settings.h"

#include <array>

#include "llm/files/encoder_config.h"

namespace sworn::llm {
namespace {

struct KnownModel {
  std::string_view part;  // of the name, in lower case
  const char* query_prefix;
  const char* passage_prefix;
  const char* pooling;
};

constexpr const char* kSearch = "Represent this sentence for searching relevant passages: ";

// From the cards of the models on huggingface.co. The first that fits counts.
constexpr std::array kKnownModels = {
    KnownModel{"arctic-embed-l-v2", "query: ", "", "cls"},
    KnownModel{"arctic-embed", kSearch, "", "cls"},
    KnownModel{"mxbai-embed", kSearch, "", "cls"},
    KnownModel{"bge-m3", "", "", "cls"},
    KnownModel{"bge-small-en", kSearch, "", "cls"},
    KnownModel{"bge-base-en", kSearch, "", "cls"},
    KnownModel{"bge-large-en", kSearch, "", "cls"},
    KnownModel{"e5-small", "query: ", "passage: ", "mean"},
    KnownModel{"e5-base", "query: ", "passage: ", "mean"},
    KnownModel{"e5-large", "query: ", "passage: ", "mean"},
    KnownModel{"minilm", "", "", "mean"},
    KnownModel{"gte-", "", "", "mean"},
};

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    lower.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c == '_' ? '-' : c);
  }
  return lower;
}

const KnownModel* Find(const std::string& name) {
  for (const KnownModel& known : kKnownModels) {
    if (name.find(known.part) != std::string::npos) return &known;
  }
  return nullptr;
}

}  // namespace

EmbeddingSettings SuggestSettings(const ModelFile& file, std::string_view name) {
  EmbeddingSettings settings;
  const KnownModel* known = Find(Lower(name));
  if (known == nullptr) known = Find(Lower(file.Text("general.name").value_or("")));
  if (known != nullptr) {
    settings = {known->query_prefix, known->passage_prefix, known->pooling};
  }
  if (const auto prefix = file.Text("sworn.embedding.query_prefix")) {
    settings.query_prefix = *prefix;
  }
  if (const auto prefix = file.Text("sworn.embedding.passage_prefix")) {
    settings.passage_prefix = *prefix;
  }
  if (IsEncoder(file)) {
    if (const auto pooling = ReadEncoderConfig(file).pooling) {
      settings.pooling = PoolingName(*pooling);
    } else if (settings.pooling.empty()) {
      settings.pooling = PoolingName(Pooling::kMean);
    }
  } else {
    settings.pooling = "last";
  }
  return settings;
}

}  // namespace sworn::llm
