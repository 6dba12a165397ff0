// Speed of the ternary products of every kernel table that runs here, beside what the machine can
// do at most: the table's own multiplication on registers, and reading memory. The weights are a
// buffer much larger than the caches, on huge pages, and are streamed as a model's are. Each round
// measures the limits and the kernel one after the other, with all threads starting together;
// medians of the rounds are printed, and the shares are of these medians.
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <new>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "kernels/panels.h"
#include "kernels/probe.h"

namespace sworn::bench {
namespace {

constexpr int kRounds = 15;
constexpr double kSliceSeconds = 0.008;          // about, for one measurement
constexpr std::size_t kReadBytes = 64UL << 20U;  // of one measurement, for each thread
constexpr std::size_t kHugePage = 2UL << 20U;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds until all of `threads` calls work(thread) are done.
double Seconds(std::size_t threads, const std::function<void(std::size_t)>& work) {
  using Clock = std::chrono::steady_clock;
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  Clock::time_point start;
  std::vector<std::jthread> others;
  for (std::size_t thread = 1; thread < threads; ++thread) {
    others.emplace_back([&, thread] {
      together.arrive_and_wait();
      work(thread);
    });
  }
  together.arrive_and_wait();
  start = Clock::now();
  work(0);
  others.clear();  // joins
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Packed ternary weights, random but valid.
class WeightBuffer {
 public:
  WeightBuffer() {
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    const std::size_t wanted =
        std::max(4 * static_cast<std::size_t>(std::max(cache, 0L)), std::size_t{512} << 20U);
    size_ = wanted / kHugePage * kHugePage;
    mapped_ = size_ + kHugePage;
    mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) throw std::bad_alloc();
    madvise(mapping_, mapped_, MADV_HUGEPAGE);
    auto* const bytes = static_cast<std::uint8_t*>(mapping_);
    data_ = bytes + (kHugePage - reinterpret_cast<std::uintptr_t>(bytes) % kHugePage) % kHugePage;
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < kHugePage; i += sizeof(std::uint64_t)) {
      constexpr std::uint64_t kLowBits = 0x5555555555555555;
      const std::uint64_t bits = random();
      const std::uint64_t codes = bits & ~((bits & kLowBits) << 1U);  // no code 3
      std::memcpy(data_ + i, &codes, sizeof codes);
    }
    for (std::size_t i = kHugePage; i < size_; i += kHugePage) {
      std::memcpy(data_ + i, data_, kHugePage);
    }
  }
  WeightBuffer(const WeightBuffer&) = delete;
  WeightBuffer& operator=(const WeightBuffer&) = delete;
  ~WeightBuffer() { munmap(mapping_, mapped_); }

  /// The next `bytes` that no caller had for longest; `bytes` at most a fraction of the buffer.
  std::span<const std::uint8_t> Next(std::size_t bytes) {
    if (next_ + bytes > size_) next_ = 0;
    const std::span<const std::uint8_t> part{data_ + next_, bytes};
    next_ += (bytes + 63) / 64 * 64;
    return part;
  }
  std::size_t size() const { return size_; }

 private:
  void* mapping_;
  std::size_t mapped_;
  std::uint8_t* data_;
  std::size_t size_;
  std::size_t next_ = 0;
};

struct Case {
  const kernels::KernelTable& table;
  std::size_t columns;
  std::size_t tokens;
  std::size_t threads;
};

class KernelRun {
 public:
  KernelRun(const Case& run, WeightBuffer& weights)
      : case_(run),
        weights_(weights),
        panel_bytes_(kernels::TernaryPanelBytes(run.columns)),
        x_(run.tokens * run.columns),
        sums_(run.tokens),
        out_(run.threads, std::vector<std::int32_t>(run.tokens * kernels::kPanelRows)) {
    std::mt19937 random(2);
    for (std::size_t i = 0; i < x_.size(); ++i) {
      x_[i] = static_cast<std::int8_t>(random());
      sums_[i / run.columns] += x_[i];
    }
    const std::size_t most = weights.size() / 4 / panel_bytes_ / run.threads;
    const double seconds = Measure(1);
    panels_ = std::clamp(static_cast<std::size_t>(kSliceSeconds / seconds), std::size_t{1}, most);
  }

  /// Seconds for one panel of each thread.
  double Seconds() { return Measure(panels_); }
  double Macs() const {
    return static_cast<double>(case_.columns * case_.tokens * kernels::kPanelRows * case_.threads);
  }
  double Bytes() const { return static_cast<double>(panel_bytes_ * case_.threads); }

