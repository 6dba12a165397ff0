#include "api/service/config.h"

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace sworn::service {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = 1 << 20;

[[noreturn]] void Refuse(const std::string& key, const std::string& wanted) {
  throw Error(ErrorCode::kInvalidArgument, "configuration: '" + key + "' must be " + wanted);
}

template <typename Integer>
Integer ReadInteger(const std::string& key, const json& value) {
  const auto max = std::numeric_limits<Integer>::max();
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > max) {
    Refuse(key, "a whole number from 0 to " + std::to_string(max));
  }
  return value.get<Integer>();
}

using Setter = std::function<void(const std::string&, const json&, Config&)>;

template <typename Member>
Setter Set(Member Config::*member) {
  return [member](const std::string& key, const json& value, Config& config) {
    if constexpr (std::is_same_v<Member, bool>) {
      if (!value.is_boolean()) Refuse(key, "true or false");
      config.*member = value.get<bool>();
    } else if constexpr (std::is_integral_v<Member>) {
      config.*member = ReadInteger<Member>(key, value);
    } else {
      if (!value.is_string()) Refuse(key, "a string");
      config.*member = value.get<std::string>();
    }
  };
}

const std::map<std::string, Setter>& Setters() {
  static const std::map<std::string, Setter> setters = {
      {"kb", Set(&Config::kb)},
      {"workers", Set(&Config::workers)},
      {"max_file_bytes", Set(&Config::max_file_bytes)},
      {"max_pages", Set(&Config::max_pages)},
      {"max_inflated_bytes", Set(&Config::max_inflated_bytes)},
      {"extract_seconds", Set(&Config::extract_seconds)},
      {"worker_memory_bytes", Set(&Config::worker_memory_bytes)},
      {"chunk_bytes", Set(&Config::chunk_bytes)},
      {"publish_seconds", Set(&Config::publish_seconds)},
      {"model", Set(&Config::model)},
      {"extractive_fallback", Set(&Config::extractive_fallback)},
      {"threads", Set(&Config::threads)},
      {"kernels", Set(&Config::kernels)},
      {"model_base_url", Set(&Config::model_base_url)},
      {"max_model_bytes", Set(&Config::max_model_bytes)},
  };
  return setters;
}

void CheckRange(const std::string& key, std::uint64_t value, std::uint64_t low,
                std::uint64_t high) {
  if (value < low || value > high) {
    Refuse(key, "from " + std::to_string(low) + " to " + std::to_string(high));
  }
}

}  // namespace

void ApplyConfig(std::string_view text, Config& config) {
  if (text.size() > kMaxConfigBytes) {
    throw Error(ErrorCode::kTooLarge, "configuration: larger than 1 MiB");
  }
  const json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    throw Error(ErrorCode::kInvalidArgument, "configuration: not a JSON object");
  }
  for (const auto& [key, value] : parsed.items()) {
    const auto setter = Setters().find(key);
    if (setter == Setters().end()) {
      throw Error(ErrorCode::kInvalidArgument, "configuration: unknown key '" + key + "'");
    }
    setter->second(key, value, config);
  }
}

void ValidateConfig(const Config& config) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  if (config.kb.empty()) Refuse("kb", "the folder of the knowledge base");
  CheckRange("workers", config.workers, 0, 64);
  CheckRange("max_file_bytes", config.max_file_bytes, 1, 4096 * kMebibyte);
  CheckRange("max_pages", config.max_pages, 1, 1'000'000);
  CheckRange("max_inflated_bytes", config.max_inflated_bytes, 1, 16384 * kMebibyte);
  CheckRange("extract_seconds", config.extract_seconds, 1, 3600);
  CheckRange("worker_memory_bytes", config.worker_memory_bytes, 256 * kMebibyte, 65536 * kMebibyte);
  CheckRange("chunk_bytes", config.chunk_bytes, 200, 8000);
  CheckRange("publish_seconds", config.publish_seconds, 1, 3600);
  if (config.model.empty()) Refuse("model", "the id of a model, or extractive");
  CheckRange("threads", config.threads, 0, 256);
  CheckRange("max_model_bytes", config.max_model_bytes, 1, 1048576 * kMebibyte);
}

}  // namespace sworn::service
