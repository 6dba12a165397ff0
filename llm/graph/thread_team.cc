#include "llm/graph/thread_team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

#include "core/error.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kMaxThreads = 256;
// Longer than the gaps between the steps of one forward pass, shorter than a scheduler's slice.
constexpr std::chrono::microseconds kSpinTime{80};
constexpr int kSpinsBetweenClockReads = 64;

inline void Pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Polls `done` for kSpinTime; false if it did not come true.
template <typename Condition>
bool SpinUntil(const Condition& done) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kSpinsBetweenClockReads; ++i) {
      if (done()) return true;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// The step in progress as one word: its number, whether members may still join it, and how many
// of them (without the caller) are inside. A member that comes too late finds the step closed, so
// nobody ever waits for a thread that sleeps or that the system does not run.
constexpr std::uint64_t kMembersMask = 0xFFFF;
constexpr std::uint64_t kOpen = 0x1'0000;
constexpr std::uint64_t kStepUnit = 0x2'0000;

}  // namespace

struct ThreadTeam::Impl {
  explicit Impl(std::size_t threads) : parts(threads), spins(threads <= AvailableCores()) {
    members.reserve(threads - 1);
    try {
      for (std::size_t thread = 1; thread < threads; ++thread) {
        members.emplace_back([this, thread] { Serve(thread); });
      }
    } catch (...) {
      Stop();
      throw;
    }
  }
  ~Impl() { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void Stop() {
    stopping.store(true);
    {
      const std::lock_guard lock(sleep_mutex);
      wake.notify_all();
    }
    for (std::thread& member : members) member.join();
  }

  void Serve(std::size_t thread) {
    std::uint64_t seen = 0;  // the number of the last step this member joined or missed
    for (;;) {
      const auto news = [&] { return stopping.load() || (step.load() & ~kMembersMask) != seen; };
      if (!(spins && SpinUntil(news))) {
        std::unique_lock lock(sleep_mutex);
        ++sleepers;
        wake.wait(lock, news);
        --sleepers;
      }
      if (stopping.load()) return;
      std::uint64_t current = step.load();
      seen = current & ~kMembersMask;
      while ((current & kOpen) != 0 && (current & ~kMembersMask) == seen) {
        if (!step.compare_exchange_weak(current, current + 1)) continue;
        TakeItems(thread);
        if ((step.fetch_sub(1) & kMembersMask) == 1 && caller_sleeps.load()) {
          const std::lock_guard lock(sleep_mutex);
          finished.notify_one();
        }
        break;
      }
    }
  }

  // First the thread's own part of the items, then what the others have left of theirs.
  void TakeItems(std::size_t thread) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      Part& part = parts[(thread + i) % parts.size()];
      for (std::size_t item = part.next.fetch_add(1, std::memory_order_relaxed); item < part.end;
           item = part.next.fetch_add(1, std::memory_order_relaxed)) {
        (*work)(item, thread);
      }
    }
  }

  void Run(std::size_t item_count, const std::function<void(std::size_t, std::size_t)>& item_work) {
    const std::lock_guard caller(caller_mutex);
    if (item_count == 1 || members.empty()) {
      for (std::size_t item = 0; item < item_count; ++item) item_work(item, 0);
      return;
    }
    work = &item_work;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i].next.store(item_count * i / parts.size(), std::memory_order_relaxed);
      parts[i].end = item_count * (i + 1) / parts.size();
    }
    step.store(((step.load(std::memory_order_relaxed) & ~(kMembersMask | kOpen)) + kStepUnit) |
               kOpen);
    // A member counts itself a sleeper before it looks at the step for the last time, and the step
    // was stored before the sleepers are read: one of the two sees the other.
    if (sleepers.load() > 0) {
      const std::lock_guard lock(sleep_mutex);
      wake.notify_all();
    }
    TakeItems(0);
    step.fetch_and(~kOpen);
    const auto empty = [this] { return (step.load() & kMembersMask) == 0; };
    if (spins && SpinUntil(empty)) return;
    std::unique_lock lock(sleep_mutex);
    caller_sleeps.store(true);
    finished.wait(lock, empty);
    caller_sleeps.store(false);
  }

  // What a member touches for each item, on a line of its own: items that follow each other, as
  // they mostly do in memory, go to one thread. `work` and the parts are written by the caller
  // while no member is inside a step.
  struct alignas(64) Part {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };
  std::vector<Part> parts;  // one for each thread
  const std::function<void(std::size_t, std::size_t)>* work = nullptr;
  std::mutex caller_mutex;  // held by the caller for the length of a step

  // What a member polls.
  alignas(64) std::atomic<std::uint64_t> step{0};
  std::mutex sleep_mutex;  // of both condition variables; guards no data
  std::condition_variable wake;
  std::condition_variable finished;
  std::vector<std::thread> members;
  std::atomic<int> sleepers{0};
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stopping{false};
  // False where there are more threads than cores: a spinning one would be in the way of one that
  // works.
  const bool spins;
};

ThreadTeam::ThreadTeam(std::size_t threads) {
  if (threads < 1 || threads > kMaxThreads) {
    throw Error(ErrorCode::kInvalidArgument,
                "the number of threads must be from 1 to 256, not " + std::to_string(threads));
  }
  impl_ = std::make_unique<Impl>(threads);
}

ThreadTeam::~ThreadTeam() = default;

std::size_t ThreadTeam::size() const noexcept { return impl_->members.size() + 1; }

void ThreadTeam::For(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work) {
  if (count > 0) impl_->Run(count, work);
}

std::size_t AvailableCores() noexcept {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) {
    return static_cast<std::size_t>(std::max(CPU_COUNT(&cores), 1));
  }
  return std::max(std::thread::hardware_concurrency(), 1U);
}

}  // namespace sworn::llm
