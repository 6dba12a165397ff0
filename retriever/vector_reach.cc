#include "retriever/vector_reach.h"

namespace sworn::retriever {
namespace {

/// Adds what the collection allows; gives why it cannot be searched, or nothing.
std::string Reach(const store::CollectionInfo& collection, const Embedder* embedder,
                  const std::string& embedder_id, VectorReach& reach) {
  const std::string name = "collection '" + collection.name + "' ";
  switch (collection.vectors) {
    case store::VectorsKind::kFitted:
      reach.fitted = true;
      return "";
    case store::VectorsKind::kUnfitted:
      return name + "has too few passages to fit vectors to";
    case store::VectorsKind::kForeign:
      return name + "has vectors of another version ('" + collection.embedder_name +
             "'): index it again";
    case store::VectorsKind::kText:
      break;
  }
  if (embedder == nullptr) return "no embedder is configured";
  if (collection.embedder_id == embedder_id) {
    reach.text = true;
    return "";
  }
  return name + "was indexed with another embedder ('" + collection.embedder_name +
         "'): index it again";
}

}  // namespace

VectorReach ReachOf(const store::Snapshot& snapshot, const Embedder* embedder) {
  VectorReach reach;
  const std::string id = embedder == nullptr ? "" : embedder->identity().Digest();
  for (const store::CollectionInfo& collection : snapshot.collections()) {
    if (collection.embedder_id.empty()) continue;  // nothing indexed yet
    const std::string reason = Reach(collection, embedder, id, reach);
    if (reason.empty() || reach.reason.find(reason) != std::string::npos) continue;
    if (!reach.reason.empty()) reach.reason += "; ";
    reach.reason += reason;
  }
  if (!reach.text && !reach.fitted && reach.reason.empty()) reach.reason = "nothing is indexed";
  return reach;
}

}  // namespace sworn::retriever
