#include "cli/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/suggest.h"
#include "core/error.h"
#include "core/file.h"

namespace sworn::cli {
namespace {

constexpr std::uint64_t kMaxConfigFileBytes = 1 << 20;
constexpr std::string_view kPrefix = "SWORN_";
constexpr std::string_view kTestPrefix = "SWORN_TEST_";

struct Variable {
  const char* name;
  const char* key;
};
constexpr std::array<Variable, 10> kNumberVariables = {{
    {"SWORN_WORKERS", "workers"},
    {"SWORN_MAX_FILE_BYTES", "max_file_bytes"},
    {"SWORN_MAX_PAGES", "max_pages"},
    {"SWORN_MAX_INFLATED_BYTES", "max_inflated_bytes"},
    {"SWORN_EXTRACT_SECONDS", "extract_seconds"},
    {"SWORN_WORKER_MEMORY_BYTES", "worker_memory_bytes"},
    {"SWORN_CHUNK_BYTES", "chunk_bytes"},
    {"SWORN_PUBLISH_SECONDS", "publish_seconds"},
    {"SWORN_THREADS", "threads"},
    {"SWORN_MAX_MODEL_BYTES", "max_model_bytes"},
}};
constexpr std::array<Variable, 3> kTextVariables = {{
    {"SWORN_MODEL", "model"},
    {"SWORN_KERNELS", "kernels"},
    {"SWORN_MODEL_BASE_URL", "model_base_url"},
}};
constexpr const char* kFallbackVariable = "SWORN_EXTRACTIVE_FALLBACK";  // 0 or 1

std::optional<std::string> Find(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

// A folder of the XDG base directory specification; empty when there is no home either.
std::filesystem::path XdgFolder(const Environment& environment, const std::string& variable,
                                const std::filesystem::path& below_home) {
  // The specification says that a relative path is to be ignored.
  if (const auto folder = Find(environment, variable); folder && folder->front() == '/') {
    return *folder;
  }
  const auto home = Find(environment, "HOME");
  return home ? std::filesystem::path(*home) / below_home : std::filesystem::path();
}

void RefuseUnknownVariables(const Environment& environment) {
  std::vector<std::string> known = {"SWORN_KB", "SWORN_CONFIG", "SWORN_SHARED_DATA"};
  for (const Variable& variable : kNumberVariables) known.emplace_back(variable.name);
  for (const Variable& variable : kTextVariables) known.emplace_back(variable.name);
  known.emplace_back(kFallbackVariable);
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix) || name.starts_with(kTestPrefix)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string message = "unknown environment variable '" + name + "'";
    if (const auto meant = Suggest(name, known)) message += ": did you mean '" + *meant + "'?";
    throw Error(ErrorCode::kInvalidArgument, message);
  }
}

std::uint64_t ParseNumber(const std::string& name, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kInvalidArgument, name + " must be a whole number, not '" + text + "'");
  }
  return value;
}

void ApplyEnvironment(const Environment& environment, service::Config& config) {
  nlohmann::json object = nlohmann::json::object();
  for (const Variable& variable : kNumberVariables) {
    if (const auto value = Find(environment, variable.name)) {
      object[variable.key] = ParseNumber(variable.name, *value);
    }
  }
  for (const Variable& variable : kTextVariables) {
    if (const auto value = Find(environment, variable.name)) object[variable.key] = *value;
  }
  if (const auto value = Find(environment, kFallbackVariable)) {
    object["extractive_fallback"] = ParseNumber(kFallbackVariable, *value) != 0;
  }
  // Bytes that are no UTF-8 become U+FFFD, which no model is called.
  const auto replace = nlohmann::json::error_handler_t::replace;
  service::ApplyConfig(object.dump(-1, ' ', false, replace), config);
  // Not through JSON: a path need not be UTF-8.
  if (const auto folder = Find(environment, "SWORN_KB")) config.kb = *folder;
}

void ApplyFile(const GlobalOptions& options, const Environment& environment,
               service::Config& config) {
  std::optional<std::string> file = options.config;
  if (!file) file = Find(environment, "SWORN_CONFIG");
  if (file) {
    service::ApplyConfig(ReadFile(*file, kMaxConfigFileBytes), config);
    return;
  }
  const auto folder = XdgFolder(environment, "XDG_CONFIG_HOME", ".config");
  if (folder.empty()) return;
  const auto usual = folder / "sworn" / "config.json";
  std::error_code ignored;
  if (std::filesystem::exists(usual, ignored)) {
    service::ApplyConfig(ReadFile(usual, kMaxConfigFileBytes), config);
  }
}

}  // namespace

Environment CurrentEnvironment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

service::Config LoadSettings(const GlobalOptions& options, const Environment& environment) {
  RefuseUnknownVariables(environment);
  service::Config config;
  ApplyFile(options, environment, config);
  ApplyEnvironment(environment, config);
  if (options.kb) config.kb = *options.kb;
  if (config.kb.empty()) {
    const auto folder = XdgFolder(environment, "XDG_DATA_HOME", ".local/share");
    if (folder.empty()) {
      throw Error(ErrorCode::kNotConfigured,
                  "no folder for the knowledge base: give --kb DIR or set SWORN_KB or HOME");
    }
    config.kb = folder / "sworn";
  }
  service::ValidateConfig(config);
  return config;
}

}  // namespace sworn::cli
