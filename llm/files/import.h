// Turns any model that can be read into the GGUF file that the engine maps and uses as it is:
// ternary weights as panels (kernels/panels.h), everything else in its own type.
// docs/formats/model.md has the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/cancel.h"
#include "core/file.h"
#include "llm/files/model_file.h"

namespace sworn::llm {

struct ImportOptions {
  /// Written as "tokenizer.ggml.pre"; empty: what the source says.
  std::string pre_tokenizer;
  /// The linear layers of an encoder as int8 with a scale for each row; kInvalidArgument for
  /// another model.
  bool int8 = false;
};

struct ImportSummary {
  std::size_t repacked = 0;    // tensors that were ternary
  std::size_t ternarised = 0;  // tensors whose float weights became ternary
  std::size_t rounded = 0;     // tensors whose weights became int8
  std::size_t copied = 0;
};

/// Bytes of the source's tensors that are done, and all of them.
using ImportProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// True for float weights that the architecture wants ternary and for packed weights of
/// safetensors: what the engine does not use as it is. Of other files an import only saves the
/// packing at each start.
bool NeedsImport(const ModelFile& file);

/// Writes `target`, which appears whole or not at all. Float weights W of a BitNet model become
/// t = clamp(round_half_even(W * s), -1, 1) with s = 1 / max(1e-5, mean |W|) and scale 1 / s; where
/// they already are -m, 0 and m, those with scale m. Int8 weights are round_half_even(w * 127 / m),
/// m = max |w| of the row, with scale m / 127. Takes memory for some rows at a time. Throws
/// what OpenModelFile and ReadModelConfig throw, kIntegrity for weights that are not finite or
/// not ternary, kUnsupportedMedia for a tensor of a type that is not read, and kCancelled.
ImportSummary ImportModel(const std::filesystem::path& source, const std::filesystem::path& target,
                          const ImportOptions& options, FileOps& ops,
                          const ImportProgress& progress, const CancelFlag& cancel);

}  // namespace sworn::llm
