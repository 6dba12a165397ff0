#include "audit/audit_draft.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include "core/canonical_json.h"
#include "core/error.h"
#include "core/file.h"

namespace sworn::audit {
namespace {

constexpr std::int64_t kStepToleranceMs = 1000;
constexpr std::int64_t kSlewDivisor = 1000;  // NTP slews by at most 500 ppm
constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::size_t kBootIdBytes = 16;
constexpr std::size_t kMaxBootIdText = 64;

std::string_view View(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

void SetHexDigest(FieldMap& fields, Tag tag, const std::string& hex) {
  if (!hex.empty()) fields.SetDigest(tag, View(DigestFromHex(hex)));
}

// The payload of every entry: who, and what the caller adds.
nlohmann::json PayloadOf(const Actor& actor, const nlohmann::json& data) {
  if (!data.is_null() && !data.is_object()) {
    throw Error(ErrorCode::kInvalidArgument, "the payload of an audit entry is a JSON object");
  }
  nlohmann::json payload = {{"principal", actor.principal}};
  if (data.is_object() && !data.empty()) payload["data"] = data;
  return payload;
}

Draft Seal(const Actor& actor, AuditEntry entry, const std::string& key,
           const nlohmann::json& payload) {
  Draft draft{std::move(entry), MakePayload(key, payload)};
  FieldMap& fields = draft.entry.fields;
  fields.SetDigest(Tag::kPrincipal, CommitTo(key, "principal", actor.principal));
  fields.SetDigest(Tag::kPayload, draft.payload.commitment);
  if (!actor.build_id.empty()) fields.SetText(Tag::kBuildId, actor.build_id);
  SetHexDigest(fields, Tag::kConfigDigest, actor.config_sha256);
  return draft;
}

std::vector<PassageFields> PassagesOf(const OutcomeRecord& record, const std::string& key) {
  std::vector<PassageFields> passages;
  const std::size_t count = std::min(record.passages.size(), kMaxEntryPassages);
  for (std::size_t i = 0; i < count; ++i) {
    const PassageRecord& passage = record.passages[i];
    const Sha256Digest digest = DigestFromHex(passage.document_sha256);
    passages.push_back(
        {passage.document_id, passage.version, CommitTo(key, "version", View(digest)),
         passage.chunk_id, passage.byte_begin, passage.byte_end, passage.rank,
         static_cast<float>(passage.score), static_cast<float>(passage.keyword_score),
         static_cast<float>(passage.vector_score)});
  }
  return passages;
}

void AddGeneration(const GenerationRecord& record, const std::string& key, FieldMap& fields,
                   nlohmann::json& payload) {
  const Sha256Digest prompt = DigestFromHex(record.prompt_sha256);
  fields.SetText(Tag::kKernels, record.kernels)
      .SetNumber(Tag::kSeed, record.seed)
      .SetText(Tag::kSampler, record.sampler)
      .SetNumber(Tag::kMaxTokens, record.max_tokens)
      .SetNumber(Tag::kThreads, record.threads)
      .SetText(Tag::kPromptTemplate, record.prompt_template)
      .SetDigest(Tag::kPrompt, CommitTo(key, "prompt", View(prompt)));
  payload["prompt_sha256"] = record.prompt_sha256;
  payload["generation"] = record.payload;
}

}  // namespace

Draft DraftIntent(const Actor& actor, const IntentRecord& record) {
  AuditEntry entry{EntryType::kIntent, {}};
  entry.fields.SetNumber(Tag::kOperation, static_cast<std::uint64_t>(record.operation));
  entry.fields.SetCollections(record.collections);
  return Seal(actor, std::move(entry), RandomBytes(kPayloadKeyBytes),
              PayloadOf(actor, record.payload));
}

Draft DraftOutcome(const Actor& actor, std::uint64_t intent, const OutcomeRecord& record) {
  const std::string key = RandomBytes(kPayloadKeyBytes);
  nlohmann::json payload = PayloadOf(actor, nullptr);
  AuditEntry entry{EntryType::kOutcome, {}};
  FieldMap& fields = entry.fields;
  fields.SetNumber(Tag::kIntent, intent);
  fields.SetNumber(Tag::kStatus, static_cast<std::uint64_t>(record.status));
  if (!record.reason.empty()) fields.SetText(Tag::kReason, record.reason);
  fields.SetCollections(record.collections);
  if (!record.passages.empty()) {
    fields.SetPassages(PassagesOf(record, key));
    for (std::size_t i = 0; i < std::min(record.passages.size(), kMaxEntryPassages); ++i) {
      payload["document_sha256"].push_back(record.passages[i].document_sha256);
    }
  }
  fields.SetNumber(Tag::kPassageCount, record.passages.size());
  if (!record.model_id.empty()) fields.SetText(Tag::kModelId, record.model_id);
  SetHexDigest(fields, Tag::kModelDigest, record.model_sha256);
  SetHexDigest(fields, Tag::kEmbedderDigest, record.embedder_sha256);
  if (!record.answer.is_null()) {
    fields.SetDigest(Tag::kAnswer, CommitTo(key, "answer", View(AnswerDigest(record.answer))));
    payload["answer"] = record.answer;
  }
  if (record.generation) AddGeneration(*record.generation, key, fields, payload);
  fields.SetNumber(Tag::kCitationCount, record.citation_count);
  fields.SetNumber(Tag::kPromptTokens, record.prompt_tokens);
  fields.SetNumber(Tag::kCompletionTokens, record.completion_tokens);
  fields.SetNumber(Tag::kRetrieveUs, record.retrieve_us);
  fields.SetNumber(Tag::kGenerateUs, record.generate_us);
  fields.SetNumber(Tag::kTotalUs, record.total_us);
  return Seal(actor, std::move(entry), key, payload);
}

Draft DraftEvent(const Actor& actor, const EventRecord& record) {
  return Seal(actor, {record.type, record.fields}, RandomBytes(kPayloadKeyBytes),
              PayloadOf(actor, record.payload));
}

std::string CurrentBootId() {
  std::string bytes;
  try {
    const std::string text = ReadFile("/proc/sys/kernel/random/boot_id", kMaxBootIdText);
    std::string hex;
    std::copy_if(text.begin(), text.end(), std::back_inserter(hex),
                 [](char c) { return c != '-' && c != '\n'; });
    const Sha256Digest padded = DigestFromHex(hex + std::string(hex.size(), '0'));
    bytes.assign(padded.begin(), padded.begin() + kBootIdBytes);
  } catch (const Error&) {
    bytes.assign(kBootIdBytes, '\0');  // no /proc: entries of all boots look alike, none is lost
  }
  return bytes;
}

EntryTimes TimesOf(const AuditEntry& entry) {
  return {static_cast<std::int64_t>(entry.fields.Number(Tag::kUtcMs).value_or(0)),
          static_cast<std::int64_t>(entry.fields.Number(Tag::kMonotonicNs).value_or(0)),
          std::string(entry.fields.Bytes(Tag::kBootId).value_or(""))};
}

void SetTimes(const EntryTimes& times, AuditEntry& entry) {
  entry.fields.SetNumber(Tag::kUtcMs, static_cast<std::uint64_t>(times.utc_ms));
  entry.fields.SetNumber(Tag::kMonotonicNs, static_cast<std::uint64_t>(times.monotonic_ns));
  entry.fields.SetBytes(Tag::kBootId, times.boot_id);
  entry.fields.SetNumber(Tag::kProcessId, static_cast<std::uint64_t>(::getpid()));
}

std::int64_t ExpectedUtcMs(const EntryTimes& before, const EntryTimes& now) {
  if (before.boot_id != now.boot_id || now.monotonic_ns < before.monotonic_ns) {
    return before.utc_ms;
  }
  return before.utc_ms + (now.monotonic_ns - before.monotonic_ns) / kNanosPerMilli;
}

bool IsClockStep(const EntryTimes& before, const EntryTimes& now) {
  const std::int64_t expected = ExpectedUtcMs(before, now);
  if (before.boot_id != now.boot_id) return now.utc_ms < expected;
  if (now.monotonic_ns < before.monotonic_ns) return true;
  const std::int64_t tolerance = kStepToleranceMs + (expected - before.utc_ms) / kSlewDivisor;
  return std::abs(now.utc_ms - expected) > tolerance;
}

}  // namespace sworn::audit
