// How fast the engine is on this machine, beside what the machine can do at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "api/service/config.h"
#include "core/cancel.h"

namespace sworn::service {

struct BenchLlmRequest {
  std::string shape;                  // "2b-4t", "tiny", "270m" or "0.6b": random weights
  std::filesystem::path model;        // or this file; then `shape` is empty
  std::filesystem::path write_model;  // keeps the random model here; empty: it is deleted
  std::string head = "f16";           // or "q6_k", of a random model
  std::size_t prompt = 512;           // tokens read in one go
  std::size_t generate = 128;         // tokens written one by one
  std::size_t repeat = 3;             // medians of so many runs
};

struct BenchLlmReport {
  std::string shape;  // or the model's file name
  std::size_t prompt = 0;
  std::size_t generate = 0;
  std::size_t repeat = 0;
  std::size_t threads = 0;
  std::string kernels;
  bool optimised = false;  // built without assertions and with optimisation
  // Of a model that writes.
  std::optional<double> prefill_tokens_per_s;
  std::optional<double> decode_tokens_per_s;
  std::optional<double> verify6_cost_ratio;  // six positions at once over one
  // Of a model that embeds: passages of kBenchPassageTokens tokens, packed.
  std::optional<double> embed_tokens_per_s;
  double load_s = 0;
  std::uint64_t vm_hwm_bytes = 0;  // when the runs were done, before the machine was measured
  // Of the machine, in the same run; nothing where it cannot be told.
  std::optional<double> integer_peak_per_s;  // products of int8, all threads
  double bandwidth_bytes_per_s = 0;          // reading, all threads
  // Of prefill or embedding: products of the ternary layers alone.
  std::optional<double> vnni_peak_share;
  // Of decode: bytes of weights, coarse head and cache at half length.
  std::optional<double> bandwidth_share;
};

/// Tokens of a passage that is embedded, and passages of one run.
inline constexpr std::size_t kBenchPassageTokens = 200;
inline constexpr std::size_t kBenchPassages = 24;

/// Throws kInvalidArgument for numbers out of range, and what loading a model throws.
BenchLlmReport BenchLlm(const Config& config, const BenchLlmRequest& request,
                        const std::function<void(std::string_view)>& progress,
                        const CancelFlag& cancel);

nlohmann::json ToJson(const BenchLlmReport& report);

}  // namespace sworn::service
