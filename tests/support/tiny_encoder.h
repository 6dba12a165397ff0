// Small random encoders of BERT's family, written as the files that the engine reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "llm/files/tensor.h"

namespace sworn::test {

struct TinyEncoderOptions {
  std::size_t hidden = 48;
  std::size_t layers = 2;
  std::size_t heads = 4;
  std::size_t ffn = 100;
  std::size_t positions = 80;
  std::size_t position_offset = 0;       // 2 makes it an XLMRobertaModel
  llm::DType linear = llm::DType::kF32;  // or kF16, kBf16
  std::uint64_t pooling_type = 1;        // of GGUF; 0: the file says nothing
  std::string name = "tiny";
  std::uint64_t seed = 1;
};

struct EncoderTensor {
  std::string name;  // of GGUF
  llm::DType dtype = llm::DType::kF32;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

struct TinyEncoder {
  TinyEncoderOptions options;
  std::vector<std::string> pieces;  // as vocab.txt has them
  std::vector<EncoderTensor> tensors;

  /// Throws std::out_of_range if there is none.
  [[nodiscard]] EncoderTensor& tensor(const std::string& name);
};

/// The same for the same options, on every machine. The vocabulary spells every word of a to z.
TinyEncoder MakeTinyEncoder(const TinyEncoderOptions& options);

void WriteTinyEncoderGguf(const TinyEncoder& model, const std::filesystem::path& path);

/// A folder as sentence-transformers has it: config.json, vocab.txt, model.safetensors,
/// modules.json and 1_Pooling/config.json.
void WriteTinyEncoderFolder(const TinyEncoder& model, const std::filesystem::path& folder);

}  // namespace sworn::test
