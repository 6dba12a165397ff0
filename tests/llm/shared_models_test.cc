// Model files and reference logits that are not part of the project: SWORN_SHARED_DATA names the
// folder that has them.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/file.h"
#include "llm/files/gguf_writer.h"
#include "tests/llm/engine_fixture.h"
#include "tests/llm/reference_model.h"

namespace sworn::llm {
namespace {

using sworn::test::TempFolder;
using test::ReadTensors;
using test::ReferenceModel;
using test::RelativeRms;

std::optional<std::filesystem::path> SharedModels() {
  const char* folder = std::getenv("SWORN_SHARED_DATA");
  if (folder == nullptr) return std::nullopt;
  return std::filesystem::path(folder) / "models";
}

template <typename T>
std::vector<T> ReadNumbers(const std::filesystem::path& path) {
  const std::string bytes = ReadFile(path, std::uint64_t{1} << 26);
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(T));
  return numbers;
}

// How far honest engines are apart: with random weights one activation that rounds the other way is
// amplified by each layer.
constexpr double kEngineTolerance = 5e-2;
constexpr double kReferenceTolerance = 1e-3;

TEST(SharedModelsTest, TheRandomBitnetHasTheLogitsOfOtherEngines) {
  const auto models = SharedModels();
  if (!models) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const auto folder = *models / "tiny-i2_s";
  const auto tokens = ReadNumbers<Token>(folder / "tokens.i32");
  ThreadTeam team(2);
  const auto model =
      Model::Load(OpenModelFile(folder / "tiny-i2_s.gguf"), *kernels::FindKernels(""), team);
  Transformer transformer(*model, team);
  KvCache cache(model->config(), tokens.size());
  const CancelFlag cancel;
  const auto hidden = transformer.Forward(tokens, tokens.size(), cache, cancel);
  std::vector<float> logits(tokens.size() * model->config().vocabulary);
  model->head().Logits(hidden, tokens.size(), team, logits.data());

  for (const std::string engine :
       {"bitnetcpp-one-token", "bitnetcpp-batch", "w2a8-one-token", "w2a8-batch", "float"}) {
    const auto expected = ReadNumbers<float>(folder / ("logits." + engine + ".f32"));
    ASSERT_EQ(expected.size(), logits.size());
    const double error = RelativeRms(logits, expected);
    std::cout << engine << ": relative RMS error " << error << '\n';
    EXPECT_LT(error, kEngineTolerance) << engine;
  }
  ReferenceModel reference(model->config(), ReadTensors(model->file()));
  const double error = RelativeRms(logits, reference.Logits(tokens));
  std::cout << "plain loops: relative RMS error " << error << '\n';
  EXPECT_LT(error, kReferenceTolerance);
}

// A llama2.c checkpoint: seven int32, then the tensors as float32, one kind after the other.
class LlamaCheckpoint {
 public:
  LlamaCheckpoint(const std::filesystem::path& checkpoint, const std::filesystem::path& tokens)
      : floats_(ReadNumbers<float>(checkpoint)), vocabulary_(ReadFile(tokens, 1 << 20)) {
    std::memcpy(header_.data(), floats_.data(), sizeof header_);
  }

  void WriteGguf(const std::filesystem::path& path) {
    FileOps ops;
    GgufWriter writer(path, ops);
    SetMetadata(writer);
    const std::size_t dim = Size(0);
    const std::size_t hidden = Size(1);
    const std::size_t layers = Size(2);
    const std::size_t kv = dim / Size(3) * Size(4);
    std::size_t place = header_.size();
    Add("token_embd", {Size(5), dim}, place);
    AddLayers("attn_norm", {dim}, layers, place);
    AddLayers("attn_q", {dim, dim}, layers, place);
    AddLayers("attn_k", {kv, dim}, layers, place);
    AddLayers("attn_v", {kv, dim}, layers, place);
    AddLayers("attn_output", {dim, dim}, layers, place);
    AddLayers("ffn_norm", {dim}, layers, place);
    AddLayers("ffn_gate", {hidden, dim}, layers, place);
    AddLayers("ffn_down", {dim, hidden}, layers, place);
    AddLayers("ffn_up", {hidden, dim}, layers, place);
    Add("output_norm", {dim}, place);
    for (const Tensor& tensor : tensors_) writer.AddTensor(tensor.name, DType::kF32, tensor.shape);
    for (const Tensor& tensor : tensors_) {
      const auto values = std::span(floats_).subspan(tensor.place, tensor.count);
      writer.Append({reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()});
    }
    writer.Finish();
  }

 private:
  struct Tensor {
    std::string name;
    std::vector<std::size_t> shape;
    std::size_t place;
    std::size_t count;
  };

