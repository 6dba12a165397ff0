// The JSON files of a Hugging Face folder, read with bounds. Internal to llm/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "llm/files/model_file.h"

namespace sworn::llm {

using Metadata = std::map<std::string, MetadataValue>;

/// The object that `text` is. Throws kIntegrity, naming `where`, for anything else and for more
/// than 32 levels.
nlohmann::json ParseJsonObject(std::string_view text, const std::string& where);

/// The object in a file of at most `max_bytes`; a discarded value if there is no such file.
nlohmann::json ReadJsonFile(const std::filesystem::path& path, std::uint64_t max_bytes);

/// Null if the object has no such member, or has null there.
const nlohmann::json* JsonMember(const nlohmann::json& object, const char* key);

// A missing member is nothing; one of another kind throws kIntegrity naming `where` and the key.
std::optional<std::uint64_t> JsonNumber(const nlohmann::json& object, const char* key,
                                        const std::string& where);
std::optional<double> JsonReal(const nlohmann::json& object, const char* key,
                               const std::string& where);
std::optional<std::string> JsonText(const nlohmann::json& object, const char* key,
                                    const std::string& where);
std::optional<bool> JsonFlag(const nlohmann::json& object, const char* key,
                             const std::string& where);

}  // namespace sworn::llm
