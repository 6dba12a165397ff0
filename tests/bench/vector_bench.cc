// Vector search on a mixture of Gaussians: the scan of all 8-bit codes and the probed lists through
// the store's own files, beside FAISS's exact search in memory. Medians of single queries with
// their spread, recall@10 against the exact search, and resident memory.
//
//   vector_bench [--rows N] [--dimension D] [--queries Q] [--threads T] [--folder DIR]
//
// Rows: 10,000 centres with components N(0, 1) each, rows = centre + sqrt(.3) N(0, 1), unit norm;
// seed 1, also of the queries, which are further rows of the same mixture.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <faiss/IndexFlat.h>
#include <malloc.h>
#include <omp.h>

#include "core/error.h"
#include "core/file.h"
#include "store/faiss_index.h"

namespace sworn::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kCentres = 10'000;
constexpr float kSpread = 0.3F;  // variance within a cluster
constexpr std::size_t kHits = 10;
constexpr int kRounds = 5;  // of all queries

struct Settings {
  std::size_t rows = 1'000'000;
  std::uint32_t dimension = 384;
  std::size_t queries = 100;
  std::size_t threads = 2;
  fs::path folder = fs::temp_directory_path();
};

double Ms(Clock::time_point since) {
  return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

/// A line of /proc/self/status in MiB: "VmRSS:", "RssAnon:", "VmHWM:".
double Memory(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stod(line.substr(name.size())) / 1024;
  }
  return 0;
}

class Mixture {
 public:
  explicit Mixture(std::uint32_t dimension)
      : dimension_(dimension), random_(kSeed), centres_(kCentres * dimension) {
    for (float& x : centres_) x = Normal();
  }

  std::vector<float> Rows(std::size_t count) {
    std::vector<float> values(count * dimension_);
    for (std::size_t i = 0; i < count; ++i) {
      const float* const centre = centres_.data() + random_() % kCentres * dimension_;
      float* const row = values.data() + i * dimension_;
      double norm = 0;
      for (std::size_t k = 0; k < dimension_; ++k) {
        row[k] = centre[k] + std::sqrt(kSpread) * Normal();
        norm += double{row[k]} * row[k];
      }
      for (std::size_t k = 0; k < dimension_; ++k) {
        row[k] = static_cast<float>(row[k] / std::sqrt(norm));
      }
    }
    return values;
  }

 private:
  float Normal() { return normal_(random_); }

  std::uint32_t dimension_;
  std::mt19937_64 random_;
  std::normal_distribution<float> normal_;
  std::vector<float> centres_;
};

struct Times {
  std::vector<double> ms;

  void Print(const char* name) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double share) {
      return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
    };
    std::printf("%-28s median %8.2f ms   p10 %8.2f   p90 %8.2f   p99 %8.2f\n", name, at(0.5),
                at(0.1), at(0.9), at(0.99));
    std::fflush(stdout);
  }
};

using Truth = std::vector<std::vector<ChunkId>>;

Truth ExactHits(const Settings& settings, const std::vector<float>& rows,
                const std::vector<float>& queries) {
  faiss::IndexFlatIP flat(settings.dimension);
  flat.add(static_cast<faiss::Index::idx_t>(settings.rows), rows.data());
  std::vector<float> scores(kHits);
  std::vector<faiss::Index::idx_t> labels(kHits);
  Times times;
  Truth truth;
  for (std::size_t q = 0; q < settings.queries; ++q) {
    const auto start = Clock::now();
    flat.search(1, queries.data() + q * settings.dimension, kHits, scores.data(), labels.data());
    times.ms.push_back(Ms(start));
    std::vector<ChunkId>& ids = truth.emplace_back();
    for (const auto label : labels) ids.push_back(static_cast<ChunkId>(label + 1));
  }
  times.Print("faiss::IndexFlatIP");
  return truth;
}

