#include "api/service/bench_llm.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "api/service/bench_model.h"
#include "api/service/kernel_choice.h"
#include "core/crypto.h"
#include "core/error.h"
#include "kernels/panels.h"
#include "kernels/probe.h"
#include "llm/embed/batching.h"
#include "llm/embed/decoder_embedder.h"
#include "llm/files/model_config.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/model.h"
#include "llm/graph/output_head.h"
#include "llm/graph/packed_memory.h"
#include "llm/graph/sequence_encoder.h"
#include "llm/graph/thread_team.h"
#include "llm/graph/transformer.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kMaxTokens = 32'768;
constexpr std::size_t kMaxRepeat = 100;
constexpr std::size_t kVerified = 6;
constexpr std::size_t kVerifyRuns = 12;
constexpr std::size_t kProbeRuns = 5;
constexpr std::uint64_t kProbeRounds = 20'000'000;
constexpr std::size_t kProbeBytes = std::size_t{256} << 20;  // for each thread: beyond any cache
constexpr std::uint64_t kWeightSeed = 20'26;

template <typename Work>
double TimeOf(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The most memory that this process ever had in use, mapped files included.
std::uint64_t VmHwmBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

void CheckRange(const char* name, std::size_t value, std::size_t low, std::size_t high) {
  if (value < low || value > high) {
    throw Error(
        ErrorCode::kInvalidArgument,
        std::string(name) + " must be from " + std::to_string(low) + " to " + std::to_string(high));
  }
}

// A file that is deleted at the end, unless it is somebody's.
class ModelOfRun {
 public:
  ModelOfRun(const BenchLlmRequest& request, const std::function<void(std::string_view)>& progress,
             const CancelFlag& cancel) {
    if (!request.model.empty()) {
      path_ = request.model;
      return;
    }
    const BenchShape shape = FindBenchShape(request.shape);
    own_ = request.write_model.empty();
    path_ = own_ ? fs::temp_directory_path() / ("sworn-bench-" + RandomBase32Id() + ".gguf")
                 : request.write_model;
    progress("writing random weights");
    FileOps ops;
    WriteBenchModel(shape, ParseBenchHead(request.head), kWeightSeed, path_, ops, cancel);
  }
  ~ModelOfRun() {
    std::error_code ignored;
    if (own_) fs::remove(path_, ignored);
  }
  ModelOfRun(const ModelOfRun&) = delete;
  ModelOfRun& operator=(const ModelOfRun&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool own_ = false;
};

// Tokens that mean nothing, the same in every run.
std::vector<llm::Token> BenchTokens(const llm::Model& model, std::size_t count) {
  std::vector<llm::Token> tokens;
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    tokens.push_back(static_cast<llm::Token>((state >> 33U) % model.config().vocabulary));
  }
  return tokens;
}

// The model at work, as a generation without text, sampling and drafts.
class Runner {
 public:
  Runner(const llm::Model& model, llm::ThreadTeam& team, const CancelFlag& cancel)
      : model_(model), team_(team), cancel_(cancel), transformer_(model, team) {}

  double PrefillSeconds(std::size_t count) {
    const std::vector<llm::Token> tokens = BenchTokens(model_, count);
    llm::KvCache cache(model_.config(), count);
    return TimeOf([&] { (void)Next(tokens, 1, cache); });
  }

  double DecodeSeconds(std::size_t count) {
    llm::KvCache cache(model_.config(), count + 1);
    llm::Token token = Next(BenchTokens(model_, 1), 1, cache).back();
    return TimeOf([&] {
      for (std::size_t i = 0; i < count; ++i) token = Next(std::vector{token}, 1, cache).back();
    });
  }

  /// Median seconds of `count` positions behind `behind` others.
  void VerifySeconds(std::size_t behind, double& one, double& several) {
    llm::KvCache cache(model_.config(), behind + kVerified);
    const std::vector<llm::Token> tokens = BenchTokens(model_, behind + kVerified);
    const std::span<const llm::Token> all(tokens);
    (void)Next(all.first(behind), 1, cache);
    std::vector<double> ones;
    std::vector<double> severals;
    // In turns, so that a change of the machine's speed meets both.
    for (std::size_t run = 0; run < kVerifyRuns; ++run) {
      ones.push_back(TimeOf([&] { (void)Next(all.subspan(behind, 1), 1, cache); }));
      cache.Truncate(behind);
      severals.push_back(
          TimeOf([&] { (void)Next(all.subspan(behind, kVerified), kVerified, cache); }));
      cache.Truncate(behind);
    }
    one = Median(std::move(ones));
    several = Median(std::move(severals));
  }

 private:
  // The best token behind each of the last `want` positions.
  std::vector<llm::Token> Next(std::span<const llm::Token> tokens, std::size_t want,
                               llm::KvCache& cache) {
    const auto hidden = transformer_.Forward(tokens, want, cache, cancel_);
    std::vector<llm::Token> next;
    for (const auto& best : model_.head().Best(hidden, want, 1, team_)) {
      next.push_back(best.front().token);
    }
    return next;
  }

  const llm::Model& model_;
  llm::ThreadTeam& team_;
  const CancelFlag& cancel_;
  llm::Transformer transformer_;
};

// Bytes of weights and cache that writing one token reads, `length` positions in.
double BytesOfToken(const llm::Model& model, std::size_t length) {
  const llm::ModelConfig& config = model.config();
  const auto matrix = [](std::size_t rows, std::size_t columns) {
    const std::size_t panels = kernels::PaddedRows(rows) / kernels::kPanelRows;
    return static_cast<double>(panels * kernels::TernaryPanelBytes(columns));
  };
  const double layer = matrix(config.attention_width(), config.hidden) +
                       2 * matrix(config.kv_width(), config.hidden) +
                       matrix(config.hidden, config.attention_width()) +
                       2 * matrix(config.ffn, config.hidden) + matrix(config.hidden, config.ffn);
  const double cache = 2.0 * static_cast<double>(config.kv_width() * length) * 2;
  return static_cast<double>(config.layers) * (layer + cache) +
         static_cast<double>(model.head().coarse_bytes());
}

double ProductsOfToken(const llm::ModelConfig& config) {
  const std::size_t layer =
      config.hidden * (2 * config.attention_width() + 2 * config.kv_width() + 3 * config.ffn);
  return static_cast<double>(config.layers) * static_cast<double>(layer);
}

std::optional<double> IntegerPeak(std::string_view kernels, llm::ThreadTeam& team) {
  if (kernels::ProbeIntegerProducts(kernels, 1) == 0) return std::nullopt;
  double best = 0;
  std::vector<std::uint64_t> products(team.size());
  for (std::size_t run = 0; run < kProbeRuns; ++run) {
    const double seconds = TimeOf([&] {
      team.For(team.size(), [&](std::size_t index, std::size_t /*thread*/) {
        products[index] = kernels::ProbeIntegerProducts(kernels, kProbeRounds);
      });
    });
    double sum = 0;
    for (const std::uint64_t one : products) sum += static_cast<double>(one);
    best = std::max(best, sum / seconds);
  }
  return best;
}

double ReadBandwidth(llm::ThreadTeam& team) {
  const std::size_t size = team.size() * kProbeBytes;
  const llm::PackedMemory memory(size);  // as the weights have
  std::memset(memory.data(), 1, size);   // pages of zeros would be one and the same
  std::vector<std::uint64_t> digests(team.size());
  double best = 0;
  for (std::size_t run = 0; run < kProbeRuns; ++run) {
    const double seconds = TimeOf([&] {
      team.For(team.size(), [&](std::size_t index, std::size_t /*thread*/) {
        digests[index] = kernels::ProbeRead({memory.data() + index * kProbeBytes, kProbeBytes});
      });
    });
    for (const std::uint64_t digest : digests) {
      if (digest != 0) throw Error(ErrorCode::kInternal, "the memory does not hold");
    }
    best = std::max(best, static_cast<double>(size) / seconds);
  }
  return best;
}

bool IsOptimised() {
#if defined(__OPTIMIZE__) && defined(NDEBUG)
  return true;
#else
  return false;
#endif
}

void MeasureWriting(const llm::Model& model, llm::ThreadTeam& team, const BenchLlmRequest& request,
                    const std::function<void(std::string_view)>& progress, const CancelFlag& cancel,
                    BenchLlmReport& report) {
  const std::size_t longest = std::max(request.prompt, request.generate + 1);
  CheckRange("--prompt and --generate", longest, 1, model.config().context);
  Runner runner(model, team, cancel);
  std::vector<double> prefill;
  std::vector<double> decode;
  for (std::size_t run = 0; run < request.repeat; ++run) {
    progress("run " + std::to_string(run + 1) + " of " + std::to_string(request.repeat));
    prefill.push_back(runner.PrefillSeconds(request.prompt));
    decode.push_back(runner.DecodeSeconds(request.generate));
  }
  report.prefill_tokens_per_s = static_cast<double>(request.prompt) / Median(prefill);
  report.decode_tokens_per_s = static_cast<double>(request.generate) / Median(decode);
  double one = 0;
  double several = 0;
  runner.VerifySeconds(std::min(request.generate, model.config().context - kVerified), one,
                       several);
  report.verify6_cost_ratio = several / one;
}

// As DecoderEmbedder packs them, without text.
void MeasureEmbedding(const llm::Model& model, llm::ThreadTeam& team,
                      const BenchLlmRequest& request,
                      const std::function<void(std::string_view)>& progress,
                      const CancelFlag& cancel, BenchLlmReport& report) {
  const std::size_t tokens = std::min(kBenchPassageTokens, model.config().context);
  const std::vector<llm::Token> all = BenchTokens(model, kBenchPassages * tokens);
  const auto batches =
      llm::PackBatches(std::vector<std::size_t>(kBenchPassages, tokens), llm::kEmbedBatchTokens);
  llm::SequenceEncoder encoder(model, team, std::max(llm::kEmbedBatchTokens, tokens));
  std::vector<double> seconds;
  for (std::size_t run = 0; run < request.repeat; ++run) {
    progress("run " + std::to_string(run + 1) + " of " + std::to_string(request.repeat));
    seconds.push_back(TimeOf([&] {
      for (const std::vector<std::size_t>& batch : batches) {
        std::vector<std::span<const llm::Token>> passages;
        for (const std::size_t passage : batch) {
          passages.push_back(std::span(all).subspan(passage * tokens, tokens));
        }
        (void)encoder.LastStates(passages, cancel);
      }
    }));
  }
  report.embed_tokens_per_s = static_cast<double>(all.size()) / Median(seconds);
}

}  // namespace

