#include "llm/files/model_config.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/model_in_memory.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace sworn::llm {
namespace {

using testing::HasSubstr;

ModelConfig ConfigOf(const test::TinyModelOptions& options) {
  const test::TempFolder folder;
  test::WriteTinyGguf(test::MakeTinyModel(options), folder.path() / "tiny.gguf");
  return ReadModelConfig(*OpenModelFile(folder.path() / "tiny.gguf"));
}

// A model in memory that ReadModelConfig takes, for tests to spoil.
test::ModelInMemory Sound() {
  const test::TinyModel tiny = test::MakeTinyModel({.hidden = 128, .layers = 1, .ffn = 128});
  const test::TempFolder folder;
  test::WriteTinyGguf(tiny, folder.path() / "tiny.gguf");
  const auto file = OpenModelFile(folder.path() / "tiny.gguf");
  test::ModelInMemory model;
  for (const auto& [key, value] : file->metadata()) model.Set(key, value);
  for (const auto& tensor : tiny.tensors) {
    model.Add(tensor.name, tensor.dtype, tensor.shape, tensor.bytes);
  }
  return model;
}

void CheckRefused(const std::function<void(test::ModelInMemory&)>& spoil, ErrorCode code,
                  const std::string& named) {
  test::ModelInMemory model = Sound();
  spoil(model);
  try {
    ReadModelConfig(model);
    ADD_FAILURE() << "not refused: " << named;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(named));
  }
}

TEST(ModelConfigTest, EachArchitectureHasItsGraph) {
  const ModelConfig b158 = ConfigOf({.architecture = "bitnet-b1.58"});
  EXPECT_EQ(b158.activation, Activation::kRelu2);
  EXPECT_EQ(b158.rope_pairs, RopePairs::kHalves);
  EXPECT_TRUE(b158.sub_norms);
  EXPECT_TRUE(b158.ternary);
  EXPECT_EQ(ConfigOf({.architecture = "bitnet-25"}).activation, Activation::kRelu2);
  const ModelConfig old = ConfigOf({.architecture = "bitnet"});
  EXPECT_EQ(old.activation, Activation::kSilu);
  EXPECT_EQ(old.rope_pairs, RopePairs::kHalves);
  EXPECT_TRUE(old.sub_norms);
  const ModelConfig llama = ConfigOf({.architecture = "llama", .linear = DType::kQ8_0});
  EXPECT_EQ(llama.activation, Activation::kSilu);
  EXPECT_EQ(llama.rope_pairs, RopePairs::kInterleaved);
  EXPECT_FALSE(llama.sub_norms);
  EXPECT_FALSE(llama.ternary);
  EXPECT_TRUE(ConfigOf({.architecture = "llama", .linear = DType::kTq2_0}).ternary);
}