  // dim, hidden, layers, heads, kv heads, vocabulary, context
  [[nodiscard]] std::size_t Size(std::size_t i) const {
    return static_cast<std::size_t>(header_.at(i));
  }
  [[nodiscard]] std::uint32_t Number(std::size_t i) const {
    return static_cast<std::uint32_t>(header_.at(i));
  }

  void Add(const std::string& name, std::vector<std::size_t> shape, std::size_t& place) {
    std::size_t count = 1;
    for (const std::size_t size : shape) count *= size;
    tensors_.push_back({name + ".weight", std::move(shape), place, count});
    place += count;
  }
  void AddLayers(const std::string& name, const std::vector<std::size_t>& shape, std::size_t layers,
                 std::size_t& place) {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      Add("blk." + std::to_string(layer) + "." + name, shape, place);
    }
  }

  void SetMetadata(GgufWriter& writer) const {
    writer.Set("general.architecture", std::string("llama"));
    writer.Set("llama.embedding_length", Number(0));
    writer.Set("llama.feed_forward_length", Number(1));
    writer.Set("llama.block_count", Number(2));
    writer.Set("llama.attention.head_count", Number(3));
    writer.Set("llama.attention.head_count_kv", Number(4));
    writer.Set("llama.context_length", Number(6));
    writer.Set("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    writer.Set("llama.rope.freq_base", 10'000.0F);
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> types;
    for (std::size_t at = sizeof(std::int32_t); at < vocabulary_.size();) {
      float score = 0;
      std::int32_t length = 0;
      std::memcpy(&score, vocabulary_.data() + at, sizeof score);
      std::memcpy(&length, vocabulary_.data() + at + sizeof score, sizeof length);
      at += sizeof score + sizeof length;
      tokens.push_back(Piece(vocabulary_.substr(at, static_cast<std::size_t>(length))));
      scores.push_back(score);
      // <unk>, <s> and </s>, then the 256 bytes, then text.
      const std::size_t id = types.size();
      types.push_back(id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
      at += static_cast<std::size_t>(length);
    }
    tokens[1] = "<s>";
    tokens[2] = "</s>";
    writer.Set("tokenizer.ggml.model", std::string("llama"));
    writer.Set("tokenizer.ggml.tokens", tokens);
    writer.Set("tokenizer.ggml.scores", scores);
    writer.Set("tokenizer.ggml.token_type", types);
    writer.Set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    writer.Set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
  }

  // SentencePiece writes a blank as U+2581.
  static std::string Piece(const std::string& text) {
    std::string piece;
    for (const char c : text) piece += c == ' ' ? std::string("\u2581") : std::string(1, c);
    return piece;
  }

  std::vector<float> floats_;
  std::string vocabulary_;
  std::array<std::int32_t, 7> header_{};
  std::vector<Tensor> tensors_;
};

// The token of the largest logit in row `row`.
Token Largest(std::span<const float> logits, std::size_t row, std::size_t vocabulary) {
  const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(row * vocabulary);
  return static_cast<Token>(
      std::max_element(begin, begin + static_cast<std::ptrdiff_t>(vocabulary)) - begin);
}

TEST(SharedModelsTest, TheTrainedStoryModelTellsItsKnownStory) {
  const auto models = SharedModels();
  if (!models) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const auto folder = *models / "stories260K";
  const TempFolder temp;
  LlamaCheckpoint(folder / "stories260K.bin", folder / "tok512.bin")
      .WriteGguf(temp.path() / "stories.gguf");
  ThreadTeam team(2);
  const auto model =
      Model::Load(OpenModelFile(temp.path() / "stories.gguf"), *kernels::FindKernels(""), team);

  constexpr std::size_t kTokens = 200;
  std::vector<Token> tokens = {1};
  Transformer transformer(*model, team);
  KvCache cache(model->config(), kTokens + 1);
  const CancelFlag cancel;
  while (tokens.size() <= kTokens) {
    const auto hidden = transformer.Forward(std::span(tokens).last(1), 1, cache, cancel);
    tokens.push_back(model->head().Best(hidden, 1, 1, team).at(0).at(0).token);
  }
  const std::string story = model->tokenizer().Decode(std::span(tokens).subspan(1));
  std::cout << story << '\n';
  EXPECT_TRUE(story.starts_with(
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the "
      "park. One day, she saw a big, red ball."))
      << story;

  for (const bool rounding : {true, false}) {
    ReferenceModel reference(model->config(), ReadTensors(model->file()), rounding);
    const auto logits = reference.Logits(tokens);
    for (std::size_t t = 0; t < kTokens; ++t) {
      ASSERT_EQ(Largest(logits, t, model->config().vocabulary), tokens[t + 1])
          << "token " << t << ", rounding " << rounding;
    }
  }
}

}  // namespace
}  // namespace sworn::llm
