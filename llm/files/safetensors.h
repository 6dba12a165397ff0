// safetensors: the container of Hugging Face (github.com/huggingface/safetensors). Eight bytes hold
// the length of a JSON header, which names type, shape and place of every tensor in the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/mapped_file.h"
#include "llm/files/model_file.h"

namespace sworn::llm {

inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = std::uint64_t{16} * 1024 * 1024;
inline constexpr std::size_t kMaxSafetensorsShards = 1'024;

struct SafetensorsEntry {
  std::string name;
  std::string dtype;               // "BF16"
  std::vector<std::size_t> shape;  // outermost first; {1} for a number without dimensions
  std::span<const std::uint8_t> bytes;
};

/// One mapped file, under its own names. Immutable.
class SafetensorsShard {
 public:
  /// Throws kIntegrity unless the tensors fill the rest of the file without gap or overlap and
  /// every one has the bytes that its type and shape need.
  explicit SafetensorsShard(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<SafetensorsEntry>& entries() const noexcept { return entries_; }
  [[nodiscard]] const MappedFile& file() const noexcept { return file_; }

 private:
  MappedFile file_;
  std::vector<SafetensorsEntry> entries_;
};

/// A folder as Hugging Face has it, or one .safetensors file with its config.json beside it, under
/// GGUF's names and keys. Throws what OpenModelFile throws.
std::unique_ptr<ModelFile> OpenSafetensors(const std::filesystem::path& path);

}  // namespace sworn::llm