TEST(ModelConfigTest, EmbeddingModelsHaveTheGraphsOfTheirBackbones) {
  const ModelConfig qwen = ConfigOf({.architecture = "qwen3", .head_dim = 32});
  EXPECT_TRUE(qwen.embeds);
  EXPECT_EQ(qwen.activation, Activation::kSilu);
  EXPECT_TRUE(qwen.head_norms);
  EXPECT_TRUE(qwen.projection_norms);
  EXPECT_FALSE(qwen.post_norms);
  EXPECT_EQ(qwen.head_dim, 32);
  EXPECT_EQ(qwen.attention_width(), 128);
  EXPECT_EQ(qwen.embedding_scale, 1.0F);
  EXPECT_EQ(qwen.attention_scale, 1 / std::sqrt(32.0F));
  EXPECT_FALSE(qwen.is_local(0));
  const ModelConfig gemma = ConfigOf({.architecture = "gemma3",
                                      .layers = 3,
                                      .context = 500,
                                      .attention_scale = 0.25F,
                                      .sliding_window = 100});
  EXPECT_TRUE(gemma.embeds);
  EXPECT_EQ(gemma.activation, Activation::kGelu);
  EXPECT_TRUE(gemma.post_norms);
  EXPECT_EQ(gemma.embedding_scale, 16.0F);
  EXPECT_EQ(gemma.attention_scale, 0.25F);
  EXPECT_EQ(gemma.context, 100);  // no layer needs a window
  EXPECT_EQ(gemma.local_rope_theta, 1'000.0F);
  EXPECT_EQ(gemma.local_layers, (std::vector<bool>{true, false, true}));
  EXPECT_FALSE(ConfigOf({.architecture = "llama", .linear = DType::kTq2_0}).embeds);
}

// An embedding model in memory.
test::ModelInMemory Embedder(const std::string& architecture) {
  const test::TinyModel tiny =
      test::MakeTinyModel({.architecture = architecture, .hidden = 128, .layers = 1, .ffn = 128});
  const test::TempFolder folder;
  test::WriteTinyGguf(tiny, folder.path() / "tiny.gguf");
  const auto file = OpenModelFile(folder.path() / "tiny.gguf");
  test::ModelInMemory model;
  for (const auto& [key, value] : file->metadata()) model.Set(key, value);
  for (const auto& tensor : tiny.tensors) {
    model.Add(tensor.name, tensor.dtype, tensor.shape, tensor.bytes);
  }
  return model;
}

TEST(ModelConfigTest, EmbeddersThatAreNotBuiltAreRefused) {
  const auto refused = [](const test::ModelInMemory& model, const std::string& named) {
    EXPECT_THAT([&] { ReadModelConfig(model); }, testing::ThrowsMessage<Error>(HasSubstr(named)));
  };
  test::ModelInMemory model = Embedder("gemma3");
  EXPECT_TRUE(ReadModelConfig(model).embeds);
  model.Set("tokenizer.ggml.model", std::string("gpt2"));
  refused(model, "early converter");
  model = Embedder("gemma3");
  model.Set("gemma3.attention.sliding_window", std::uint64_t{64});
  model.Set("gemma3.attention.sliding_window_pattern", std::vector<std::int64_t>{1, 0});
  refused(model, "sliding_window_pattern");
  model = Embedder("qwen3");
  model.Set("qwen3.pooling_type", std::uint64_t{2});
  refused(model, "pooling_type");
  model.Add("blk.0.attn_q.weight", DType::kF16, {128, 128}, {});
  refused(model, "mixed");
  const test::TempFolder folder;
  test::WriteTinyGguf(test::MakeTinyModel({.architecture = "qwen3", .linear = DType::kF16}),
                      folder.path() / "float.gguf");
  EXPECT_THAT([&] { ReadModelConfig(*OpenModelFile(folder.path() / "float.gguf")); },
              testing::ThrowsMessage<Error>(HasSubstr("sworn model import")));
  model = Embedder("qwen3");
  model.Remove("qwen3.pooling_type");
  EXPECT_TRUE(ReadModelConfig(model).embeds);  // its linear layers have norms of their own
}

TEST(ModelConfigTest, GeneratorsOfTheBackbonesAreRefused) {
  const test::TempFolder folder;
  test::WriteTinyGguf(
      test::MakeTinyModel(
          {.architecture = "qwen3", .linear = DType::kF16, .projection_norms = false}),
      folder.path() / "dense.gguf");
  const auto file = OpenModelFile(folder.path() / "dense.gguf");
  EXPECT_TRUE(ReadModelConfig(*file).embeds);  // the file says how it is pooled
  test::ModelInMemory model;
  for (const auto& [key, value] : file->metadata()) model.Set(key, value);
  for (const TensorView& tensor : file->tensors()) {
    model.Add(tensor.name, tensor.dtype, tensor.shape, {});
  }
  model.Remove("qwen3.pooling_type");
  EXPECT_THAT([&] { ReadModelConfig(model); },
              testing::ThrowsMessage<Error>(HasSubstr("generates text")));
}

TEST(ModelConfigTest, TheNumbersAreThoseOfTheFile) {
  const ModelConfig config = ConfigOf({.hidden = 256,
                                       .layers = 3,
                                       .heads = 8,
                                       .kv_heads = 2,
                                       .ffn = 640,
                                       .vocabulary = 500,
                                       .context = 77});
  EXPECT_EQ(config.name, "tiny");
  EXPECT_EQ(config.hidden, 256);
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.heads, 8);
  EXPECT_EQ(config.kv_heads, 2);
  EXPECT_EQ(config.head_dim, 32);
  EXPECT_EQ(config.kv_width(), 64);
  EXPECT_EQ(config.attention_width(), 256);
  EXPECT_EQ(config.ffn, 640);
  EXPECT_EQ(config.vocabulary, 500);
  EXPECT_EQ(config.context, 77);
  EXPECT_EQ(config.norm_epsilon, 1e-5F);
  EXPECT_EQ(config.rope_theta, 500'000.0F);
}

TEST(ModelConfigTest, TheKeyOfOurOwnSetsTheOrderOfThePairs) {
  test::ModelInMemory model = Sound();
  model.Set("sworn.rope.pairs", "interleaved");
  EXPECT_EQ(ReadModelConfig(model).rope_pairs, RopePairs::kInterleaved);
  model.Set("sworn.rope.pairs", "halves");
  EXPECT_EQ(ReadModelConfig(model).rope_pairs, RopePairs::kHalves);
}

TEST(ModelConfigTest, MissingAndWrongNumbersAreNamed) {
  using Model = test::ModelInMemory;
  const std::string prefix = "bitnet-b1.58.";
  for (const char* const key :
       {"context_length", "embedding_length", "block_count", "feed_forward_length",
        "attention.head_count", "attention.layer_norm_rms_epsilon"}) {
    CheckRefused([&](Model& model) { model.Remove(prefix + key); }, ErrorCode::kIntegrity, key);
    CheckRefused([&](Model& model) { model.Set(prefix + key, std::uint64_t{0}); },
                 ErrorCode::kIntegrity, key);
    CheckRefused([&](Model& model) { model.Set(prefix + key, ~std::uint64_t{0}); },
                 ErrorCode::kIntegrity, key);
    CheckRefused([&](Model& model) { model.Set(prefix + key, std::string("4")); },
                 ErrorCode::kIntegrity, key);
  }
  CheckRefused(
      [&](Model& model) { model.Set(prefix + "attention.head_count_kv", std::uint64_t{3}); },
      ErrorCode::kIntegrity, "share");
  CheckRefused([&](Model& model) { model.Set(prefix + "attention.head_count", std::uint64_t{6}); },
               ErrorCode::kIntegrity, "embedding_length");
  CheckRefused([&](Model& model) { model.Set(prefix + "vocab_size", std::uint64_t{12}); },
               ErrorCode::kIntegrity, "vocab_size");
  CheckRefused(
      [](Model& model) {
        model.Add("token_embd.weight", DType::kF16, {400, 64}, {});
      },
      ErrorCode::kIntegrity, "token_embd.weight");
  CheckRefused([&](Model& model) { model.Set(prefix + "block_count", std::uint64_t{2}); },
               ErrorCode::kIntegrity, "blk.1.attn_q.weight");
  CheckRefused([&](Model& model) { model.Set(prefix + "rope.freq_base", -1.0); },
               ErrorCode::kIntegrity, "rope.freq_base");
  CheckRefused([](Model& model) { model.Remove("general.architecture"); }, ErrorCode::kIntegrity,
               "general.architecture");
}

TEST(ModelConfigTest, GraphsThatAreNotBuiltAreRefused) {
  using Model = test::ModelInMemory;
  const std::string prefix = "bitnet-b1.58.";
  const auto unsupported = ErrorCode::kUnsupportedMedia;
  CheckRefused([](Model& model) { model.Set("general.architecture", std::string("qwen2")); },
               unsupported, "qwen2");
  CheckRefused([&](Model& model) { model.Set(prefix + "rope.dimension_count", std::uint64_t{16}); },
               unsupported, "rope.dimension_count");
  CheckRefused([&](Model& model) { model.Set(prefix + "attention.key_length", std::uint64_t{66}); },
               unsupported, "66 dimensions");
  CheckRefused([&](Model& model) { model.Set(prefix + "rope.scaling.type", std::string("yarn")); },
               unsupported, "scaled rotary");
  CheckRefused([&](Model& model) { model.Set(prefix + "expert_count", std::uint64_t{8}); },
               unsupported, "experts");
  CheckRefused([](Model& model) { model.Add("blk.0.attn_q.bias", DType::kF32, {256}, {}); },
               unsupported, "blk.0.attn_q.bias");
  CheckRefused(
      [](Model& model) {
        model.Add("blk.0.ffn_up.weight", DType::kF16, {512, 256}, {});
      },
      unsupported, "blk.0.ffn_up.weight");
}

TEST(ModelConfigTest, FloatWeightsOfABitnetModelAskForAnImport) {
  EXPECT_THAT([] { ConfigOf({.linear = DType::kF16}); },
              testing::ThrowsMessage<Error>(HasSubstr("sworn model import")));
}

}  // namespace
}  // namespace sworn::llm
