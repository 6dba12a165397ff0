// The names and kinds of types and tags: docs/formats/audit.md prints the same table.
#include <algorithm>
#include <array>

#include "audit/audit_entry.h"

namespace sworn::audit {
namespace {

struct TypeName {
  EntryType type;
  std::string_view name;
};

constexpr std::array kTypeNames = {
    TypeName{EntryType::kLogOpened, "log_opened"},
    TypeName{EntryType::kIntent, "intent"},
    TypeName{EntryType::kOutcome, "outcome"},
    TypeName{EntryType::kIndexRun, "index_run"},
    TypeName{EntryType::kCollectionCreated, "collection_created"},
    TypeName{EntryType::kCollectionRemoved, "collection_removed"},
    TypeName{EntryType::kDocumentWithdrawn, "document_withdrawn"},
    TypeName{EntryType::kRead, "read"},
    TypeName{EntryType::kExport, "export"},
    TypeName{EntryType::kVerify, "verify"},
    TypeName{EntryType::kBackup, "backup"},
    TypeName{EntryType::kRestore, "restore"},
    TypeName{EntryType::kConfig, "config"},
    TypeName{EntryType::kClockStep, "clock_step"},
};

// Ascending by tag.
constexpr std::array kFields = {
    FieldInfo{Tag::kUtcMs, "utc", FieldKind::kTime},
    FieldInfo{Tag::kMonotonicNs, "monotonic_ns", FieldKind::kNumber},
    FieldInfo{Tag::kBootId, "boot_id", FieldKind::kBootId},
    FieldInfo{Tag::kProcessId, "process_id", FieldKind::kNumber},
    FieldInfo{Tag::kPrincipal, "principal_commitment", FieldKind::kDigest},
    FieldInfo{Tag::kPayload, "payload_commitment", FieldKind::kDigest},
    FieldInfo{Tag::kBuildId, "build_id", FieldKind::kText},
    FieldInfo{Tag::kConfigDigest, "config_sha256", FieldKind::kDigest},
    FieldInfo{Tag::kOperation, "operation", FieldKind::kNumber},
    FieldInfo{Tag::kIntent, "intent", FieldKind::kNumber},
    FieldInfo{Tag::kStatus, "status", FieldKind::kNumber},
    FieldInfo{Tag::kReason, "reason", FieldKind::kText},
    FieldInfo{Tag::kCollections, "collections", FieldKind::kCollections},
    FieldInfo{Tag::kPassages, "passages", FieldKind::kPassages},
    FieldInfo{Tag::kPassageCount, "passage_count", FieldKind::kNumber},
    FieldInfo{Tag::kModelId, "model_id", FieldKind::kText},
    FieldInfo{Tag::kModelDigest, "model_sha256", FieldKind::kDigest},
    FieldInfo{Tag::kEmbedderDigest, "embedder_sha256", FieldKind::kDigest},
    FieldInfo{Tag::kAnswer, "answer_commitment", FieldKind::kDigest},
    FieldInfo{Tag::kCitationCount, "citation_count", FieldKind::kNumber},
    FieldInfo{Tag::kPromptTokens, "prompt_tokens", FieldKind::kNumber},
    FieldInfo{Tag::kCompletionTokens, "completion_tokens", FieldKind::kNumber},
    FieldInfo{Tag::kRetrieveUs, "retrieve_us", FieldKind::kNumber},
    FieldInfo{Tag::kGenerateUs, "generate_us", FieldKind::kNumber},
    FieldInfo{Tag::kTotalUs, "total_us", FieldKind::kNumber},
    FieldInfo{Tag::kKernels, "kernels", FieldKind::kText},
    FieldInfo{Tag::kSeed, "seed", FieldKind::kNumber},
    FieldInfo{Tag::kSampler, "sampler", FieldKind::kText},
    FieldInfo{Tag::kMaxTokens, "max_tokens", FieldKind::kNumber},
    FieldInfo{Tag::kThreads, "threads", FieldKind::kNumber},
    FieldInfo{Tag::kPromptTemplate, "prompt_template", FieldKind::kText},
    FieldInfo{Tag::kPrompt, "prompt_commitment", FieldKind::kDigest},
    FieldInfo{Tag::kKbId, "kb_id", FieldKind::kText},
    FieldInfo{Tag::kPublicKey, "public_key", FieldKind::kDigest},
    FieldInfo{Tag::kOldSize, "old_size", FieldKind::kNumber},
    FieldInfo{Tag::kOldRoot, "old_root", FieldKind::kDigest},
    FieldInfo{Tag::kNewSize, "new_size", FieldKind::kNumber},
    FieldInfo{Tag::kNewRoot, "new_root", FieldKind::kDigest},
    FieldInfo{Tag::kCollectionId, "collection_id", FieldKind::kText},
    FieldInfo{Tag::kGeneration, "generation", FieldKind::kNumber},
    FieldInfo{Tag::kDocumentId, "document_id", FieldKind::kText},
    FieldInfo{Tag::kVersion, "version", FieldKind::kNumber},
    FieldInfo{Tag::kAdded, "added", FieldKind::kNumber},
    FieldInfo{Tag::kUpdated, "updated", FieldKind::kNumber},
    FieldInfo{Tag::kUnchanged, "unchanged", FieldKind::kNumber},
    FieldInfo{Tag::kRemoved, "removed", FieldKind::kNumber},
    FieldInfo{Tag::kFailed, "failed", FieldKind::kNumber},
    FieldInfo{Tag::kSkipped, "skipped", FieldKind::kNumber},
    FieldInfo{Tag::kFirstIndex, "first_index", FieldKind::kNumber},
    FieldInfo{Tag::kEntryCount, "entry_count", FieldKind::kNumber},
    FieldInfo{Tag::kOk, "ok", FieldKind::kNumber},
    FieldInfo{Tag::kExpectedUtcMs, "expected_utc", FieldKind::kTime},
};

}  // namespace

std::optional<std::string_view> EntryTypeName(EntryType type) {
  for (const TypeName& known : kTypeNames) {
    if (known.type == type) return known.name;
  }
  return std::nullopt;
}

std::optional<EntryType> EntryTypeFromName(std::string_view name) {
  for (const TypeName& known : kTypeNames) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

std::string_view OperationName(Operation operation) {
  switch (operation) {
    case Operation::kSearch:
      return "search";
    case Operation::kAsk:
      return "ask";
    case Operation::kSummarize:
      return "summarize";
    case Operation::kTranslate:
      return "translate";
  }
  return "unknown";
}

std::string_view OutcomeStatusName(OutcomeStatus status) {
  switch (status) {
    case OutcomeStatus::kAnswered:
      return "answered";
    case OutcomeStatus::kPartial:
      return "partial";
    case OutcomeStatus::kAbstained:
      return "abstained";
    case OutcomeStatus::kFailed:
      return "failed";
    case OutcomeStatus::kCrashed:
      return "crashed";
  }
  return "unknown";
}

const FieldInfo* FindFieldInfo(std::uint16_t tag) {
  const auto* found = std::lower_bound(kFields.begin(), kFields.end(), tag,
                                       [](const FieldInfo& field, std::uint16_t wanted) {
                                         return static_cast<std::uint16_t>(field.tag) < wanted;
                                       });
  if (found == kFields.end() || static_cast<std::uint16_t>(found->tag) != tag) return nullptr;
  return found;
}

}  // namespace sworn::audit