BenchLlmReport BenchLlm(const Config& config, const BenchLlmRequest& request,
                        const std::function<void(std::string_view)>& progress,
                        const CancelFlag& cancel) {
  CheckRange("--prompt", request.prompt, 1, kMaxTokens);
  CheckRange("--generate", request.generate, 1, kMaxTokens);
  CheckRange("--repeat", request.repeat, 1, kMaxRepeat);
  const kernels::KernelTable& kernels = ChooseKernels(config);
  const ModelOfRun file(request, progress, cancel);
  llm::ThreadTeam team(ChooseThreads(config));
  BenchLlmReport report;
  report.shape = request.model.empty() ? request.shape : request.model.filename().native();
  report.prompt = request.prompt;
  report.generate = request.generate;
  report.repeat = request.repeat;
  report.threads = team.size();
  report.kernels = kernels.name;
  report.optimised = IsOptimised();

  progress("loading");
  std::unique_ptr<llm::ModelFile> opened = llm::OpenModelFile(file.path());
  const bool embeds = llm::ReadModelConfig(*opened).embeds;
  std::shared_ptr<const llm::Model> model;
  report.load_s = TimeOf([&] {
    model = llm::Model::Load(std::move(opened), kernels, team,
                             embeds ? llm::Purpose::kEmbed : llm::Purpose::kGenerate);
  });
  if (embeds) {
    MeasureEmbedding(*model, team, request, progress, cancel, report);
  } else {
    MeasureWriting(*model, team, request, progress, cancel, report);
  }
  report.vm_hwm_bytes = VmHwmBytes();

  progress("measuring the machine");
  report.integer_peak_per_s = IntegerPeak(kernels.name, team);
  report.bandwidth_bytes_per_s = ReadBandwidth(team);
  if (!model->config().ternary) return report;
  const auto read = embeds ? report.embed_tokens_per_s : report.prefill_tokens_per_s;
  if (report.integer_peak_per_s) {
    report.vnni_peak_share = *read * ProductsOfToken(model->config()) / *report.integer_peak_per_s;
  }
  if (report.decode_tokens_per_s) {
    report.bandwidth_share = *report.decode_tokens_per_s *
                             BytesOfToken(*model, request.generate / 2) /
                             report.bandwidth_bytes_per_s;
  }
  return report;
}

nlohmann::json ToJson(const BenchLlmReport& report) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
  };
  return {{"shape", report.shape},
          {"prompt", report.prompt},
          {"generate", report.generate},
          {"repeat", report.repeat},
          {"threads", report.threads},
          {"kernels", report.kernels},
          {"optimised", report.optimised},
          {"prefill_tokens_per_s", or_null(report.prefill_tokens_per_s)},
          {"decode_tokens_per_s", or_null(report.decode_tokens_per_s)},
          {"embed_tokens_per_s", or_null(report.embed_tokens_per_s)},
          {"verify6_cost_ratio", or_null(report.verify6_cost_ratio)},
          {"vnni_peak_share", or_null(report.vnni_peak_share)},
          {"bandwidth_share", or_null(report.bandwidth_share)},
          {"integer_peak_per_s", or_null(report.integer_peak_per_s)},
          {"bandwidth_bytes_per_s", report.bandwidth_bytes_per_s},
          {"load_s", report.load_s},
          {"vm_hwm_bytes", report.vm_hwm_bytes}};
}

}  // namespace sworn::service
