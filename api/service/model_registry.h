// The model files of a knowledge base: models/ with one file for each model and manifest.json,
//
//   {"format": 1, "models": {ID: {"file", "sha256", "bytes", "architecture", "imported_at",
//   "source", "embedding": {"query_prefix", "passage_prefix", "pooling", "storage"}}}}
//
// which pins the digest of each. A model that the manifest does not name does not exist.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/file.h"

namespace sworn::service {

inline constexpr std::size_t kMaxModelIdBytes = 64;
inline constexpr std::size_t kMaxModels = 1'000;
inline constexpr std::size_t kMaxPrefixBytes = 1'024;
inline constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{4} << 20;

/// How texts are put to a model that embeds them.
struct ModelEmbedding {
  std::string query_prefix;     // put before a question
  std::string passage_prefix;   // put before a passage
  std::string pooling;          // "mean", "cls", "last"
  std::string storage = "f32";  // how a vector is rounded: "f32", "f16", "i8", "i4", "i2", "i1"

  friend bool operator==(const ModelEmbedding&, const ModelEmbedding&) = default;
};

struct ModelEntry {
  std::string id;
  std::string file;    // a name in models/
  std::string sha256;  // hexadecimal, of that file
  std::uint64_t bytes = 0;
  std::string architecture;                 // "bitnet-b1.58"
  std::int64_t imported_ms = 0;             // UTC
  std::string source;                       // where it came from: a path or an address
  std::optional<ModelEmbedding> embedding;  // of an embedder; nothing: the model writes text
};

/// 1 to 64 of a-z, 0-9, ".", "_" and "-", the first a letter or digit; the names of what needs no
/// model file ("extractive", "lsa", "hashing") are taken.
[[nodiscard]] bool IsModelId(std::string_view id) noexcept;
/// Throws kInvalidArgument unless the prefixes are UTF-8 of at most kMaxPrefixBytes.
void CheckEmbedding(const ModelEmbedding& embedding);
/// The id that a file or address suggests: its last part without extension, in lower case, other
/// characters "-". Empty if nothing is left.
std::string SuggestModelId(std::string_view name);

/// Several processes may hold one each; changes take models/lock. Not for several threads at once.
class ModelRegistry {
 public:
  /// Makes nothing: models/ comes with the first model. `ops` and `clock` outlive it.
  ModelRegistry(const std::filesystem::path& kb, FileOps& ops, const Clock& clock);

  /// By id. Throws kIntegrity for a damaged manifest.
  [[nodiscard]] std::vector<ModelEntry> List() const;
  [[nodiscard]] std::optional<ModelEntry> Find(const std::string& id) const;
  /// Throws kNotConfigured for an unknown id.
  [[nodiscard]] ModelEntry Get(const std::string& id) const;
  [[nodiscard]] std::filesystem::path PathOf(const ModelEntry& entry) const;

  /// A folder for files that are not models yet, on the same file system; made when missing.
  [[nodiscard]] std::filesystem::path StagingFolder() const;
  /// Pins the file `staged` (complete, in the staging folder) as model `id`: computes its digest,
  /// syncs it, renames it into place and then names it in the manifest. `entry` gives id,
  /// architecture and source; the rest is filled in. Throws kConflict if the id is taken, kBusy if
  /// another process changes the registry, kIntegrity if `wanted_sha256` is not empty and differs.
  ModelEntry Add(const std::filesystem::path& staged, ModelEntry entry,
                 const std::string& wanted_sha256);
  /// Takes it from the manifest, then deletes the file. Throws kNotConfigured.
  ModelEntry Remove(const std::string& id);
  /// The digest of the file as it is now. Throws kIntegrity, naming both, unless size and digest
  /// are those of the manifest.
  void Verify(const ModelEntry& entry) const;

 private:
  [[nodiscard]] std::map<std::string, ModelEntry> Read() const;
  void Write(const std::map<std::string, ModelEntry>& models) const;
  [[nodiscard]] std::unique_ptr<FileLock> Lock() const;

  std::filesystem::path folder_;
  FileOps& ops_;
  const Clock& clock_;
};

}  // namespace sworn::service
