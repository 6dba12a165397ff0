// Search of vector files: estimates from the 8-bit codes through FAISS's interface for scanning
// lists, with our kernel behind it, then scores from the exact rows.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include <faiss/IndexFlat.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/utils/Heap.h>

#include "core/error.h"
#include "store/faiss_index.h"
#include "store/vector_lists.h"

namespace sworn::store {
namespace {

using Order = faiss::CMin<float, faiss::Index::idx_t>;

constexpr std::size_t kBlockRows = 2'048;  // sums at a time
constexpr double kLevels = 255;
// What kernels::KernelTable::scan_codes takes: one component, and the sum of all magnitudes.
constexpr double kMaxQuery = 32'639;
constexpr double kMaxQuerySum = 8'421'504;
constexpr faiss::Index::idx_t kNoLabel = INT64_MIN;
constexpr std::size_t kSpare = 150;            // candidates more than asked for, at least
constexpr std::size_t kNear = 10;              // hits that `probes` were measured with
constexpr std::size_t kDeep = 100;             // and `deep_probes`
constexpr std::size_t kItemRows = 16'384;      // of a list, one thread's work at a time
constexpr std::size_t kThreadBytes = 2 << 20;  // of codes, worth a thread

/// Asks the caller of a search, and counts.
class AcceptSelector : public faiss::IDSelector {
 public:
  explicit AcceptSelector(const std::function<bool(ChunkId)>& accept) : accept_(accept) {}

  bool is_member(faiss::Index::idx_t id) const override {
    ++asked_;
    const bool accepted = accept_(static_cast<ChunkId>(id));
    if (accepted) ++accepted_;
    return accepted;
  }

  /// Whether it refused most of those it was asked about.
  [[nodiscard]] bool RefusedMost() const { return 2 * accepted_ < asked_; }

 private:
  const std::function<bool(ChunkId)>& accept_;
  mutable std::size_t asked_ = 0;
  mutable std::size_t accepted_ = 0;
};

/// The best so far, as a heap of FAISS whose labels say chunk and row: of equal estimates the
/// lower chunk id stays, so the result does not depend on the order of scanning.
struct CandidateHeap {
  explicit CandidateHeap(std::size_t size);

  std::vector<float> estimates;
  std::vector<faiss::Index::idx_t> labels;

  [[nodiscard]] static faiss::Index::idx_t Label(ChunkId id, std::size_t row);
  [[nodiscard]] static ChunkId IdOf(faiss::Index::idx_t label);
  [[nodiscard]] static std::size_t RowOf(faiss::Index::idx_t label);

  void Offer(float estimate, faiss::Index::idx_t label);
  /// Offers all that `other` holds.
  void Merge(const CandidateHeap& other);
  /// The labels held, in no order.
  [[nodiscard]] std::vector<faiss::Index::idx_t> Held() const;
};

/// One query on one file; one thread at a time. The query is multiplied by the step of each
/// component and rounded to 16 bits, so that an estimate is an exact integer sum, scaled. Labels
/// are those of CandidateHeap.
class CodeScanner : public faiss::InvertedListScanner {
 public:
  CodeScanner(const VectorReader& reader, const kernels::KernelTable& table,
              const AcceptSelector& accept);

  void set_query(const float* query) override;
  void set_list(idx_t list, float coarse_score) override;
  float distance_to_code(const std::uint8_t* code) const override;
  /// Codes from the beginning of the list; `ids` is not read.
  std::size_t scan_codes(std::size_t n, const std::uint8_t* codes, const idx_t* ids,
                         float* estimates, idx_t* labels, std::size_t k) const override;

  /// Rows [begin, end) of a list.
  void Scan(std::size_t list, std::size_t begin, std::size_t end, CandidateHeap& heap);

 private:
  [[nodiscard]] float Estimate(std::int32_t sum) const;
  [[nodiscard]] std::int64_t LeastSum(float estimate) const;

