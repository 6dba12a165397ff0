// A model file of any supported container, opened read-only and checked before anything is
// believed: magic, version, counts, lengths, shapes, alignment, overlap and the file's end.
// Everything that this header gives out lies inside the file.
//
// GGUF version 2 and 3 (github.com/ggml-org/ggml/blob/master/docs/gguf.md); safetensors
// (github.com/huggingface/safetensors), a folder with config.json and tokenizer files, one or many
// shards. docs/formats/model.md lists what is read of each and the format that `import` writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "llm/files/tensor.h"

namespace sworn::llm {

inline constexpr std::uint64_t kMaxMetadataEntries = 4'096;
inline constexpr std::uint64_t kMaxTensors = 65'536;
inline constexpr std::uint64_t kMaxArrayElements = 4'194'304;  // tokens, merges
inline constexpr std::uint64_t kMaxStringBytes = std::uint64_t{16} * 1024 * 1024;
inline constexpr std::size_t kMaxTensorDimensions = 4;

using MetadataValue =
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::int64_t>,
                 std::vector<double>, std::vector<std::string>>;

/// Immutable; safe to share between threads. Views stay valid as long as it lives.
class ModelFile {
 public:
  virtual ~ModelFile() = default;

  /// Keys as GGUF names them ("bitnet-b1.58.block_count", "tokenizer.ggml.tokens"); other
  /// containers are translated to them.
  [[nodiscard]] virtual const std::map<std::string, MetadataValue>& metadata() const = 0;
  /// In the order of the file, under GGUF's names ("blk.0.attn_q.weight").
  [[nodiscard]] virtual const std::vector<TensorView>& tensors() const = 0;
  /// Null if there is none of that name.
  [[nodiscard]] virtual const TensorView* Find(std::string_view name) const = 0;
  /// SHA-256 over the file (over the shards in the order of their names), hexadecimal. Reads it
  /// all.
  [[nodiscard]] virtual std::string Sha256() const = 0;
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
  /// The pages of `tensor` will not be needed again soon: lets the kernel drop them.
  virtual void Release(const TensorView& tensor) const noexcept = 0;

  // Typed access; a missing key is nothing, a wrong type throws Error(kIntegrity) naming the key.
  [[nodiscard]] std::optional<std::uint64_t> Number(std::string_view key) const;
  [[nodiscard]] std::optional<double> Real(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> Text(std::string_view key) const;
  [[nodiscard]] std::optional<bool> Flag(std::string_view key) const;
};

/// Opens a GGUF file, a .safetensors file or a folder that holds one. Throws kNotFound, kIntegrity
/// (what is damaged, where) or kUnsupportedMedia (a version or container that is not read).
std::unique_ptr<ModelFile> OpenModelFile(const std::filesystem::path& path);

}  // namespace sworn::llm
