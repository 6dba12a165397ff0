// The logits of a model for given tokens, written to a file: for comparing engines.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "api/service/config.h"
#include "core/cancel.h"
#include "core/file.h"

namespace sworn::service {

struct LogitsRequest {
  std::filesystem::path model;   // a model file, not an id
  std::filesystem::path tokens;  // int32, little-endian
  std::filesystem::path out;     // float32, little-endian, [tokens, vocabulary]
};

struct LogitsReport {
  std::size_t tokens = 0;
  std::size_t vocabulary = 0;
  std::string kernels;
  std::size_t threads = 0;
};

/// The output file appears whole or not at all. Throws kInvalidArgument for a file of tokens that
/// is empty, cut off or names a token outside the vocabulary, kTooLarge for more tokens than the
/// model's context, and what loading a model throws.
LogitsReport WriteLogits(const Config& config, const LogitsRequest& request, FileOps& ops,
                         const CancelFlag& cancel);

}  // namespace sworn::service
