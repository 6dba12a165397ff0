// Settings: one JSON file, overridden by the caller (command line, environment).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sworn::service {

/// Every member has the key of the same name in the JSON file; unknown keys are errors.
struct Config {
  std::filesystem::path kb;                     // the knowledge base's folder
  std::uint32_t workers = 0;                    // extraction processes; 0: one per core, at most 8
  std::uint64_t max_file_bytes = 256ULL << 20;  // larger files are failed: too large
  std::uint32_t max_pages = 5000;               // per document
  std::uint64_t max_inflated_bytes = 512ULL << 20;  // per archive-like document
  std::uint32_t extract_seconds = 60;               // wall clock per file
  std::uint64_t worker_memory_bytes = 2ULL << 30;   // address space of an extraction worker
  std::uint32_t chunk_bytes = 1000;                 // target size of a chunk
  std::uint32_t publish_seconds = 30;               // a running job publishes this often
  std::string model = "extractive";                 // who answers unless a question names another
  bool extractive_fallback = false;  // what the model leaves unanswered is answered in quotations
  std::uint32_t threads = 0;         // of a model; 0: one per core
  std::string kernels;               // name of the kernel table; empty: the best that runs here
  std::string model_base_url;        // where `model pull ID` looks; empty: nowhere
  std::uint64_t max_model_bytes = 64ULL << 30;  // of one download or import
  std::filesystem::path program =
      "/proc/self/exe";  // started as extraction worker; not in the file
};

/// Applies a JSON object to `config`; throws kInvalidArgument that names the key and what it may
/// hold.
void ApplyConfig(std::string_view json, Config& config);

/// Bounds and combinations of a complete Config; throws kInvalidArgument.
void ValidateConfig(const Config& config);

}  // namespace sworn::service
