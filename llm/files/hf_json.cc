#include "llm/files/hf_json.h"

#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace sworn::llm {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;

[[noreturn]] void WrongKind(const std::string& where, const char* key, const char* wanted) {
  throw Error(ErrorCode::kIntegrity, where + ": '" + key + "' is not " + wanted);
}

}  // namespace

json ParseJsonObject(std::string_view text, const std::string& where) {
  const auto shallow = [&](int depth, json::parse_event_t /*event*/, json& /*value*/) {
    if (depth > kMaxDepth) throw Error(ErrorCode::kIntegrity, where + ": nested too deeply");
    return true;
  };
  json value;
  try {
    value = json::parse(text, shallow);
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kIntegrity, where + ": " + error.what());
  }
  if (!value.is_object()) throw Error(ErrorCode::kIntegrity, where + ": this is no JSON object");
  return value;
}

json ReadJsonFile(const std::filesystem::path& path, std::uint64_t max_bytes) {
  if (!std::filesystem::exists(path)) return json(json::value_t::discarded);
  return ParseJsonObject(ReadFile(path, max_bytes), "'" + path.native() + "'");
}

const json* JsonMember(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::uint64_t> JsonNumber(const json& object, const char* key,
                                        const std::string& where) {
  const json* const value = JsonMember(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_unsigned()) WrongKind(where, key, "a whole number from 0");
  return value->get<std::uint64_t>();
}

std::optional<double> JsonReal(const json& object, const char* key, const std::string& where) {
  const json* const value = JsonMember(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) WrongKind(where, key, "a number");
  return value->get<double>();
}

std::optional<std::string> JsonText(const json& object, const char* key, const std::string& where) {
  const json* const value = JsonMember(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) WrongKind(where, key, "a string");
  return value->get<std::string>();
}

std::optional<bool> JsonFlag(const json& object, const char* key, const std::string& where) {
  const json* const value = JsonMember(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) WrongKind(where, key, "true or false");
  return value->get<bool>();
}

}  // namespace sworn::llm
