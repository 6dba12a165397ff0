// Writes safetensors files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/tensor_encoder.h"

namespace sworn::test {

/// With the name and type that the file gets.
struct HfTensor {
  std::string name;
  std::string dtype;
  std::vector<std::size_t> shape;
  Bytes bytes;
};

/// Tensors first to end - 1, one after another.
void WriteSafetensors(const std::vector<HfTensor>& tensors, std::size_t first, std::size_t end,
                      const std::filesystem::path& path);

}  // namespace sworn::test
