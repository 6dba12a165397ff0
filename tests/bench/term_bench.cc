// The forward index of 100,000 passages in eight segments: what it takes on disk, and what a
// question reads of it. Passages of about 70 distinct words by Zipf's law; fixed seed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <vector>

#include "store/term_file.h"
#include "store/term_weights.h"
#include "tests/support/temp_folder.h"

namespace sworn::store {
namespace {

constexpr ChunkId kPassages = 100'000;
constexpr double kWords = 300'000;
constexpr std::size_t kWordsAPassage = 90;  // some twice, which leaves about 70
constexpr int kSegments = 8;                // each half as large as the one before
constexpr int kRounds = 301;

std::vector<TermCount> MadeUpRow(std::mt19937_64& random) {
  std::vector<TermCount> row;
  for (std::size_t i = 0; i < kWordsAPassage; ++i) {
    const double uniform = static_cast<double>(random() >> 11U) * 0x1p-53;
    const auto word = static_cast<std::uint64_t>(std::exp(uniform * std::log(kWords)));
    row.push_back({word * 0x9E3779B97F4A7C15U, 1});
  }
  return row;
}

void Report(const char* name, int rounds, const std::function<double()>& run) {
  std::vector<double> millis;
  double check = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    check += run();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    millis.push_back(took.count());
  }
  std::sort(millis.begin(), millis.end());
  std::printf("%-34s %8.3f ms  (%.3f to %.3f)  check %g\n", name, millis[millis.size() / 2],
              millis.front(), millis.back(), check / rounds);
}

void Run() {
  const test::TempFolder folder;
  FileOps ops;
  std::mt19937_64 random{1};
  std::vector<TermFile> files;
  std::uintmax_t bytes = 0;
  std::size_t entries = 0;
  ChunkId id = 1;
  for (int segment = 0; segment < kSegments; ++segment) {
    const ChunkId end = segment + 1 == kSegments ? kPassages + 1 : id + (kPassages + 1 - id) / 2;
    std::vector<ChunkId> ids;
    TermRows rows;
    for (; id < end; ++id) {
      ids.push_back(id);
      rows.Add(MadeUpRow(random));
    }
    const auto path = folder.path() / ("terms" + std::to_string(segment));
    WriteTermFile(ops, path, ids, rows);
    bytes += std::filesystem::file_size(path);
    entries += rows.counts().size();
    files.emplace_back(path);
  }
  std::printf("%u passages of %.1f terms, %.1f MB in %d segments\n", kPassages,
              static_cast<double>(entries) / kPassages, static_cast<double>(bytes) / 1e6,
              kSegments);

  TermRows loaded;
  Report("300 rows", kRounds, [&] {
    loaded = {};
    for (int i = 0; i < 300; ++i) {
      const auto chunk = static_cast<ChunkId>(random() % kPassages + 1);
      for (const TermFile& file : files) {
        if (const auto row = file.FindRow(chunk)) loaded.Add(file.Read(*row));
      }
    }
    return static_cast<double>(loaded.counts().size());
  });
  std::vector<TermKey> terms;
  for (const TermCount& entry : loaded.counts()) terms.push_back(entry.term);
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  std::printf("%zu distinct terms in them\n", terms.size());
  std::vector<const TermFile*> sources;
  for (const TermFile& file : files) sources.push_back(&file);
  Report("table of weights, once a snapshot", 21,
         [&] { return TermWeights(sources).Of(terms.front()); });
  const TermWeights weights(sources);
  Report("weights of these terms", kRounds, [&] {
    double sum = 0;
    for (const TermKey term : terms) sum += weights.Of(term);
    return sum;
  });
  int written = 0;
  Report("merge to one segment", 5, [&] {
    const auto path = folder.path() / ("merged" + std::to_string(++written));
    MergeTermFiles(ops, path, sources, [](ChunkId) { return true; });
    return static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  });
  Report("open the merged one", 21,
         [&] { return static_cast<double>(TermFile(folder.path() / "merged1").keys().size()); });
}

}  // namespace
}  // namespace sworn::store

int main() { sworn::store::Run(); }
