#include "llm/graph/head_search.h"

#include <algorithm>
#include <limits>

#include "llm/files/dequantize.h"

namespace sworn::llm {
namespace {

using kernels::kCoarseRows;

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr std::size_t kChunkPanels = 16;  // that a thread takes at a time
constexpr std::size_t kProbeChunks = 8;   // every so many show whether the high plane is enough
// So few rows of a panel are cheaper to compute exactly than to look at in the low plane.
constexpr std::size_t kFewRows = 2;
constexpr std::size_t kListed = 8'192;
constexpr std::size_t kRescoreChunk = 32;
// After so many rows their pages are given back, so that the file does not become resident bit by
// bit; the kernel maps what is cached around each, some hundred KiB.
constexpr std::size_t kReleaseRows = 32;

void Raise(std::atomic<float>& floor, float to) {
  float now = floor.load(std::memory_order_relaxed);
  while (now < to && !floor.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
  }
}

}  // namespace

void HeadSearch::Top::Add(const TokenLogit& entry) {
  if (full()) {
    if (!Precedes(entry, best_.front())) return;
    std::pop_heap(best_.begin(), best_.end(), Precedes);
    best_.pop_back();
  }
  best_.push_back(entry);
  std::push_heap(best_.begin(), best_.end(), Precedes);
}

HeadSearch::HeadSearch(const ModelFile& file, const TensorView& matrix,
                       const kernels::KernelTable& kernels, const CoarseMatrix& coarse,
                       std::span<const float> hidden, std::size_t rows, std::size_t count,
                       ThreadTeam& team)
    : file_(file),
      matrix_(matrix),
      kernels_(kernels),
      coarse_(coarse),
      team_(team),
      count_(count),
      coarse_states_(hidden, rows, coarse.blocks()) {
  const std::size_t columns = matrix.columns();
  for (std::size_t t = 0; t < rows; ++t) {
    states_.emplace_back(hidden.subspan(t * columns, columns)).floor.store(kLowest);
  }
  workers_.resize(team.size());
  for (Worker& worker : workers_) {
    worker.weights.resize(columns);
    worker.top.assign(rows, Top(count));
    worker.list.resize(rows);
    for (auto& list : worker.list) list.reserve(kListed);
    for (auto* values : {&worker.sums, &worker.reach, &worker.estimates, &worker.uppers}) {
      values->resize(rows * kCoarseRows);
    }
  }
}

HeadSearch::~HeadSearch() = default;

bool HeadSearch::usable() const noexcept { return coarse_.usable() && coarse_states_.usable(); }

std::vector<std::vector<TokenLogit>> HeadSearch::Run() {
  const std::size_t chunks = (coarse_.panels() + kChunkPanels - 1) / kChunkPanels;
  team_.For(chunks,
            [this](std::size_t chunk, std::size_t thread) { ReadChunk(chunk, workers_[thread]); });
  RescoreListed();
  std::vector<std::vector<TokenLogit>> best(states_.size());
  for (std::size_t t = 0; t < states_.size(); ++t) {
    best[t] = MergedTop(t).entries();
    std::sort(best[t].begin(), best[t].end(), Precedes);
  }
  return best;
}

HeadSearch::Top HeadSearch::MergedTop(std::size_t state) const {
  Top merged(count_);
  for (const Worker& worker : workers_) {
    for (const TokenLogit& entry : worker.top[state].entries()) merged.Add(entry);
  }
  return merged;
}

SearchCounts HeadSearch::counts() const {
  SearchCounts counts;
  for (const Worker& worker : workers_) {
    counts.panels += worker.panels;
    counts.low_planes += worker.low_planes;
    counts.exact_rows += worker.exact_rows;
  }
  return counts;
}

// Where the high plane alone excludes little, it is not worth looking at on its own.
void HeadSearch::ReadChunk(std::size_t chunk, Worker& worker) {
  const bool probe = chunk % kProbeChunks == 0;
  const std::size_t begin = chunk * kChunkPanels;
  const std::size_t end = std::min(coarse_.panels(), begin + kChunkPanels);
  const std::size_t low_planes = worker.low_planes;
  for (std::size_t panel = begin; panel < end; ++panel) {
    ReadPanel(panel, probe || worker.high_first, worker);
  }
  if (probe) worker.high_first = 2 * (worker.low_planes - low_planes) < end - begin;
}

void HeadSearch::ReadPanel(std::size_t panel, bool high_first, Worker& worker) {
  ++worker.panels;
  if (high_first) {
    const std::size_t possible = Estimate(panel, false, worker);
    if (possible == 0) return;
    if (possible <= kFewRows) {
      ConsiderPanel(panel, worker);
      return;
    }
  }
  ++worker.low_planes;
  if (Estimate(panel, true, worker) > 0) ConsiderPanel(panel, worker);
}

// Fills estimates and uppers; returns how many logits may be among the best.
std::size_t HeadSearch::Estimate(std::size_t panel, bool both, Worker& worker) {
  kernels_.coarse_panel(coarse_.panel(panel, both), coarse_.blocks(), coarse_states_.queries(),
                        worker.sums.data(), worker.reach.data());
  const CoarseRows& rows = coarse_.rows(panel);
  std::size_t possible = 0;
  for (std::size_t t = 0; t < states_.size(); ++t) {
    const std::size_t at = t * kCoarseRows;
    possible += kernels_.coarse_bounds(rows, both, coarse_states_.factors(t),
                                       worker.sums.data() + at, worker.reach.data() + at, floor(t),
                                       worker.estimates.data() + at, worker.uppers.data() + at);
  }
  return possible;
}

// A row that is probably better than the worst of the best is computed at once, since that raises
// the floor; the others wait for the floor to rise above them.
void HeadSearch::ConsiderPanel(std::size_t panel, Worker& worker) {
  const std::size_t first = panel * kCoarseRows;
  const std::size_t rows = std::min(kCoarseRows, matrix_.rows() - first);
  for (std::size_t t = 0; t < states_.size(); ++t) {
    for (std::size_t r = 0; r < rows; ++r) {
      const float upper = worker.uppers[t * kCoarseRows + r];
      const float least = floor(t);
      if (upper < least) continue;
      if (least == kLowest || worker.estimates[t * kCoarseRows + r] > least) {
        Rescore(t, first + r, worker);
        continue;
      }
      if (worker.list[t].size() == kListed) MakeRoom(t, worker);
      worker.list[t].push_back({static_cast<std::uint32_t>(first + r), upper});
    }
  }
}

void HeadSearch::Rescore(std::size_t state, std::size_t row, Worker& worker) {
  WidenRow(matrix_, row, kernels_, worker.weights.data());
  TokenLogit entry{static_cast<Token>(row), 0};
  kernels_.dot(worker.weights.data(), matrix_.columns(), states_[state].hidden.data(),
               matrix_.columns(), 1, &entry.logit, 1);
  Top& top = worker.top[state];
  top.Add(entry);
  if (top.full()) Raise(states_[state].floor, top.least());
  ++worker.exact_rows;
  if (++worker.unreleased_rows == kReleaseRows) {
    worker.unreleased_rows = 0;
    file_.Release(matrix_);
  }
}

// Forgets what the floor has passed, and computes the rest if that is still too much.
void HeadSearch::MakeRoom(std::size_t state, Worker& worker) {
  std::vector<Possible>& list = worker.list[state];
  const auto passed = [&](const Possible& entry) { return entry.upper < floor(state); };
  std::erase_if(list, passed);
  if (list.size() <= kListed / 2) return;
  for (const Possible& entry : list) {
    if (!passed(entry)) Rescore(state, entry.row, worker);
  }
  list.clear();
}

void HeadSearch::RescoreListed() {
  struct Task {
    std::size_t state;
    Possible entry;
  };
  std::vector<Task> tasks;
  for (std::size_t t = 0; t < states_.size(); ++t) {
    // The best of all threads together give the highest floor.
    const Top merged = MergedTop(t);
    if (merged.full()) Raise(states_[t].floor, merged.least());
    for (const Worker& worker : workers_) {
      for (const Possible& entry : worker.list[t]) {
        if (entry.upper >= floor(t)) tasks.push_back({t, entry});
      }
    }
  }
  // In the order of memory.
  std::sort(tasks.begin(), tasks.end(),
            [](const Task& a, const Task& b) { return a.entry.row < b.entry.row; });
  team_.For((tasks.size() + kRescoreChunk - 1) / kRescoreChunk,
            [&](std::size_t chunk, std::size_t thread) {
              const std::size_t end = std::min(tasks.size(), (chunk + 1) * kRescoreChunk);
              for (std::size_t i = chunk * kRescoreChunk; i < end; ++i) {
                const Task& task = tasks[i];
                if (task.entry.upper < floor(task.state)) continue;
                Rescore(task.state, task.entry.row, workers_[thread]);
              }
            });
}

}  // namespace sworn::llm