 private:
  double Measure(std::size_t panels) {
    const auto part = weights_.Next(panels * case_.threads * panel_bytes_);
    const double seconds = bench::Seconds(case_.threads, [&](std::size_t thread) {
      const std::uint8_t* panel = part.data() + thread * panels * panel_bytes_;
      for (std::size_t i = 0; i < panels; ++i) {
        case_.table.ternary_panel(panel, case_.columns, x_.data(), case_.columns, sums_.data(),
                                  case_.tokens, out_[thread].data());
        panel += panel_bytes_;
      }
    });
    return seconds / static_cast<double>(panels);
  }

  Case case_;
  WeightBuffer& weights_;
  std::size_t panel_bytes_;
  std::size_t panels_ = 1;
  std::vector<std::int8_t> x_;
  std::vector<std::int32_t> sums_;
  std::vector<std::vector<std::int32_t>> out_;
};

double ReadRate(std::size_t threads, WeightBuffer& weights) {
  const auto part = weights.Next(kReadBytes * threads);
  std::vector<std::uint64_t> digests(threads);
  const double seconds = Seconds(threads, [&](std::size_t thread) {
    digests[thread] = kernels::ProbeRead(part.subspan(thread * kReadBytes, kReadBytes));
  });
  std::uint64_t all = 0;
  for (const std::uint64_t digest : digests) all ^= digest;
  volatile std::uint64_t keep = all;
  static_cast<void>(keep);
  return static_cast<double>(part.size()) / seconds;
}

class PeakRun {
 public:
  PeakRun(std::string_view table, std::size_t threads) : table_(table), threads_(threads) {
    constexpr std::size_t kTrial = 10'000;
    const auto macs = static_cast<double>(kernels::ProbeIntegerProducts(table, kTrial));
    const double rate = Rate(kTrial);
    if (rate > 0) {
      const double rounds = kTrial * kSliceSeconds * rate / macs / static_cast<double>(threads);
      rounds_ = static_cast<std::size_t>(rounds) + 1;
    }
  }
  /// Multiplications per second of all threads.
  double Rate() const { return Rate(rounds_); }

 private:
  double Rate(std::size_t rounds) const {
    std::vector<double> done(threads_);
    const double seconds = Seconds(threads_, [&](std::size_t thread) {
      done[thread] = static_cast<double>(kernels::ProbeIntegerProducts(table_, rounds));
    });
    double all = 0;
    for (const double part : done) all += part;
    return all / seconds;
  }

  std::string_view table_;
  std::size_t threads_;
  std::size_t rounds_ = 1;
};

void Print(const Case& run, WeightBuffer& weights) {
  KernelRun kernel(run, weights);
  const PeakRun peak_run(run.table.name, run.threads);
  std::vector<double> seconds;
  std::vector<double> peaks;
  std::vector<double> reads;
  for (int round = 0; round < kRounds; ++round) {
    reads.push_back(ReadRate(run.threads, weights));
    peaks.push_back(peak_run.Rate());
    seconds.push_back(kernel.Seconds());
  }
  const double macs = kernel.Macs() / Median(seconds);
  const double bytes = kernel.Bytes() / Median(seconds);
  const double peak = Median(peaks);
  const double read = Median(reads);
  const std::string share = peak > 0 ? std::to_string(std::lround(100 * macs / peak)) + " %" : "-";
  std::printf("%-10s  %7zu  %7zu  %6zu  %8.1f  %8.1f  %6s  %6.2f  %6.2f  %4.0f %%\n",
              std::string(run.table.name).c_str(), run.threads, run.columns, run.tokens, macs / 1e9,
              peak / 1e9, share.c_str(), bytes / 1e9, read / 1e9, 100 * bytes / read);
  std::fflush(stdout);
}

void Run() {
#ifndef NDEBUG
  std::puts("Assertions are on: build the preset bench for figures that mean something.");
#endif
  WeightBuffer weights;
  const std::size_t all_threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::size_t> thread_counts = {1};
  if (all_threads > 1) thread_counts.push_back(all_threads);
  std::printf("weights: %zu MiB streamed; medians of %d rounds\n", weights.size() >> 20U, kRounds);
  std::puts(
      "table       threads  columns  tokens    GMAC/s  peak     share    GB/s    read   share");
  for (const kernels::KernelTable* table : kernels::RunnableKernels()) {
    for (const std::size_t threads : thread_counts) {
      for (const std::size_t columns : {2560U, 6912U}) {
        for (const std::size_t tokens : {1U, 6U, 384U}) {
          Print({*table, columns, tokens, threads}, weights);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sworn::bench

int main() { sworn::bench::Run(); }
