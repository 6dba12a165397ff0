#include "audit/audit_records.h"

#include <utility>

#include "core/canonical_json.h"

namespace sworn::audit {
namespace {

std::string_view View(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

EventRecord Event(EntryType type, nlohmann::json payload) {
  EventRecord event;
  event.type = type;
  event.payload = std::move(payload);
  return event;
}

}  // namespace

Sha256Digest AnswerDigest(const nlohmann::json& answer) {
  nlohmann::json stable = answer;
  if (stable.is_object()) {
    for (const char* name : {"audit", "timing_ms", "usage"}) stable.erase(name);
  }
  return Sha256(CanonicalJson(stable));
}

EventRecord IndexRunEvent(const CollectionState& published, const IndexRunCounts& counts,
                          const std::string& embedder_sha256, nlohmann::json payload) {
  EventRecord event = Event(EntryType::kIndexRun, std::move(payload));
  event.fields.SetText(Tag::kCollectionId, published.collection_id)
      .SetNumber(Tag::kGeneration, published.generation)
      .SetNumber(Tag::kAdded, counts.added)
      .SetNumber(Tag::kUpdated, counts.updated)
      .SetNumber(Tag::kUnchanged, counts.unchanged)
      .SetNumber(Tag::kRemoved, counts.removed)
      .SetNumber(Tag::kFailed, counts.failed)
      .SetNumber(Tag::kSkipped, counts.skipped);
  if (!embedder_sha256.empty()) {
    event.fields.SetDigest(Tag::kEmbedderDigest, View(DigestFromHex(embedder_sha256)));
  }
  return event;
}

EventRecord CollectionEvent(EntryType type, const std::string& collection_id,
                            nlohmann::json payload) {
  EventRecord event = Event(type, std::move(payload));
  event.fields.SetText(Tag::kCollectionId, collection_id);
  return event;
}

EventRecord DocumentWithdrawnEvent(const CollectionState& published, const std::string& document_id,
                                   std::uint64_t version, nlohmann::json payload) {
  EventRecord event = Event(EntryType::kDocumentWithdrawn, std::move(payload));
  event.fields.SetText(Tag::kCollectionId, published.collection_id)
      .SetNumber(Tag::kGeneration, published.generation)
      .SetText(Tag::kDocumentId, document_id)
      .SetNumber(Tag::kVersion, version);
  return event;
}

EventRecord LogReadEvent(EntryType type, std::uint64_t first, std::uint64_t count) {
  EventRecord event = Event(type, nullptr);
  event.fields.SetNumber(Tag::kFirstIndex, first).SetNumber(Tag::kEntryCount, count);
  return event;
}

EventRecord VerifyEvent(bool ok, std::uint64_t entries) {
  EventRecord event = Event(EntryType::kVerify, nullptr);
  event.fields.SetNumber(Tag::kOk, ok ? 1 : 0).SetNumber(Tag::kEntryCount, entries);
  return event;
}

EventRecord BackupEvent(std::uint64_t size, const Sha256Digest& root, nlohmann::json payload) {
  EventRecord event = Event(EntryType::kBackup, std::move(payload));
  event.fields.SetNumber(Tag::kOldSize, size).SetDigest(Tag::kOldRoot, View(root));
  return event;
}

EventRecord ConfigEvent(nlohmann::json payload) {
  return Event(EntryType::kConfig, std::move(payload));
}

}  // namespace sworn::audit
