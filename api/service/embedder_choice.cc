#include "api/service/embedder_choice.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::service {
namespace {

using store::CollectionInfo;

// No model is called like one of these (IsModelId); "hashing" made the vectors of older versions.
bool NeedsModel(const std::string& embedder_name) {
  return !embedder_name.empty() && embedder_name != kDefaultEmbedder && embedder_name != "hashing";
}

ModelEntry EntryOf(const Components& parts, const CollectionInfo& collection) {
  std::optional<ModelEntry> entry = parts.registry->Find(collection.embedder_name);
  if (!entry) {
    throw Error(ErrorCode::kNotConfigured,
                "collection '" + collection.name + "' is embedded with the model '" +
                    collection.embedder_name +
                    "', which is not installed: import it again under that id, or choose another "
                    "with `sworn index --embedder`");
  }
  return std::move(*entry);
}

}  // namespace

std::shared_ptr<const Embedder> ModelForJob(Components& parts, const std::string& asked,
                                            const std::optional<CollectionInfo>& collection) {
  if (asked == kDefaultEmbedder) return nullptr;
  if (!asked.empty()) return parts.embedders->Get(parts.registry->Get(asked));
  if (!collection || !NeedsModel(collection->embedder_name)) return nullptr;
  return parts.embedders->Get(EntryOf(parts, *collection));
}

QueryModel ModelForQuery(Components& parts, const std::vector<CollectionInfo>& collections) {
  std::map<std::string, std::uint64_t> chunks;
  for (const CollectionInfo& collection : collections) {
    if (NeedsModel(collection.embedder_name)) chunks[collection.embedder_name] += collection.chunks;
  }
  if (chunks.empty()) return {};
  const auto most = std::max_element(
      chunks.begin(), chunks.end(),
      [](const auto& left, const auto& right) { return left.second < right.second; });
  const auto owner = std::find_if(
      collections.begin(), collections.end(),
      [&](const CollectionInfo& collection) { return collection.embedder_name == most->first; });
  QueryModel model;
  try {
    model.embedder = parts.embedders->Get(EntryOf(parts, *owner));
  } catch (const Error& error) {
    // The keyword leg answers; the report of the vector leg says what is wrong.
    model.problem = error.what();
  }
  return model;
}

EmbedResponse RunEmbed(Components& parts, const EmbedRequest& request) {
  if (!text::IsValidUtf8(request.text)) {
    throw Error(ErrorCode::kInvalidArgument, "the text is not valid UTF-8");
  }
  std::shared_ptr<const Embedder> embedder;
  if (!request.model.empty()) {
    embedder = parts.embedders->Get(parts.registry->Get(request.model));
  } else {
    const std::string name = request.collection.empty() ? kDefaultCollection : request.collection;
    for (const CollectionInfo& collection : parts.store->Collections()) {
      if (collection.name != name) continue;
      if (!NeedsModel(collection.embedder_name)) {
        throw Error(ErrorCode::kNotConfigured,
                    "collection '" + name +
                        "' has no embedding model; --model ID names one of `sworn model list`");
      }
      embedder = parts.embedders->Get(EntryOf(parts, collection));
    }
    if (embedder == nullptr) {
      throw Error(ErrorCode::kNotConfigured, "there is no collection '" + name +
                                                 "'; --model ID names an embedder of `sworn model "
                                                 "list`");
    }
  }
  EmbedResponse response;
  response.model = embedder->identity().name;
  if (request.kind == EmbedKind::kQuery) {
    response.vector = embedder->EmbedQuery(request.text);
  } else {
    const std::string_view text = request.text;
    response.vector = embedder->EmbedPassages({&text, 1});
  }
  return response;
}

}  // namespace sworn::service