  const VectorReader& reader_;
  const kernels::KernelTable& table_;
  std::size_t first_row_ = 0;
  double base_ = 0;  // estimate = base + unit * sum
  double unit_ = 0;
  std::vector<std::int8_t> high_;
  std::vector<std::int8_t> low_;
  mutable std::vector<std::int32_t> sums_;
};

CandidateHeap::CandidateHeap(std::size_t size)
    : estimates(size, Order::neutral()), labels(size, kNoLabel) {}

faiss::Index::idx_t CandidateHeap::Label(ChunkId id, std::size_t row) {
  return -static_cast<faiss::Index::idx_t>(id) * (std::int64_t{1} << 32) +
         static_cast<faiss::Index::idx_t>(row);
}
ChunkId CandidateHeap::IdOf(faiss::Index::idx_t label) {
  return static_cast<ChunkId>(-(label >> 32));
}
std::size_t CandidateHeap::RowOf(faiss::Index::idx_t label) {
  return static_cast<std::uint32_t>(label);
}

void CandidateHeap::Offer(float estimate, faiss::Index::idx_t label) {
  if (!Order::cmp2(estimates[0], estimate, labels[0], label)) return;
  faiss::heap_replace_top<Order>(labels.size(), estimates.data(), labels.data(), estimate, label);
}

void CandidateHeap::Merge(const CandidateHeap& other) {
  for (std::size_t i = 0; i < other.labels.size(); ++i) {
    if (other.labels[i] != kNoLabel) Offer(other.estimates[i], other.labels[i]);
  }
}

std::vector<faiss::Index::idx_t> CandidateHeap::Held() const {
  std::vector<faiss::Index::idx_t> held;
  for (const faiss::Index::idx_t label : labels) {
    if (label != kNoLabel) held.push_back(label);
  }
  return held;
}

CodeScanner::CodeScanner(const VectorReader& reader, const kernels::KernelTable& table,
                         const AcceptSelector& accept)
    : faiss::InvertedListScanner(true, &accept), reader_(reader), table_(table), sums_(kBlockRows) {
  keep_max = true;
  code_size = reader.dimension();
}

void CodeScanner::set_query(const float* query) {
  const std::size_t n = reader_.dimension();
  const std::vector<float>& trained = reader_.index().sq.trained;  // minima, then ranges
  std::vector<double> weights(n);
  double largest = 0;
  double sum = 0;
  base_ = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const double step = trained[n + k] / kLevels;
    weights[k] = query[k] * step;
    base_ += query[k] * (trained[k] + 0.5 * step);  // a code stands for the middle of its step
    largest = std::max(largest, std::abs(weights[k]));
    sum += std::abs(weights[k]);
  }
  // Rounding adds at most a half for each component.
  const double scale =
      sum > 0 ? std::min(kMaxQuery / largest, (kMaxQuerySum - static_cast<double>(n)) / sum) : 0;
  unit_ = sum > 0 ? 1 / scale : 0;
  high_.resize(n);
  low_.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    const auto x = static_cast<std::int32_t>(std::lround(weights[k] * scale));
    low_[k] = static_cast<std::int8_t>(x);
    high_[k] = static_cast<std::int8_t>((x - low_[k]) / 256);
  }
}

void CodeScanner::set_list(idx_t list, float /*coarse_score*/) {
  list_no = list;
  first_row_ = reader_.FirstRow(static_cast<std::size_t>(list));
}

float CodeScanner::Estimate(std::int32_t sum) const {
  return static_cast<float>(std::clamp(base_ + unit_ * sum, -1e38, 1e38));
}

std::int64_t CodeScanner::LeastSum(float estimate) const {
  if (unit_ == 0 || estimate == Order::neutral()) return INT32_MIN;
  const double distance = static_cast<double>(estimate) - base_;
  const double roundings = (std::abs(base_) + std::abs(distance)) * 1e-6;
  const double sum = std::floor((distance - roundings) / unit_) - 1;
  return static_cast<std::int64_t>(std::clamp(sum, double{INT32_MIN}, double{INT32_MAX}));
}

