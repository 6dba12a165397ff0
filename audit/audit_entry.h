// One entry of the audit log as bytes.
//
// "SWA1", u16 type, u16 number of fields, then the fields in strictly ascending order of their
// tags: u16 tag, u32 length, that many bytes. Everything is big-endian. docs/formats/audit.md has
// the list of types and tags and a worked example. An entry holds random ids, numbers and keyed
// commitments only; whatever says something about a person or a document is payload
// (audit/audit_payload.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit {

/// Of an encoded entry.
inline constexpr std::size_t kMaxEntryBytes = std::size_t{64} * 1024;
/// Of one entry; far above the number of tags.
inline constexpr std::size_t kMaxEntryFields = 256;
/// Retrieved passages that one entry names; kPassageCount tells how many there were.
inline constexpr std::size_t kMaxEntryPassages = 200;
/// Collections that one entry names.
inline constexpr std::size_t kMaxEntryCollections = 256;
/// Of a random id ("d_..."), a model id or a reason inside an entry.
inline constexpr std::size_t kMaxEntryTextBytes = 128;

enum class EntryType : std::uint16_t {
  kLogOpened = 1,  // entry 0: the knowledge base and the public key
  kIntent = 2,     // a retrieval is about to start
  kOutcome = 3,    // how it ended; exactly one for each intent
  kIndexRun = 4,
  kCollectionCreated = 5,
  kCollectionRemoved = 6,
  kDocumentWithdrawn = 7,
  kRead = 8,    // the log or a document was shown
  kExport = 9,  // of the log
  kVerify = 10,
  kBackup = 11,
  kRestore = 12,  // opens a new epoch
  kConfig = 13,
  kClockStep = 14,
};

/// The numbers are part of the format and are never reused.
enum class Tag : std::uint16_t {
  // Of every entry.
  kUtcMs = 1,
  kMonotonicNs = 2,
  kBootId = 3,
  kProcessId = 4,
  kPrincipal = 5,  // keyed commitment
  kPayload = 6,    // keyed commitment
  kBuildId = 7,
  kConfigDigest = 8,
  // Of a retrieval.
  kOperation = 16,
  kIntent = 17,  // index of the INTENT that an OUTCOME ends
  kStatus = 18,
  kReason = 19,
  kCollections = 20,
  kPassages = 21,
  kPassageCount = 22,
  kModelId = 23,
  kModelDigest = 24,
  kEmbedderDigest = 25,
  kAnswer = 26,  // keyed commitment
  kCitationCount = 27,
  kPromptTokens = 28,
  kCompletionTokens = 29,
  kRetrieveUs = 30,
  kGenerateUs = 31,
  kTotalUs = 32,
  // Of a text that a model wrote.
  kKernels = 33,
  kSeed = 34,
  kSampler = 35,
  kMaxTokens = 36,
  kThreads = 37,
  kPromptTemplate = 38,
  kPrompt = 39,  // keyed commitment
  // Of the other entries.
  kKbId = 48,
  kPublicKey = 49,
  kOldSize = 50,
  kOldRoot = 51,
  kNewSize = 52,
  kNewRoot = 53,
  kCollectionId = 54,
  kGeneration = 55,
  kDocumentId = 56,
  kVersion = 57,
  kAdded = 58,
  kUpdated = 59,
  kUnchanged = 60,
  kRemoved = 61,
  kFailed = 62,
  kSkipped = 63,
  kFirstIndex = 64,
  kEntryCount = 65,
  kOk = 66,  // 0 or 1
  kExpectedUtcMs = 67,
};

enum class Operation : std::uint64_t { kSearch = 1, kAsk = 2, kSummarize = 3, kTranslate = 4 };

enum class OutcomeStatus : std::uint64_t {
  kAnswered = 1,
  kPartial = 2,
  kAbstained = 3,
  kFailed = 4,
  kCrashed = 5,  // written by the next process that opened the log
};

/// How the bytes of a known field are to be read.
enum class FieldKind { kNumber, kTime, kDigest, kBootId, kText, kCollections, kPassages };

/// "intent"; nothing for a number that this version does not know.
std::optional<std::string_view> EntryTypeName(EntryType type);
std::optional<EntryType> EntryTypeFromName(std::string_view name);
std::string_view OperationName(Operation operation);
std::string_view OutcomeStatusName(OutcomeStatus status);

struct FieldInfo {
  Tag tag;
  std::string_view name;  // in JSON
  FieldKind kind;
};
/// Null for a tag that this version does not know.
const FieldInfo* FindFieldInfo(std::uint16_t tag);

struct CollectionState {
  std::string collection_id;     // random
  std::uint64_t generation = 0;  // the one that was read or published

  friend bool operator==(const CollectionState&, const CollectionState&) = default;
};

struct PassageFields {
  std::string document_id;  // random
  std::uint64_t version = 0;
  std::string version_commitment;  // 32 bytes: HMAC over the SHA-256 of the document's bytes
  std::uint64_t chunk_id = 0;
  std::uint64_t byte_begin = 0;
  std::uint64_t byte_end = 0;
  std::uint64_t rank = 0;   // 1-based
  float score = 0;          // fused
  float keyword_score = 0;  // 0 where the leg did not find it
  float vector_score = 0;   // likewise

  friend bool operator==(const PassageFields&, const PassageFields&) = default;
};

/// Fields by tag. Setters replace. Getters return nothing when the field is missing; decoded fields
/// already have the shape of their kind.
class FieldMap {
 public:
  FieldMap& SetNumber(Tag tag, std::uint64_t value);
  /// 32 bytes; throws kInvalidArgument otherwise.
  FieldMap& SetDigest(Tag tag, std::string_view digest);
  /// As it stands; the caller keeps to the tag's kind.
  FieldMap& SetBytes(Tag tag, std::string bytes);
  /// At most kMaxEntryTextBytes bytes of printable ASCII; throws kInvalidArgument otherwise.
  FieldMap& SetText(Tag tag, std::string_view text);
  FieldMap& SetCollections(const std::vector<CollectionState>& collections);
  FieldMap& SetPassages(const std::vector<PassageFields>& passages);

  [[nodiscard]] std::optional<std::uint64_t> Number(Tag tag) const;
  [[nodiscard]] std::optional<std::string_view> Bytes(Tag tag) const;
  [[nodiscard]] std::vector<CollectionState> Collections() const;
  [[nodiscard]] std::vector<PassageFields> Passages() const;

  [[nodiscard]] const std::map<std::uint16_t, std::string>& all() const { return fields_; }
  /// A field as the decoder found it, known or not.
  void SetRaw(std::uint16_t tag, std::string bytes) { fields_[tag] = std::move(bytes); }

  friend bool operator==(const FieldMap&, const FieldMap&) = default;

 private:
  std::map<std::uint16_t, std::string> fields_;
};

struct AuditEntry {
  EntryType type = EntryType::kRead;
  FieldMap fields;

  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

/// Throws Error(kTooLarge) beyond kMaxEntryBytes.
std::string EncodeEntry(const AuditEntry& entry);

/// The one entry that encodes to exactly these bytes. Unknown types and tags are kept; a known tag
/// whose bytes do not have its kind's shape, disorder, a wrong length or trailing bytes throw
/// Error(kIntegrity).
AuditEntry DecodeEntry(std::string_view bytes);

}  // namespace sworn::audit
