// Small random models, written as the files that the engine reads.
//
//   const TinyModel model = MakeTinyModel({.seed = 7});
//   WriteTinyGguf(model, folder.path() / "tiny.gguf");
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "llm/files/tensor.h"
#include "tests/support/tiny_vocabulary.h"

namespace sworn::test {

struct TinyModelOptions {
  std::string architecture = "bitnet-b1.58";  // or "bitnet-25", "bitnet", "llama"; see Embeds
  std::size_t hidden = 256;                   // TQ and Q6_K need multiples of 256, I2_S of 128
  std::size_t layers = 2;
  std::size_t heads = 4;
  std::size_t kv_heads = 2;
  std::size_t head_dim = 0;  // 0: hidden / heads
  std::size_t ffn = 512;
  std::size_t vocabulary = 0;  // at least; 0: no unused tokens
  std::size_t context = 1'024;
  llm::DType linear = llm::DType::kI2S;     // kTq1_0, kTq2_0, kPanels; kF32, kF16, kBf16, kQ8_0
  llm::DType embedding = llm::DType::kF16;  // kF32, kBf16, kQ8_0, kQ6K; of a separate output too
  bool tied = true;                         // false: "output.weight" of its own
  bool sub_norms = true;                    // of the bitnet architectures
  llm::DType norm = llm::DType::kF32;       // or kF16
  bool projection_norms = true;             // of embedding models: "attn_q_norm_in" and its like
  float attention_scale = 0;                // of embedding models; 0: the file says nothing
  std::size_t sliding_window = 0;           // of gemma3; 0: all layers see everything
  std::uint64_t seed = 1;
};

struct TinyTensor {
  std::string name;  // of GGUF
  llm::DType dtype = llm::DType::kF32;
  std::vector<std::size_t> shape;  // outermost first
  std::vector<std::uint8_t> bytes;
  std::vector<float> values;         // exactly what `bytes` mean
  std::vector<std::int8_t> ternary;  // of a ternary tensor: values = scale * ternary
  float scale = 0;                   // a power of two
};

struct TinyModel {
  TinyModelOptions options;
  TinyVocabulary vocabulary;
  std::vector<TinyTensor> tensors;

  /// Throws std::out_of_range if there is none.
  [[nodiscard]] const TinyTensor& tensor(std::string_view name) const;
};

/// "qwen3" and "gemma3" are embedding models; the vocabulary of gemma3 is one of pieces.
bool Embeds(const TinyModelOptions& options);
std::size_t HeadDim(const TinyModelOptions& options);

/// The same for the same options, on every machine.
TinyModel MakeTinyModel(const TinyModelOptions& options);

void WriteTinyGguf(const TinyModel& model, const std::filesystem::path& path);

enum class HfWeights {
  kAutoBitLinear,  // packed uint8, weight_scale multiplies
  kBitLinear,      // packed uint8, weight_scale divides
  kMaster,         // bfloat16 whose mean magnitude is the scale and that round to the weights
  kDense           // the values as they are, in bfloat16: for models without ternary layers
};

/// A folder as Hugging Face has it: config.json, tokenizer.json and model.safetensors, or
/// `shards` of them with an index.
void WriteTinySafetensors(const TinyModel& model, HfWeights weights,
                          const std::filesystem::path& folder, std::size_t shards = 1);

}  // namespace sworn::test
