// What is asked of a knowledge base and what comes back. Plain data; api/service/json.h writes it
// in the fixed JSON shapes. Times are milliseconds since 1970 in UTC.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/generator.h"
#include "core/types.h"
#include "indexer/report.h"
#include "retriever/extractive.h"
#include "retriever/query.h"
#include "store/records.h"

namespace sworn::service {

inline constexpr const char* kDefaultCollection = "default";

struct IndexRequest {
  std::vector<std::filesystem::path> paths;
  std::string collection = kDefaultCollection;
  std::vector<std::string> include;  // globs; empty: every file
  std::vector<std::string> exclude;
  std::map<std::string, std::string> meta;
  bool dry_run = false;
  bool allow_mass_remove = false;
  /// A model's id or "lsa"; empty: the one that the collection has, "lsa" for a new one.
  std::string embedder;
};

using indexer::FileNote;
using indexer::IndexProgress;
using indexer::IndexReport;
using indexer::ProgressSink;

using SearchMode = retriever::Mode;

struct SearchRequest {
  std::string text;
  std::size_t top_k = 10;  // 1 to 1,000
  std::vector<std::string> collections;
  SearchMode mode = SearchMode::kHybrid;
  store::DocumentFilter filter;
};

struct Hit {
  std::uint32_t rank = 0;
  double score = 0;
  std::optional<std::uint32_t> keyword_rank;
  std::optional<std::uint32_t> vector_rank;
  std::optional<std::uint32_t> local_rank;
  std::optional<double> keyword_score;
  std::optional<double> vector_score;
  std::optional<double> local_score;
  std::uint32_t tier = 0;  // identifiers and phrases of the question that the passage contains
  store::StoredChunk chunk;
};

struct LegReport {
  std::string name;  // "keyword", "vector", "local"
  bool ran = false;
  std::uint64_t candidates = 0;
  std::string reason;  // why it did not run
};

/// Where the log speaks of this request.
struct AuditReference {
  std::uint64_t intent = 0;
  std::uint64_t outcome = 0;
  std::uint64_t checkpoint = 0;  // tree size
};

struct SearchResponse {
  std::string query;
  SearchMode mode = SearchMode::kHybrid;
  std::vector<Hit> hits;
  std::vector<LegReport> legs;
  std::map<std::string, std::uint64_t> generations;
  double took_ms = 0;
  AuditReference audit;
};

/// What two runs must have in common to give the same answer to the byte, besides what the request
/// says and the log entry names: both stand in the payload of the INTENT.
struct Replay {
  std::string answer_id;
  std::string prompt_nonce;
};

/// How a model writes.
struct WritingOptions {
  std::string model;             // an id; empty: the configured one; "extractive": no model
  GenerationOptions generation;  // its `constraint` is chosen by `quote`
  bool quote = false;            // an answer may only copy whole runs of words of the passages
  bool keep_unverified = false;  // sentences without support are labelled, not left out
  std::optional<Replay> replay;
};

struct AskRequest {
  std::string text;
  std::vector<std::string> collections;
  store::DocumentFilter filter;
  WritingOptions writing;
  std::string matter;   // label kept in the log's payload
  std::string purpose;  // likewise
};

struct SummarizeRequest {
  std::string what;      // a document's id or path, or a text of more than one word
  std::string language;  // to write in; empty: that of the text
  WritingOptions writing;
};

struct TranslateRequest {
  std::string text;
  std::string to;  // "de"
  WritingOptions writing;
};

struct TranslateResponse {
  std::string text;
  std::string from;  // as far as it can be told
  std::string to;
  std::string model_id;
  std::string model_sha256;
  bool cut = false;  // it ended at max_tokens
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;
  double prefill_ms = 0;
  double generate_ms = 0;
  double total_ms = 0;
  AuditReference audit;
};

using AnswerStatus = retriever::AnswerStatus;

struct Citation {
  std::uint32_t number = 0;  // 1-based, as in the "[n]" of the answer
  std::string quote;
  ByteRange range;           // of the quote in the stored text
  store::StoredChunk chunk;  // document, page, heading; its text is the passage
  bool verified = false;     // the quote was compared with the stored version byte by byte
};

struct AnswerSentence {
  std::string text;
  std::vector<std::uint32_t> citations;
  bool verified = false;  // a passage says it, and every citation is verified
};

/// A sentence as it is added to an answer, with the citations that it names first. It was checked.
using SentenceSink =
    std::function<void(const AnswerSentence& sentence, std::span<const Citation> added)>;

struct Coverage {
  std::uint64_t searched = 0;  // documents
  std::uint64_t skipped = 0;
  std::uint64_t unreadable = 0;
  std::vector<FileNote> unreadable_list;
};

struct AskTiming {
  double retrieve = 0;
  double prefill = 0;
  double generate = 0;
  double total = 0;
};

struct AskResponse {
  std::string answer_id;  // "a_..."
  std::string question;
  std::string language;  // of the question
  AnswerStatus status = AnswerStatus::kAbstained;
  std::string reason;  // of an abstention or a partial answer
  std::string answer;
  std::vector<AnswerSentence> sentences;
  std::vector<Citation> citations;
  retriever::Support support;
  std::vector<Hit> nearest;  // of an abstention: the passages that came closest
  std::string model_id;
  std::optional<std::string> model_sha256;
  std::string fallback_reason;  // why the configured fall-back answers, not the model
  std::uint64_t left_out = 0;   // sentences of the model without support
  std::map<std::string, std::uint64_t> generations;
  std::vector<LegReport> legs;
  Coverage coverage;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t completion_tokens = 0;
  AskTiming timing;
  AuditReference audit;
};

struct ModelImportRequest {
  std::filesystem::path path;  // a GGUF file, a safetensors file or a folder that holds one
  std::string id;              // empty: suggested by the name
  std::string sha256;          // of the file, or of the weights in the folder; empty: any
  bool pack = false;           // store the engine's own layout, which starts faster
  bool int8 = false;           // store an encoder's linear layers as int8
  // Of an embedder, instead of what its file or the card of a well-known model says.
  std::optional<std::string> query_prefix;
  std::optional<std::string> passage_prefix;
  std::optional<std::string> pooling;  // of an encoder: "mean", "cls"
  std::optional<std::string>
      storage;  // of a model that pools "last": "f32", "f16", "i8", ..., "i1"
};

struct ModelPullRequest {
  std::string what;      // an address, or a name below base_url
  std::string id;        // empty: suggested by the address
  std::string base_url;  // empty: the configured one
  std::string sha256;    // empty: that of a known model, else whatever comes is pinned
};

enum class EmbedKind { kQuery, kPassage };

struct EmbedRequest {
  std::string text;
  std::string model;       // a model's id; empty: the embedder of `collection`
  std::string collection;  // empty: the default one
  EmbedKind kind = EmbedKind::kQuery;
};

struct EmbedResponse {
  std::string model;  // a model's id, or what the collection's embedder is called
  std::vector<float> vector;
};

struct ListRequest {
  std::vector<std::string> collections;
  bool with_withdrawn = false;
  std::size_t limit = 0;  // 0: all
  std::string after;      // document id
};

struct RemoveReport {
  std::vector<store::DocumentInfo> removed;
  std::map<std::string, std::uint64_t> generations;
};

struct StatusReport {
  std::string kb_folder;
  std::string kb_id;
  std::string version;
  std::vector<store::CollectionInfo> collections;
  std::uint64_t audit_entries = 0;
  std::uint64_t catalog_bytes = 0;
  std::string model_id;  // who answers unless a question names another
  std::optional<std::string> model_sha256;
};

/// One line of `sworn doctor`.
struct DoctorFinding {
  std::string subject;  // "landlock", "antiword", "disk space"
  bool ok = false;
  bool required = false;  // false: a feature is missing, nothing is broken
  std::string detail;
};

struct BeirRequest {
  std::vector<std::filesystem::path> folders;  // at least one
  std::vector<SearchMode> modes;
  bool legs = false;   // also each leg alone
  bool mixed = false;  // one index over all folders instead of one each
};

/// How well one mode of search, or one leg alone, found what the judges found.
struct BeirScores {
  std::string name;
  double ndcg_at_10 = 0;
  double recall_at_100 = 0;
  double mrr = 0;
  /// Of nDCG@10, by a paired sign-flip test (retriever/metrics.h); none for keyword mode itself.
  std::optional<double> p_value_vs_keyword;
  std::uint64_t ran = 0;         // queries for which it could run; it scores 0 for the others
  std::optional<double> p50_ms;  // of a search for ten hits; modes only
  std::optional<double> p99_ms;
};

struct BeirReport {
  std::string collection;
  std::uint64_t documents = 0;
  std::uint64_t queries = 0;
  std::uint64_t chunks = 0;  // of the index, which all collections of a mixed run share
  double index_seconds = 0;  // as above
  std::vector<BeirScores> modes;
  std::vector<BeirScores> legs;
};

struct BeirEvaluation {
  bool mixed = false;
  std::vector<BeirReport> collections;
  /// Means over the collections, each of which weighs the same; empty for a single one. The test
  /// flips every query, weighted by one over its collection's queries.
  std::vector<BeirScores> mean_modes;
  std::vector<BeirScores> mean_legs;
};

struct AnswerEvaluation {
  std::uint64_t questions = 0;
  std::uint64_t answerable = 0;
  std::uint64_t answered = 0;
  double sentence_accuracy =
      0;  // answerable questions with a citation that overlaps an expected quote
  double citation_precision = 0;  // citations that overlap an expected quote, over citations given
  double abstention_precision = 0;  // unanswerable among the abstained
  double abstention_recall = 0;     // abstained among the unanswerable
  double latency_p50_ms = 0;
  // Thresholds that these questions would choose (retriever::FitThresholds).
  double fitted_min_passage_share = 0;
  double fitted_min_sentence_share = 0;
  std::vector<std::string> mistakes;  // question ids with what went wrong
};

}  // namespace sworn::service
