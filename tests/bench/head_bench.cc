// The output head on random weights: all logits from the F16 matrix beside the exact best ones by
// way of the coarse copy, in turns.
//
//   head_bench [--rows N] [--columns N] [--threads N] [--rounds N]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "kernels/kernels.h"
#include "llm/files/dequantize.h"
#include "llm/files/gguf_writer.h"
#include "llm/graph/coarse_matrix.h"
#include "llm/graph/head_search.h"
#include "llm/graph/output_head.h"
#include "llm/graph/thread_team.h"
#include "tests/support/temp_folder.h"

namespace sworn::llm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kStates = 8;    // different hidden states, used in turn
constexpr std::size_t kTogether = 6;  // hidden states of one call
constexpr std::size_t kQuantiles = 65'536;

struct Settings {
  std::size_t rows = 128'256;
  std::size_t columns = 2'560;
  std::size_t threads = AvailableCores();
  std::size_t rounds = 15;
};

Settings Parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::size_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--rows") settings.rows = value;
    if (name == "--columns") settings.columns = value;
    if (name == "--threads") settings.threads = value;
    if (name == "--rounds") settings.rounds = value;
  }
  return settings;
}

// Normally distributed halves, from equally probable values.
std::vector<std::uint16_t> NormalHalves(const kernels::KernelTable& kernels) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.02F);
  std::vector<float> values(kQuantiles);
  for (float& value : values) value = normal(random);
  std::vector<std::uint16_t> halves(kQuantiles);
  kernels.narrow_f16(values.data(), kQuantiles, halves.data());
  return halves;
}

std::unique_ptr<ModelFile> WriteMatrix(const test::TempFolder& folder, const Settings& settings,
                                       const kernels::KernelTable& kernels) {
  const std::vector<std::uint16_t> halves = NormalHalves(kernels);
  FileOps ops;
  GgufWriter writer(folder.path() / "head.gguf", ops);
  writer.Set("general.architecture", std::string("llama"));
  writer.AddTensor("output.weight", DType::kF16, {settings.rows, settings.columns});
  std::mt19937_64 random(2);
  std::vector<std::uint16_t> row(settings.columns);
  for (std::size_t r = 0; r < settings.rows; ++r) {
    std::uint64_t bits = 0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      bits = c % 4 == 0 ? random() : bits >> 16U;
      row[c] = halves[bits % kQuantiles];
    }
    writer.Append({reinterpret_cast<const std::uint8_t*>(row.data()), 2 * row.size()});
  }
  writer.Finish();
  return OpenModelFile(folder.path() / "head.gguf");
}

// One hidden state that no row fits and one that a row fits well, as a trained model's do.
struct States {
  std::vector<float> random;  // [kStates + kTogether, columns]
  std::vector<float> peaked;
};

States MakeStates(const TensorView& matrix, const kernels::KernelTable& kernels) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  States states;
  std::vector<float> row(matrix.columns());
  for (std::size_t t = 0; t < kStates + kTogether; ++t) {
    WidenRow(matrix, random() % matrix.rows(), kernels, row.data());
    for (const float weight : row) {
      const float x = normal(random);
      states.random.push_back(x);
      states.peaked.push_back(x + 10 * weight);  // a logit of 10 standard deviations
    }
  }
  return states;
}

struct Case {
  std::string name;
  std::function<SearchCounts(std::size_t round)> run;
  bool all = false;
  std::vector<double> seconds;
  SearchCounts counts;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Run(const Settings& settings) {
  const kernels::KernelTable& kernels = *kernels::FindKernels("");
  const test::TempFolder folder;
  const std::unique_ptr<ModelFile> file = WriteMatrix(folder, settings, kernels);
  const TensorView& matrix = *file->Find("output.weight");
  ThreadTeam team(settings.threads);
  const auto start = Clock::now();
  const OutputHead head(*file, matrix, kernels, team);
  const double load = std::chrono::duration<double>(Clock::now() - start).count();
  const CoarseMatrix coarse(*file, matrix, kernels, team);
  std::printf(
      "%zu x %zu F16, table %s, %zu threads; coarse copy %.1f MB (%.1f %% of F16), made in "
      "%.2f s\n",
      matrix.rows(), matrix.columns(), std::string(kernels.name).c_str(), team.size(),
      static_cast<double>(coarse.bytes()) / 1e6,
      100.0 * static_cast<double>(coarse.bytes()) / static_cast<double>(matrix.bytes.size()), load);

  const States states = MakeStates(matrix, kernels);
  std::vector<float> logits(kTogether * matrix.rows());
  const auto search = [&](const std::vector<float>& from, std::size_t rows, std::size_t count) {
    return [&, rows, count](std::size_t round) {
      const auto hidden =
          std::span(from).subspan(round % kStates * matrix.columns(), rows * matrix.columns());
      HeadSearch one(*file, matrix, kernels, coarse, hidden, rows, count, team);
      one.Run();
      return one.counts();
    };
  };
  const auto all = [&](std::size_t rows) {
    return [&, rows](std::size_t round) {
      head.Logits(std::span(states.random)
                      .subspan(round % kStates * matrix.columns(), rows * matrix.columns()),
                  rows, team, logits.data());
      return SearchCounts{};
    };
  };
  std::vector<Case> cases;
  cases.push_back({"all logits", all(1), true, {}, {}});
  cases.push_back({"all logits, 6 states", all(kTogether), true, {}, {}});
  for (const bool peaked : {false, true}) {
    const std::string kind = peaked ? ", peaked" : ", random";
    const std::vector<float>& from = peaked ? states.peaked : states.random;
    cases.push_back({"best 1" + kind, search(from, 1, 1), false, {}, {}});
    cases.push_back({"best 40" + kind, search(from, 1, 40), false, {}, {}});
    cases.push_back({"best 1, 6 states" + kind, search(from, kTogether, 1), false, {}, {}});
    cases.push_back({"best 40, 6 states" + kind, search(from, kTogether, 40), false, {}, {}});
  }
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    for (Case& one : cases) {
      const auto begin = Clock::now();
      one.counts = one.run(round);
      one.seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
  }

  std::printf("%-28s %9s %9s %9s %7s %11s %11s\n", "", "median ms", "MB read", "GB/s", "of F16",
              "low planes", "exact rows");
  const auto matrix_bytes = static_cast<double>(matrix.bytes.size());
  const double row_bytes = matrix_bytes / static_cast<double>(matrix.rows());
  const double baseline = Median(cases.front().seconds);
  for (const Case& one : cases) {
    const double seconds = Median(one.seconds);
    // The low plane is a third of the two planes, and nearly of the whole panel.
    const double skipped = static_cast<double>(one.counts.panels - one.counts.low_planes) *
                           static_cast<double>(coarse.blocks()) * 256;
    const double bytes = one.all ? matrix_bytes
                                 : static_cast<double>(coarse.bytes()) - skipped +
                                       static_cast<double>(one.counts.exact_rows) * row_bytes;
    std::printf("%-28s %9.2f %9.1f %9.1f %6.2fx", one.name.c_str(), 1e3 * seconds, bytes / 1e6,
                bytes / 1e9 / seconds, seconds / baseline);
    if (one.all) {
      std::printf("\n");
    } else {
      std::printf(" %10.1f%% %11zu\n",
                  100.0 * static_cast<double>(one.counts.low_planes) /
                      static_cast<double>(one.counts.panels),
                  one.counts.exact_rows);
    }
  }
  return 0;
}

}  // namespace
}  // namespace sworn::llm

int main(int argc, char** argv) { return sworn::llm::Run(sworn::llm::Parse(argc, argv)); }