/// Searches a file in this process, from which the rows are gone.
void Measure(const char* name, const fs::path& path, const Settings& settings,
             const std::vector<float>& queries, const Truth& truth, bool scan_all) {
  const double before = Memory("VmRSS:");
  const store::VectorReader reader(path, settings.dimension);
  const store::VectorReader* const one = &reader;
  const auto any = [](ChunkId) { return true; };
  Times times;
  double found = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t q = 0; q < settings.queries; ++q) {
      const std::span query(queries.data() + q * settings.dimension, settings.dimension);
      const auto start = Clock::now();
      const auto hits = SearchVectorIndexes(std::span(&one, 1), query, kHits, any,
                                            {.threads = settings.threads, .scan_all = scan_all});
      if (round > 0) times.ms.push_back(Ms(start));  // the first one meets cold pages
      if (round > 0) continue;
      for (const ScoredChunk& hit : hits) {
        found += static_cast<double>(std::count(truth[q].begin(), truth[q].end(), hit.chunk_id));
      }
    }
  }
  times.Print(name);
  const store::VectorFileFacts& facts = reader.facts();
  std::printf(
      "  recall@10 %.4f   lists %u, probes %u (recall at build %.4f)   resident %.0f MiB "
      "(%.0f before)\n",
      found / static_cast<double>(kHits * settings.queries), facts.lists, facts.probes,
      facts.recall_at_10, Memory("VmRSS:"), before);
  std::fflush(stdout);
}

void Remove(const fs::path& path) {
  for (const char* extension : {".faiss", ".f32", ".json"}) {
    fs::remove(fs::path(path).replace_extension(extension));
  }
}

void Run(const Settings& settings) {
#ifndef NDEBUG
  std::puts("Assertions are on: build the preset bench for figures that mean something.");
#endif
  omp_set_num_threads(static_cast<int>(settings.threads));
  std::printf("%zu rows x %u, %zu queries, %zu threads, kernels %s, seed %llu\n", settings.rows,
              settings.dimension, settings.queries, settings.threads,
              std::string(kernels::FindKernels({})->name).c_str(),
              static_cast<unsigned long long>(kSeed));
  const fs::path flat = settings.folder / "vector_bench_flat.faiss";
  const fs::path lists = settings.folder / "vector_bench_lists.faiss";
  Remove(flat);
  Remove(lists);
  Mixture mixture(settings.dimension);
  Truth truth;
  std::vector<float> queries;
  {
    store::VectorRows rows{settings.dimension, {}, mixture.Rows(settings.rows)};
    queries = mixture.Rows(settings.queries);
    truth = ExactHits(settings, rows.values, queries);
    for (std::size_t i = 0; i < settings.rows; ++i) {
      rows.ids.push_back(static_cast<ChunkId>(i + 1));
    }
    FileOps files;
    auto start = Clock::now();
    WriteVectorFile(files, flat, rows, settings.rows);
    std::printf("flat file written in %.1f s\n", Ms(start) / 1'000);
    start = Clock::now();
    WriteVectorFile(files, lists, rows, 0);
    std::printf("lists trained and written in %.1f s\n", Ms(start) / 1'000);
  }
  ::malloc_trim(0);
  Measure("scan of all codes", flat, settings, queries, truth, true);
  Measure("probed lists", lists, settings, queries, truth, false);
  Remove(flat);
  Remove(lists);
}

std::size_t Number(std::string_view text) {
  std::size_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || value == 0) {
    throw Error(ErrorCode::kInvalidArgument, "no number above 0: " + std::string(text));
  }
  return value;
}

Settings Parse(std::span<char* const> arguments) {
  Settings settings;
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    const std::string_view value = arguments[i + 1];
    if (name == "--rows") {
      settings.rows = Number(value);
    } else if (name == "--dimension") {
      settings.dimension = static_cast<std::uint32_t>(Number(value));
    } else if (name == "--queries") {
      settings.queries = Number(value);
    } else if (name == "--threads") {
      settings.threads = Number(value);
    } else if (name == "--folder") {
      settings.folder = value;
    } else {
      throw Error(ErrorCode::kInvalidArgument, "no such option: " + std::string(name));
    }
  }
  return settings;
}

}  // namespace
}  // namespace sworn::bench

int main(int argc, char** argv) {
  try {
    sworn::bench::Run(sworn::bench::Parse({argv, static_cast<std::size_t>(argc)}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
