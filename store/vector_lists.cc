#include "store/vector_lists.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <thread>
#include <tuple>
#include <utility>

#include <cblas.h>
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <omp.h>

namespace sworn::store {
namespace {

constexpr std::uint32_t kSeed = 20'260'131;
constexpr std::size_t kHeldOut = 500;      // rows asked as queries, at most a quarter
constexpr std::size_t kSampleOfList = 48;  // training rows for each centroid
constexpr int kIterations = 10;
constexpr std::size_t kSliceRows = 4'096;  // FAISS multiplies as many queries at a time
constexpr std::size_t kNear = 10;          // hits that `probes` are measured with
constexpr std::size_t kDeep = 100;         // and `deep_probes`
// Above the .99 that is promised, since other queries than those measured will come.
constexpr double kRecallAt10 = 0.995;
constexpr double kRecallAt100 = 0.99;

/// OpenMP on one thread for a while: the threads are ours, and a forked process has no others.
class OneOpenMpThread {
 public:
  OneOpenMpThread() { omp_set_num_threads(1); }
  ~OneOpenMpThread() { omp_set_num_threads(before_); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int before_ = omp_get_max_threads();
};

/// Exact search that shares its queries out to threads, in slices that do not depend on their
/// number. OpenBLAS must stay on one thread beside them.
class ParallelFlat : public faiss::IndexFlatIP {
 public:
  using faiss::IndexFlatIP::IndexFlatIP;

  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
              const faiss::SearchParameters* params) const override {
    const auto count = static_cast<std::size_t>(n);
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      const OneOpenMpThread one;
      for (std::size_t begin = next.fetch_add(kSliceRows); begin < count;
           begin = next.fetch_add(kSliceRows)) {
        const std::size_t rows = std::min(kSliceRows, count - begin);
        const std::size_t at = begin * static_cast<std::size_t>(k);
        faiss::IndexFlatIP::search(static_cast<idx_t>(rows),
                                   x + begin * static_cast<std::size_t>(d), k, distances + at,
                                   labels + at, params);
      }
    };
    const std::size_t slices = (count + kSliceRows - 1) / kSliceRows;
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(cores, slices); ++i) helpers.emplace_back(work);
    work();
  }
};

/// The same order on every machine; the first rows are held out.
std::vector<std::uint32_t> ShuffledRows(std::size_t rows) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  std::mt19937 random(kSeed);
  for (std::size_t i = rows; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

std::size_t HeldOut(std::size_t rows) { return std::min(kHeldOut, rows / 4); }

std::vector<float> Gather(const VectorRows& rows, std::span<const std::uint32_t> which) {
  std::vector<float> values;
  values.reserve(which.size() * rows.dimension);
  for (const std::uint32_t row : which) {
    const float* const from = rows.values.data() + std::size_t{row} * rows.dimension;
    values.insert(values.end(), from, from + rows.dimension);
  }
  return values;
}

/// How many true neighbours stand in the list of each rank: [lists].
struct RankCounts {
  std::vector<std::uint64_t> hits;
  std::uint64_t all = 0;

  void Add(std::uint32_t rank) {
    ++hits[rank];
    ++all;
  }

  /// The fewest lists that hold the share `wanted`, and the share they hold.
  [[nodiscard]] std::pair<std::uint32_t, double> Fewest(double wanted) const {
    std::uint64_t found = 0;
    for (std::size_t rank = 0; rank < hits.size(); ++rank) {
      found += hits[rank];
      const double share = all == 0 ? 1 : static_cast<double>(found) / static_cast<double>(all);
      if (share >= wanted) return {static_cast<std::uint32_t>(rank + 1), share};
    }
    return {static_cast<std::uint32_t>(hits.size()), 1};
  }
};

}  // namespace