float CodeScanner::distance_to_code(const std::uint8_t* code) const {
  std::int32_t sum = 0;
  table_.scan_codes(code, 1, code_size, {high_.data(), low_.data()}, &sum);
  return Estimate(sum);
}

std::size_t CodeScanner::scan_codes(std::size_t n, const std::uint8_t* codes, const idx_t* /*ids*/,
                                    float* estimates, idx_t* labels, std::size_t k) const {
  std::size_t updates = 0;
  for (std::size_t begin = 0; begin < n; begin += kBlockRows) {
    const std::size_t rows = std::min(kBlockRows, n - begin);
    table_.scan_codes(codes + begin * code_size, rows, code_size, {high_.data(), low_.data()},
                      sums_.data());
    std::int64_t least = LeastSum(estimates[0]);
    for (std::size_t i = 0; i < rows; ++i) {
      if (sums_[i] < least) continue;
      const std::size_t row = first_row_ + begin + i;
      const ChunkId id = reader_.IdOf(row);
      const float estimate = Estimate(sums_[i]);
      const idx_t label = CandidateHeap::Label(id, row);
      if (!Order::cmp2(estimates[0], estimate, labels[0], label)) continue;
      if (sel != nullptr && !sel->is_member(id)) continue;
      faiss::heap_replace_top<Order>(k, estimates, labels, estimate, label);
      least = LeastSum(estimates[0]);
      ++updates;
    }
  }
  return updates;
}

void CodeScanner::Scan(std::size_t list, std::size_t begin, std::size_t end, CandidateHeap& heap) {
  set_list(static_cast<idx_t>(list), 0);
  first_row_ += begin;
  const std::uint8_t* const codes = reader_.index().invlists->get_codes(list);
  scan_codes(end - begin, codes + begin * code_size, nullptr, heap.estimates.data(),
             heap.labels.data(), heap.labels.size());
}

struct Request {
  std::span<const float> query;
  std::size_t limit;
  const std::function<bool(ChunkId)>& accept;
  const VectorSearchOptions& options;
};

bool Before(const ScoredChunk& a, const ScoredChunk& b) {
  return a.score != b.score ? a.score > b.score : a.chunk_id < b.chunk_id;
}

std::size_t Candidates(const VectorReader& reader, std::size_t limit) {
  return std::min(reader.size(),
                  limit > reader.size() ? reader.size() : limit + std::max(limit, kSpare));
}

std::size_t Threads(std::size_t wanted, std::size_t bytes) {
  const std::size_t most =
      wanted > 0 ? wanted : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  return std::clamp(bytes / kThreadBytes, std::size_t{1}, most);
}

struct Item {
  std::size_t list;
  std::size_t begin;
  std::size_t end;
};

/// Compares the query with every code, on several threads. What a heap keeps does not depend on
/// what it was offered first, so neither does the result on who took which item.
CandidateHeap ScanAll(const VectorReader& reader, const Request& request) {
  std::vector<Item> items;
  for (std::size_t list = 0; list < reader.facts().lists; ++list) {
    const std::size_t size = reader.index().invlists->list_size(list);
    for (std::size_t begin = 0; begin < size; begin += kItemRows) {
      items.push_back({list, begin, std::min(begin + kItemRows, size)});
    }
  }
  const std::size_t threads = Threads(request.options.threads, reader.size() * reader.dimension());
  std::vector<CandidateHeap> heaps(threads, CandidateHeap(Candidates(reader, request.limit)));
  std::vector<AcceptSelector> accepts(threads, AcceptSelector(request.accept));
  std::vector<CodeScanner> scanners;
  for (const AcceptSelector& accept : accepts) {
    scanners.emplace_back(reader, request.options.table, accept);
    scanners.back().set_query(request.query.data());
  }
  std::atomic<std::size_t> next = 0;
  const auto work = [&](std::size_t thread) {
    for (std::size_t i = next++; i < items.size(); i = next++) {
      scanners[thread].Scan(items[i].list, items[i].begin, items[i].end, heaps[thread]);
    }
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work, i);
  work(0);
  helpers.clear();  // joins
  for (std::size_t i = 1; i < threads; ++i) heaps[0].Merge(heaps[i]);
  return std::move(heaps[0]);
}

