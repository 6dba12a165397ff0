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
      peak += ", prefill reaches " + Number("%.1f", *report.vnni_peak_share * kPercent) + " %";
    }
  }
  PrintFields(
      console,
      {{"Model", report.shape},
       {"Kernels", report.kernels + ", " + std::to_string(report.threads) + " threads"},
       {"Prefill", Number("%.1f", report.prefill_tokens_per_s) + " tokens/s (" +
                       WithThousands(report.prompt) + " tokens)"},
       {"Decode", Number("%.1f", report.decode_tokens_per_s) + " tokens/s (" +
                      WithThousands(report.generate) + " tokens)"},
       {"Verifying 6", Number("%.2f", report.verify6_cost_ratio) + " times the cost of 1"},
       {"Integer peak", peak},
       {"Memory", Number("%.1f", report.bandwidth_bytes_per_s / kGiga) + " GB/s, decode reaches " +
                      Number("%.1f", report.bandwidth_share * kPercent) + " %"},
       {"Load", Number("%.2f", report.load_s) + " s"},
       {"Peak memory", ByteSize(report.vm_hwm_bytes)}});
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
