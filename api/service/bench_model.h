// Models of a true shape with random weights, written as GGUF files that other engines read too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/file.h"

namespace sworn::service {

/// Ternary linear layers (I2_S) in the graph of `architecture`: "bitnet-b1.58", a generator whose
/// output is tied to the embedding, or "gemma3" or "qwen3", which embed.
struct BenchShape {
  std::string name;
  std::string architecture;
  std::size_t vocabulary = 0;
  std::size_t hidden = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t ffn = 0;
  std::size_t context = 0;

  [[nodiscard]] bool embeds() const { return architecture != "bitnet-b1.58"; }
};

/// "2b-4t" (microsoft/bitnet-b1.58-2B-4T), "tiny", "270m" and "0.6b" (microsoft/bitnet-embedding).
/// Throws kInvalidArgument for another name.
BenchShape FindBenchShape(const std::string& name);

enum class BenchHead { kF16, kQ6K };
/// "f16" or "q6_k"; throws kInvalidArgument.
BenchHead ParseBenchHead(const std::string& name);

/// Writes `file` (whole or not at all) with a synthetic vocabulary in the manner of Llama 3. The
/// same bytes for the same seed. Memory for some megabytes at a time.
void WriteBenchModel(const BenchShape& shape, BenchHead head, std::uint64_t seed,
                     const std::filesystem::path& file, FileOps& ops, const CancelFlag& cancel);

}  // namespace sworn::service
