// Rankings of a judged collection, scored: every mode of search and every leg alone.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "api/service/beir.h"
#include "api/service/requests.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/embedder.h"
#include "core/types.h"
#include "store/snapshot.h"

namespace sworn::service {

/// The ids of a collection's documents behind each stored text.
using DocumentIds = std::unordered_map<ContentId, std::vector<std::string>>;

/// One way of searching; the lists have an entry for each query, in their order.
struct BeirRun {
  std::string name;
  std::vector<double> ndcg;
  std::vector<double> recall;
  std::vector<double> reciprocal_rank;
  std::vector<double> latency_ms;  // empty where nothing was timed
  std::uint64_t ran = 0;           // queries for which it could run
};

struct BeirRuns {
  BeirRun keyword;  // what the others are compared with
  std::vector<BeirRun> modes;
  std::vector<BeirRun> legs;
};

/// What a measurement reads; all of it outlives the call.
struct BeirIndex {
  const store::Snapshot& snapshot;
  const Embedder* embedder;
  const DocumentIds& ids;
  const Clock& clock;
};

/// Asks every query of `collection` in each mode and, with `legs`, of each leg alone.
BeirRuns MeasureBeir(const BeirIndex& index, const BeirCollection& collection,
                     const std::vector<SearchMode>& modes, bool legs, const CancelFlag& cancel);

/// Means over the queries, and the test against `keyword` (not of it with itself).
BeirScores Summarise(const BeirRun& run, const BeirRun& keyword);

/// Means over collections of runs that have the same name, `runs[i]` and `keywords[i]` being of
/// collection i; not empty.
BeirScores SummariseMeans(const std::vector<const BeirRun*>& runs,
                          const std::vector<const BeirRun*>& keywords);

}  // namespace sworn::service
