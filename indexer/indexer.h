// The write path: plan, extract, cut, embed, commit, in bounded batches.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/embedder.h"
#include "indexer/chunker.h"
#include "indexer/extract/extraction_pool.h"
#include "indexer/report.h"
#include "indexer/source.h"
#include "store/knowledge_store.h"

namespace sworn::indexer {

struct IndexOptions {
  std::uint64_t max_file_bytes = ExtractLimits{}.max_file_bytes;
  ChunkOptions chunks;
  std::size_t threads = 2;  // that read, cut and embed; extraction has its own processes
  std::chrono::milliseconds publish_every{30'000};
  std::chrono::milliseconds commit_every{250};
  bool allow_mass_remove = false;
  std::map<std::string, std::string> user_meta;
};

/// What a run needs from outside; everything outlives it.
struct IndexEnvironment {
  store::IndexJob& job;
  ExtractionPool& extraction;
  const Clock& clock;
  const ProgressSink& progress;
  const CancelFlag& cancel;
  /// The job's reader of texts; null where its embedder is fitted to the collection.
  const Embedder* embedder = nullptr;
  /// Language for documents too short to tell, until this run has seen others.
  std::string usual_language = "en";
};

/// Makes the documents of the source's scopes what the source holds now. Documents are staged in
/// the order of their keys, so the same folder gives the same chunk ids. Cancelling publishes what
/// was staged and returns. Throws kConflict, after publishing everything else, when more than half
/// of a root would be removed without options.allow_mass_remove.
IndexReport RunIndex(Source& source, const IndexOptions& options,
                     const IndexEnvironment& environment);

/// What RunIndex would do; `known` are the collection's documents. Reads changed files, writes
/// nothing.
IndexReport DryRunIndex(Source& source, const std::vector<store::DocumentInfo>& known,
                        const IndexOptions& options);

}  // namespace sworn::indexer