std::vector<float> TrainCentroids(const VectorRows& rows, std::size_t lists) {
  openblas_set_num_threads(1);
  const OneOpenMpThread one;
  const std::vector<std::uint32_t> order = ShuffledRows(rows.ids.size());
  const std::size_t held = HeldOut(order.size());
  const std::size_t sample = std::min(order.size() - held, lists * kSampleOfList);
  const std::vector<float> values = Gather(rows, std::span(order).subspan(held, sample));
  const auto dimension = static_cast<int>(rows.dimension);
  faiss::ClusteringParameters parameters;
  parameters.niter = kIterations;
  parameters.seed = static_cast<int>(kSeed);
  parameters.spherical = true;
  parameters.min_points_per_centroid = 1;  // only warns
  parameters.max_points_per_centroid = static_cast<int>(sample);
  faiss::Clustering clustering(dimension, static_cast<int>(lists), parameters);
  ParallelFlat assigner(dimension);
  clustering.train(static_cast<faiss::Index::idx_t>(sample), values.data(), assigner);
  return std::move(clustering.centroids);
}

std::vector<std::uint32_t> AssignRows(const VectorRows& rows, std::span<const float> centroids) {
  ParallelFlat assigner(rows.dimension);
  assigner.add(static_cast<faiss::Index::idx_t>(centroids.size() / rows.dimension),
               centroids.data());
  std::vector<faiss::Index::idx_t> labels(rows.ids.size());
  std::vector<float> scores(rows.ids.size());
  assigner.search(static_cast<faiss::Index::idx_t>(labels.size()), rows.values.data(), 1,
                  scores.data(), labels.data(), nullptr);
  return {labels.begin(), labels.end()};
}

std::vector<std::uint32_t> NearestLists(std::span<const float> centroids,
                                        std::span<const float> query, std::size_t count,
                                        const kernels::KernelTable& kernels) {
  const std::size_t lists = centroids.size() / query.size();
  std::vector<float> scores(lists);
  for (std::size_t list = 0; list < lists; ++list) {
    kernels.dot(centroids.data() + list * query.size(), query.size(), query.data(), 0, 1,
                scores.data() + list, 0);
  }
  std::vector<std::uint32_t> order(lists);
  std::iota(order.begin(), order.end(), 0U);
  count = std::min(count, lists);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(order.begin(), end, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  order.resize(count);
  return order;
}

void MeasureProbes(const VectorRows& rows, std::span<const float> centroids,
                   std::span<const std::uint32_t> list_of_row, VectorFileFacts& facts) {
  const std::vector<std::uint32_t> order = ShuffledRows(rows.ids.size());
  const std::span<const std::uint32_t> held(order.data(), HeldOut(order.size()));
  const std::vector<float> queries = Gather(rows, held);
  const std::size_t wanted = std::min(kDeep + 1, rows.ids.size());  // a row finds itself
  const OneOpenMpThread one;
  std::vector<float> scores(held.size() * wanted);
  std::vector<faiss::Index::idx_t> found(held.size() * wanted);
  faiss::knn_inner_product(queries.data(), rows.values.data(), rows.dimension, held.size(),
                           rows.ids.size(), wanted, scores.data(), found.data());
  RankCounts near{std::vector<std::uint64_t>(facts.lists), 0};
  RankCounts deep = near;
  const kernels::KernelTable& kernels = *kernels::FindKernels({});
  std::vector<std::uint32_t> rank_of(facts.lists);
  for (std::size_t q = 0; q < held.size(); ++q) {
    const std::span query(queries.data() + q * rows.dimension, rows.dimension);
    const std::vector<std::uint32_t> ranked = NearestLists(centroids, query, facts.lists, kernels);
    for (std::uint32_t rank = 0; rank < facts.lists; ++rank) rank_of[ranked[rank]] = rank;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < wanted && taken < kDeep; ++i) {
      const faiss::Index::idx_t row = found[q * wanted + i];
      if (row < 0 || row == static_cast<faiss::Index::idx_t>(held[q])) continue;
      const std::uint32_t rank = rank_of[list_of_row[static_cast<std::size_t>(row)]];
      if (taken < kNear) near.Add(rank);
      deep.Add(rank);
      ++taken;
    }
  }
  std::tie(facts.probes, facts.recall_at_10) = near.Fewest(kRecallAt10);
  std::tie(facts.deep_probes, facts.recall_at_100) = deep.Fewest(kRecallAt100);
  facts.deep_probes = std::max(facts.deep_probes, facts.probes);
}

}  // namespace sworn::store