std::size_t Probes(const VectorFileFacts& facts, std::size_t limit) {
  if (limit <= kNear) return facts.probes;
  const std::size_t hundreds = std::min<std::size_t>((limit + kDeep - 1) / kDeep, facts.lists);
  return std::min<std::size_t>(hundreds * facts.deep_probes, facts.lists);
}

/// Compares the query with the codes of the lists nearest to it; with all of them where the probed
/// ones hold too little of what is accepted. One thread and one order, so that this choice does not
/// depend on the number of threads either.
CandidateHeap Probe(const VectorReader& reader, const Request& request) {
  const std::size_t probes = Probes(reader.facts(), request.limit);
  if (probes >= reader.facts().lists || request.options.scan_all) return ScanAll(reader, request);
  const auto& flat = dynamic_cast<const faiss::IndexFlat&>(*reader.index().quantizer);
  const std::span centroids(flat.get_xb(), std::size_t{reader.facts().lists} * reader.dimension());
  const AcceptSelector accept(request.accept);
  CodeScanner scanner(reader, request.options.table, accept);
  scanner.set_query(request.query.data());
  CandidateHeap heap(Candidates(reader, request.limit));
  for (const std::uint32_t list :
       NearestLists(centroids, request.query, probes, request.options.table)) {
    scanner.Scan(list, 0, reader.index().invlists->list_size(list), heap);
  }
  const bool enough = heap.Held().size() >= std::min(request.limit, heap.labels.size());
  return enough && !accept.RefusedMost() ? heap : ScanAll(reader, request);
}

/// Exact scores of the candidates of one file, which are read in the order in which they stand.
void Rescore(const VectorReader& reader, const CandidateHeap& heap, const Request& request,
             std::vector<ScoredChunk>& hits) {
  std::vector<faiss::Index::idx_t> labels = heap.Held();
  std::sort(labels.begin(), labels.end(),
            [](auto a, auto b) { return CandidateHeap::RowOf(a) < CandidateHeap::RowOf(b); });
  std::vector<float> row(reader.dimension());
  for (const faiss::Index::idx_t label : labels) {
    reader.ReadRow(CandidateHeap::RowOf(label), row);
    float score = 0;
    request.options.table.dot(row.data(), row.size(), request.query.data(), 0, 1, &score, 0);
    hits.push_back({CandidateHeap::IdOf(label), score});
  }
}

}  // namespace

std::vector<ScoredChunk> SearchVectorIndexes(std::span<const VectorReader* const> indexes,
                                             std::span<const float> query, std::size_t limit,
                                             const std::function<bool(ChunkId)>& accept,
                                             const VectorSearchOptions& options) {
  for (const VectorReader* index : indexes) {
    if (index->dimension() != query.size()) {
      throw Error(ErrorCode::kInvalidArgument, "the query vector has another dimension");
    }
  }
  for (const float component : query) {
    if (!(std::abs(component) <= kMaxComponent)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the query vector has a component that is no number or too large");
    }
  }
  std::vector<ScoredChunk> hits;
  if (limit == 0) return hits;
  const Request request{query, limit, accept, options};
  for (const VectorReader* index : indexes) {
    if (index->size() > 0) Rescore(*index, Probe(*index, request), request, hits);
  }
  std::sort(hits.begin(), hits.end(), Before);
  if (hits.size() > limit) hits.resize(limit);
  return hits;
}

}  // namespace sworn::store
