// Which embedder an index job uses and which one a question gets: a collection remembers the name
// of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/service/components.h"
#include "api/service/requests.h"
#include "core/embedder.h"
#include "store/records.h"

namespace sworn::service {

/// What `--embedder` calls the embedder that needs no model.
inline constexpr const char* kDefaultEmbedder = "lsa";

/// The model that a job for `collection` embeds with: `asked`, else the one that the collection
/// has; null for the default embedder. Throws kNotConfigured for a model that is not installed (how
/// to go on stands in the message), kInvalidArgument for one that writes text, and kIntegrity for a
/// file that is not the pinned one.
std::shared_ptr<const Embedder> ModelForJob(Components& parts, const std::string& asked,
                                            const std::optional<store::CollectionInfo>& collection);

struct QueryModel {
  std::shared_ptr<const Embedder> embedder;  // null: the default one
  std::string
      problem;  // why the model of a collection cannot be used; then the others are searched
};

/// The model for a question to `collections`. Where they have several, it is that of most passages;
/// the retriever says which collections it leaves out.
QueryModel ModelForQuery(Components& parts, const std::vector<store::CollectionInfo>& collections);

/// Throws kNotConfigured where neither a model nor a collection gives an embedder.
EmbedResponse RunEmbed(Components& parts, const EmbedRequest& request);

}  // namespace sworn::service
