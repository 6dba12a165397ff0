#include "llm/files/model_file.h"

#include "core/error.h"
#include "llm/files/gguf.h"
#include "llm/files/safetensors.h"

namespace sworn::llm {
namespace {

const MetadataValue* Value(const ModelFile& file, std::string_view key) {
  const auto& metadata = file.metadata();
  const auto found = metadata.find(std::string(key));
  return found == metadata.end() ? nullptr : &found->second;
}

[[noreturn]] void WrongType(std::string_view key, std::string_view wanted) {
  throw Error(ErrorCode::kIntegrity,
              "metadata key '" + std::string(key) + "' is not " + std::string(wanted));
}

// config.json makes a folder one of Hugging Face; otherwise it holds one GGUF file.
std::unique_ptr<ModelFile> OpenFolder(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "config.json")) return OpenSafetensors(folder);
  std::filesystem::path only;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    if (!only.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "'" + folder.native() + "' holds several GGUF files; name one of them");
    }
    only = entry.path();
  }
  if (only.empty()) {
    throw Error(ErrorCode::kNotFound,
                "'" + folder.native() + "' holds neither config.json nor a GGUF file");
  }
  return OpenGguf(only);
}

}  // namespace

std::optional<std::uint64_t> ModelFile::Number(std::string_view key) const {
  const MetadataValue* const value = Value(*this, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<std::uint64_t>(value)) return *number;
  const auto* number = std::get_if<std::int64_t>(value);
  if (number == nullptr || *number < 0) WrongType(key, "a whole number from 0");
  return static_cast<std::uint64_t>(*number);
}

std::optional<double> ModelFile::Real(std::string_view key) const {
  const MetadataValue* const value = Value(*this, key);
  if (value == nullptr) return std::nullopt;
  if (const auto* real = std::get_if<double>(value)) return *real;
  if (const auto* number = std::get_if<std::uint64_t>(value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<double>(*number);
  WrongType(key, "a number");
}

std::optional<std::string> ModelFile::Text(std::string_view key) const {
  const MetadataValue* const value = Value(*this, key);
  if (value == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(value);
  if (text == nullptr) WrongType(key, "a string");
  return *text;
}

std::optional<bool> ModelFile::Flag(std::string_view key) const {
  const MetadataValue* const value = Value(*this, key);
  if (value == nullptr) return std::nullopt;
  const auto* flag = std::get_if<bool>(value);
  if (flag == nullptr) WrongType(key, "a truth value");
  return *flag;
}

std::unique_ptr<ModelFile> OpenModelFile(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return OpenFolder(path);
  if (path.extension() == ".safetensors") return OpenSafetensors(path);
  return OpenGguf(path);
}

}  // namespace sworn::llm
