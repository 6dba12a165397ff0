// Fitting a latent semantic space to made-up passages: seconds, resident memory, size of the state,
// and what embedding a passage costs. docs/benchmarks.md holds the figures.
//
//   lsa_bench [PASSAGES] [THREADS]      50000 2
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "core/text/analyzer.h"
#include "llm/embed/lsa.h"
#include "tests/bench/corpus.h"

namespace sworn::bench {
namespace {

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double PeakMegabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int Run(std::size_t passages, std::size_t threads) {
  constexpr std::size_t kPassageBytes = 1000;
  CorpusWriter corpus({.bytes_per_file = kPassageBytes});
  text::Analyzer analyzer;
  TermRows rows;
  for (std::size_t i = 0; i < passages; ++i) {
    std::vector<TermCount> row;
    const std::string text = corpus.Text().substr(0, kPassageBytes);
    for (const auto& posting : analyzer.AnalyzePassage({"", "", text, "en"})) {
      row.push_back({TermKeyOf(posting.term), posting.wdf});
    }
    rows.Add(std::move(row));
  }
  std::printf("%zu passages, %zu counts, %.0f MB resident before\n", rows.size(),
              rows.counts().size(), PeakMegabytes());
  const llm::LsaFactory factory(threads);
  const double begin = Seconds();
  const auto state = factory.Fit(rows, 1);
  if (!state) return 1;
  std::printf("fit on %zu threads: %.2f s, peak %.0f MB, state %.1f MB\n", threads,
              Seconds() - begin, PeakMegabytes(), static_cast<double>(state->size()) / 1e6);
  const auto embedder = factory.Load(*state);
  const double embed = Seconds();
  const std::vector<float> vectors = embedder->Embed(rows);
  std::printf("embed: %.1f us a passage (%zu floats)\n",
              (Seconds() - embed) * 1e6 / static_cast<double>(rows.size()), vectors.size());
  return 0;
}

}  // namespace
}  // namespace sworn::bench

int main(int argc, char** argv) {
  const std::size_t passages = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 50000;
  const std::size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
  return sworn::bench::Run(passages, threads);
}
