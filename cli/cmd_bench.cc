#include <array>
#include <cstdio>

#include "api/service/bench_llm.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/signals.h"

namespace sworn::cli {
namespace {

std::string Number(const char* format, double value) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, value);
  return std::string(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

void PrintReport(Console& console, const service::BenchLlmReport& report) {
  constexpr double kGiga = 1e9;
  constexpr double kPercent = 100;
  std::string peak = "unknown for these kernels";
  if (report.integer_peak_per_s) {
    peak = Number("%.0f", *report.integer_peak_per_s / kGiga) + " GMAC/s";
    if (report.vnni_peak_share) {
      peak += (report.embed_tokens_per_s ? ", embedding reaches " : ", prefill reaches ") +
              Number("%.1f", *report.vnni_peak_share * kPercent) + " %";
    }
  }
  const auto number = [](const char* format, const std::optional<double>& value) {
    return Number(format, value.value_or(0));
  };
  std::vector<std::pair<std::string, std::string>> fields = {
      {"Model", report.shape},
      {"Kernels", report.kernels + ", " + std::to_string(report.threads) + " threads"}};
  if (report.embed_tokens_per_s) {
    fields.emplace_back("Embedding", number("%.1f", report.embed_tokens_per_s) +
                                         " tokens/s (passages of " +
                                         WithThousands(service::kBenchPassageTokens) + ")");
  } else {
    fields.emplace_back("Prefill", number("%.1f", report.prefill_tokens_per_s) + " tokens/s (" +
                                       WithThousands(report.prompt) + " tokens)");
    fields.emplace_back("Decode", number("%.1f", report.decode_tokens_per_s) + " tokens/s (" +
                                      WithThousands(report.generate) + " tokens)");
    fields.emplace_back("Verifying 6",
                        number("%.2f", report.verify6_cost_ratio) + " times the cost of 1");
  }
  std::string memory = Number("%.1f", report.bandwidth_bytes_per_s / kGiga) + " GB/s";
  if (report.bandwidth_share) {
    memory += ", decode reaches " + Number("%.1f", *report.bandwidth_share * kPercent) + " %";
  }
  fields.emplace_back("Integer peak", peak);
  fields.emplace_back("Memory", memory);
  fields.emplace_back("Load", Number("%.2f", report.load_s) + " s");
  fields.emplace_back("Peak memory", ByteSize(report.vm_hwm_bytes));
  PrintFields(console, fields);
  if (!report.optimised) {
    PrintNote(console, "This build has assertions or no optimisation: the figures mean little.");
  }
}

}  // namespace

int RunBenchLlm(const BenchLlmCommand& command, Session& session) {
  const CancelOnSignal stop(session.cancel);
  Console& console = session.console;
  service::Config config = session.config;
  config.threads = command.threads.value_or(config.threads);
  service::ValidateConfig(config);
  const service::BenchLlmReport report = service::BenchLlm(
      config, command.request,
      [&console](std::string_view what) {
        if (console.verbose) PrintNote(console, std::string(what));
      },
      session.cancel);
  if (console.json) {
    PrintJson(console.out, service::ToJson(report));
  } else {
    PrintReport(console, report);
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
