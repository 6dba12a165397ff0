// The exact best logits by way of the coarse copy. Internal to llm/.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "llm/files/tensor.h"
#include "llm/graph/coarse_matrix.h"
#include "llm/graph/output_head.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// What a search did; depends on timing, unlike its result.
struct SearchCounts {
  std::size_t panels = 0;      // of 16 rows
  std::size_t low_planes = 0;  // of them read
  std::size_t exact_rows = 0;  // logits computed from the matrix itself, of all states together
};

/// One search; not thread-safe, but uses the team's threads.
class HeadSearch {
 public:
  /// The `count` best of each of `rows` states; count is at most the number of rows of `matrix`.
  /// All arguments must outlive the search.
  HeadSearch(const ModelFile& file, const TensorView& matrix, const kernels::KernelTable& kernels,
             const CoarseMatrix& coarse, std::span<const float> hidden, std::size_t rows,
             std::size_t count, ThreadTeam& team);
  ~HeadSearch();

  /// False if the bounds do not hold for one of the states: Run must not be called.
  [[nodiscard]] bool usable() const noexcept;

  /// As OutputHead::Best.
  std::vector<std::vector<TokenLogit>> Run();

  [[nodiscard]] SearchCounts counts() const;

 private:
  /// The largest of a state that one thread has seen exactly, at most `count` of them.
  class Top {
   public:
    explicit Top(std::size_t count) : count_(count) { best_.reserve(count); }
    void Add(const TokenLogit& entry);
    [[nodiscard]] bool full() const { return best_.size() == count_; }
    [[nodiscard]] float least() const { return best_.front().logit; }
    [[nodiscard]] const std::vector<TokenLogit>& entries() const { return best_; }

   private:
    std::size_t count_;
    std::vector<TokenLogit> best_;  // a heap, the last in order in front
  };

  /// A logit that may be among the best.
  struct Possible {
    std::uint32_t row;
    float upper;
  };

  struct State {
    explicit State(std::span<const float> values) : hidden(values) {}

    std::span<const float> hidden;
    /// Some `count` logits are at least this: it only rises.
    std::atomic<float> floor;
  };

  struct alignas(64) Worker {
    std::vector<float> weights;                         // of one row
    std::vector<Top> top;                               // of each state
    std::vector<std::vector<Possible>> list;            // of each state; has room for kListed
    std::vector<float> sums, reach, estimates, uppers;  // [states, 16]
    bool high_first = true;
    std::size_t panels = 0;
    std::size_t low_planes = 0;
    std::size_t exact_rows = 0;
    std::size_t unreleased_rows = 0;
  };

  void ReadChunk(std::size_t chunk, Worker& worker);
  void ReadPanel(std::size_t panel, bool high_first, Worker& worker);
  std::size_t Estimate(std::size_t panel, bool both, Worker& worker);
  void ConsiderPanel(std::size_t panel, Worker& worker);
  void Rescore(std::size_t state, std::size_t row, Worker& worker);
  void MakeRoom(std::size_t state, Worker& worker);
  [[nodiscard]] float floor(std::size_t state) const {
    return states_[state].floor.load(std::memory_order_relaxed);
  }
  void RescoreListed();
  /// The best of what the threads have seen exactly of a state.
  [[nodiscard]] Top MergedTop(std::size_t state) const;

  const ModelFile& file_;
  const TensorView& matrix_;
  const kernels::KernelTable& kernels_;
  const CoarseMatrix& coarse_;
  ThreadTeam& team_;
  std::size_t count_;
  CoarseStates coarse_states_;
  std::deque<State> states_;
  std::vector<Worker> workers_;
};

}  // namespace sworn::llm
