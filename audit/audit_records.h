// What callers tell the log: records with plain values. The log turns them into an entry (ids,
// numbers, keyed commitments) and a payload (everything personal, audit/audit_payload.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "audit/audit_entry.h"
#include "core/crypto.h"

namespace sworn::audit {

/// Who acts, for which program, under which settings. Digests are hexadecimal, empty if unknown.
struct Actor {
  std::string principal;      // OS user or key id: payload, the entry holds a commitment
  std::string build_id;       // "0.1.0+abc123"
  std::string config_sha256;  // of settings that hold nothing personal
};

/// A retrieval that is about to start.
struct IntentRecord {
  Operation operation = Operation::kSearch;
  std::vector<CollectionState> collections;  // that may be read, as far as known
  nlohmann::json payload;                    // question, filters, matter, purpose: an object
};

struct PassageRecord {
  std::string document_id;
  std::uint64_t version = 0;
  std::string document_sha256;  // hexadecimal; the entry holds a commitment to it
  std::uint64_t chunk_id = 0;
  std::uint64_t byte_begin = 0;  // of the stored text
  std::uint64_t byte_end = 0;
  std::uint64_t rank = 0;  // 1-based
  double score = 0;        // rounded to binary32 in the entry
  double keyword_score = 0;
  double vector_score = 0;
};

/// How a model wrote. With the texts that were retrieved it suffices to write the same again.
struct GenerationRecord {
  std::string kernels;  // name of the kernel table
  std::uint64_t seed = 0;
  std::string sampler;  // its options but the seed
  std::uint64_t max_tokens = 0;
  std::uint64_t threads = 0;  // changes no byte
  std::string prompt_template;
  std::string prompt_sha256;  // hexadecimal; payload, the entry holds a commitment to it
  nlohmann::json payload;     // what the model wrote before it was checked: an object
};

/// How a retrieval ended. Numbers that mean nothing for the operation stay 0.
struct OutcomeRecord {
  OutcomeStatus status = OutcomeStatus::kAnswered;
  std::string reason;                          // a code such as "no_support"; empty if none
  std::vector<CollectionState> collections;    // that were read, with their generations
  std::vector<PassageRecord> passages;         // the entry names the first kMaxEntryPassages
  std::string model_id;                        // "extractive/1"; empty for a search
  std::string model_sha256;                    // hexadecimal; empty if there is no file
  std::string embedder_sha256;                 // of the collections' embedders; empty if none
  std::optional<GenerationRecord> generation;  // of a model's answer
  std::uint64_t citation_count = 0;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;
  std::uint64_t retrieve_us = 0;
  std::uint64_t generate_us = 0;
  std::uint64_t total_us = 0;
  /// The answer as the user will see it (an object); kept as payload. The entry commits to its
  /// AnswerDigest. Null if there is none.
  nlohmann::json answer;
};

/// Any entry that is no retrieval.
struct EventRecord {
  EntryType type = EntryType::kRead;
  FieldMap fields;         // those of the type; see the functions below
  nlohmann::json payload;  // names and paths: an object, or null for none
};

/// SHA-256 of the RFC 8785 form of `answer` without the members "audit", "timing_ms", "usage".
Sha256Digest AnswerDigest(const nlohmann::json& answer);

struct IndexRunCounts {
  std::uint64_t added = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t removed = 0;
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;
};
EventRecord IndexRunEvent(const CollectionState& published, const IndexRunCounts& counts,
                          const std::string& embedder_sha256, nlohmann::json payload);
EventRecord CollectionEvent(EntryType type, const std::string& collection_id,
                            nlohmann::json payload);
EventRecord DocumentWithdrawnEvent(const CollectionState& published, const std::string& document_id,
                                   std::uint64_t version, nlohmann::json payload);
/// kRead or kExport of `count` entries from `first` on.
EventRecord LogReadEvent(EntryType type, std::uint64_t first, std::uint64_t count);
EventRecord VerifyEvent(bool ok, std::uint64_t entries);
EventRecord BackupEvent(std::uint64_t size, const Sha256Digest& root, nlohmann::json payload);
EventRecord ConfigEvent(nlohmann::json payload);

}  // namespace sworn::audit
