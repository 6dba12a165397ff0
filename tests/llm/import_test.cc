#include "llm/files/import.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "kernels/kernels.h"
#include "llm/files/dequantize.h"
#include "llm/files/gguf_writer.h"
#include "llm/files/model_config.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"
#include "llm/graph/transformer.h"
#include "llm/text/tokenizer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensor_encoder.h"
#include "tests/support/tiny_model.h"

namespace sworn::llm {
namespace {

namespace fs = std::filesystem;
using test::HfWeights;
using test::TinyModel;
using test::TinyTensor;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Optional;

ImportSummary Import(const fs::path& source, const fs::path& target,
                     const ImportOptions& options = {}) {
  FileOps ops;
  return ImportModel(source, target, options, ops, [](std::uint64_t, std::uint64_t) {}, {});
}

// Every ternary tensor of the model is in `file` as panels with its scale.
void CheckPanels(const ModelFile& file, const TinyModel& model) {
  std::size_t checked = 0;
  for (const TinyTensor& tensor : model.tensors) {
    if (tensor.ternary.empty()) continue;
    SCOPED_TRACE(tensor.name);
    const TensorView* const view = file.Find(tensor.name);
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(view->dtype, DType::kPanels);
    EXPECT_EQ(view->shape, tensor.shape);
    EXPECT_THAT(TernaryScale(file, *view), Optional(tensor.scale));
    EXPECT_TRUE(
        std::ranges::equal(view->bytes, test::EncodePanels(tensor.ternary, tensor.shape.front())));
    ++checked;
  }
  EXPECT_EQ(checked, 7 * model.options.layers);
}

TEST(ImportTest, EveryTernaryTypeOfGgufBecomesTheSamePanels) {
  const test::TempFolder folder;
  for (const DType dtype : {DType::kI2S, DType::kTq1_0, DType::kTq2_0, DType::kPanels}) {
    SCOPED_TRACE(DTypeName(dtype));
    const TinyModel model = test::MakeTinyModel({.linear = dtype, .seed = 3});
    test::WriteTinyGguf(model, folder.path() / "in.gguf");
    const ImportSummary summary = Import(folder.path() / "in.gguf", folder.path() / "out.gguf");
    EXPECT_EQ(summary.repacked, 14);
    EXPECT_EQ(summary.ternarised, 0);
    const auto file = OpenModelFile(folder.path() / "out.gguf");
    CheckPanels(*file, model);
    EXPECT_TRUE(ReadModelConfig(*file).ternary);
    EXPECT_FALSE(NeedsImport(*file));
    for (const char* const name : {"token_embd.weight", "output_norm.weight"}) {
      EXPECT_EQ(file->Find(name)->dtype, model.tensor(name).dtype);
      EXPECT_THAT(file->Find(name)->bytes, ElementsAreArray(model.tensor(name).bytes));
    }
  }
}

class ImportFromHfTest : public testing::TestWithParam<HfWeights> {};

TEST_P(ImportFromHfTest, TheSameModelBecomesTheSamePanels) {
  const test::TempFolder folder;
  for (const std::size_t shards : {1, 3}) {
    const TinyModel model = test::MakeTinyModel({.seed = 4});
    const fs::path source = folder.path() / ("model" + std::to_string(shards));
    test::WriteTinySafetensors(model, GetParam(), source, shards);
    EXPECT_TRUE(NeedsImport(*OpenModelFile(source)));
    const ImportSummary summary = Import(source, folder.path() / "out.gguf");
    EXPECT_EQ(summary.repacked + summary.ternarised, 14);
    const auto file = OpenModelFile(folder.path() / "out.gguf");
    CheckPanels(*file, model);
    const ModelConfig config = ReadModelConfig(*file);
    EXPECT_EQ(config.architecture, "bitnet-b1.58");
    EXPECT_EQ(config.activation, Activation::kRelu2);
    EXPECT_EQ(config.rope_pairs, RopePairs::kHalves);
    EXPECT_EQ(config.rope_theta, 500'000.0F);
    EXPECT_EQ(config.context, 1'024);
    EXPECT_FALSE(NeedsImport(*file));
  }
}

TEST_P(ImportFromHfTest, WidthsThatAreNoMultipleOfABlockAreReadToo) {
  const test::TempFolder folder;
  const TinyModel model = test::MakeTinyModel({.architecture = "bitnet",
                                               .hidden = 200,
                                               .layers = 1,
                                               .heads = 2,
                                               .kv_heads = 2,
                                               .ffn = 540,
                                               .linear = DType::kPanels});
  test::WriteTinySafetensors(model, GetParam(), folder.path() / "model");
  Import(folder.path() / "model", folder.path() / "out.gguf");
  const auto file = OpenModelFile(folder.path() / "out.gguf");
  CheckPanels(*file, model);
  const ModelConfig config = ReadModelConfig(*file);
  EXPECT_EQ(config.head_dim, 100);
  EXPECT_EQ(config.activation, Activation::kSilu);
  EXPECT_TRUE(config.sub_norms);
}

TEST_P(ImportFromHfTest, TheTokenizerIsThatOfTheGgufFile) {
  const test::TempFolder folder;
  const TinyModel model = test::MakeTinyModel({.layers = 1, .vocabulary = 400});
  test::WriteTinyGguf(model, folder.path() / "in.gguf");
  test::WriteTinySafetensors(model, GetParam(), folder.path() / "model");
  Import(folder.path() / "model", folder.path() / "out.gguf");
  const auto wanted = OpenModelFile(folder.path() / "in.gguf");
  const auto file = OpenModelFile(folder.path() / "out.gguf");
  for (const char* const key :
       {"tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"}) {
    EXPECT_EQ(file->metadata().at(key), wanted->metadata().at(key)) << key;
  }
  EXPECT_THAT(file->Text("tokenizer.chat_template"), Optional(HasSubstr("messages")));
  const std::string text = "Passages that answer this: the question,\n\nand 1234 more \u00e9.";
  EXPECT_EQ(LoadTokenizer(*file)->Encode(text), LoadTokenizer(*wanted)->Encode(text));
}

INSTANTIATE_TEST_SUITE_P(Stored, ImportFromHfTest,
                         testing::Values(HfWeights::kAutoBitLinear, HfWeights::kBitLinear,
                                         HfWeights::kMaster),
                         [](const auto& kind) -> std::string {
                           switch (kind.param) {
                             case HfWeights::kAutoBitLinear:
                               return "AutoBitLinear";
                             case HfWeights::kBitLinear:
                               return "BitLinear";
                             default:
                               return "Master";
                           }
                         });

TEST(ImportTest, TheExampleOfTheFormatsPageIsWhatIsWritten) {
  const std::vector<std::int8_t> weights = {1, 0, -1, 1, 0, -1, -1, 0, 1, 1};
  const test::TempFolder folder;
  FileOps ops;
  GgufWriter writer(folder.path() / "example.gguf", ops);
  writer.Set("general.architecture", std::string("bitnet-b1.58"));
  writer.AddTensor("blk.0.attn_q.weight", DType::kPanels, {2, 5});
  writer.AddTensor("blk.0.attn_q.scale", DType::kF32, {1});
  writer.Append(test::EncodePanels(weights, 2));
  writer.Append(test::EncodeF32(std::vector<float>{0.0625F}));
  writer.Finish();
  const std::string bytes = ReadFile(folder.path() / "example.gguf", 4'096);
  ASSERT_EQ(bytes.size(), 0x540);
  EXPECT_EQ(bytes.substr(0, 8), std::string("GGUF\3\0\0\0", 8));
  EXPECT_EQ(bytes.substr(0x6D + 8, 19), "blk.0.attn_q.weight");
  EXPECT_EQ(bytes.substr(0x9C, 4), std::string("\x01\x00\x57\x53", 4));
  EXPECT_EQ(bytes.substr(0xA8 + 8, 18), "blk.0.attn_q.scale");
  EXPECT_EQ(bytes.substr(0x100, 8), "\x56\x55\x54\x56\x58\x54\x55\x56");
  EXPECT_EQ(bytes.substr(0x108, 1'016), std::string(1'016, '\x55'));
  EXPECT_EQ(bytes.substr(0x500, 4), std::string("\x00\x00\x80\x3D", 4));
}

TEST(ImportTest, LlamaRowsFromHuggingFaceKeepTheirOrder) {
  const test::TempFolder folder;
  const TinyModel model = test::MakeTinyModel({.architecture = "llama", .layers = 1});
  test::WriteTinySafetensors(model, HfWeights::kBitLinear, folder.path() / "model");
  Import(folder.path() / "model", folder.path() / "out.gguf");
  const auto file = OpenModelFile(folder.path() / "out.gguf");
  EXPECT_EQ(ReadModelConfig(*file).rope_pairs, RopePairs::kHalves);
  const TinyTensor& wanted = model.tensor("blk.0.attn_k.weight");  // pairs side by side
  const TensorView& found = *file->Find("blk.0.attn_k.weight");
  std::vector<std::int8_t> rows(wanted.ternary.size());
  TernaryRows(found, 0, found.rows(), rows.data());
  const std::size_t head_dim = 64;
  for (std::size_t row = 0; row < found.rows(); ++row) {
    const std::size_t pair = row % head_dim % (head_dim / 2);
    const std::size_t second = row % head_dim / (head_dim / 2);
    const std::size_t from = row / head_dim * head_dim + 2 * pair + second;
    EXPECT_TRUE(std::equal(rows.begin() + row * 256, rows.begin() + (row + 1) * 256,
                           wanted.ternary.begin() + from * 256))
        << row;
  }
}

std::vector<float> HiddenStates(const fs::path& path) {
  ThreadTeam team(1);
  const auto model = Model::Load(OpenModelFile(path), *kernels::FindKernels("scalar"), team);
  Transformer transformer(*model, team);
  KvCache cache(model->config(), 64);
  const std::vector<Token> tokens = {65, 66, 300, 7, 65, 200, 101};
  const auto hidden = transformer.Forward(tokens, tokens.size(), cache, {});
  return {hidden.begin(), hidden.end()};
}

TEST(ImportTest, WhereverAModelComesFromItComputesTheSame) {
  const test::TempFolder folder;
  for (const char* const architecture : {"bitnet-b1.58", "llama"}) {
    SCOPED_TRACE(architecture);
    const TinyModel model =
        test::MakeTinyModel({.architecture = architecture, .embedding = DType::kBf16});
    test::WriteTinyGguf(model, folder.path() / "in.gguf");
    const auto wanted = HiddenStates(folder.path() / "in.gguf");
    Import(folder.path() / "in.gguf", folder.path() / "out.gguf");
    EXPECT_EQ(HiddenStates(folder.path() / "out.gguf"), wanted);
    for (const HfWeights weights : {HfWeights::kAutoBitLinear, HfWeights::kBitLinear}) {
      test::WriteTinySafetensors(model, weights, folder.path() / "model");
      Import(folder.path() / "model", folder.path() / "out.gguf");
      EXPECT_EQ(HiddenStates(folder.path() / "out.gguf"), wanted);
    }
  }
}

TEST(ImportTest, DenseModelsAreCopied) {
  const test::TempFolder folder;
  const TinyModel model = test::MakeTinyModel({.architecture = "llama",
                                               .layers = 1,
                                               .linear = DType::kBf16,
                                               .embedding = DType::kBf16,
                                               .tied = false});
  test::WriteTinySafetensors(model, HfWeights::kDense, folder.path() / "model");
  EXPECT_FALSE(NeedsImport(*OpenModelFile(folder.path() / "model")));
  const ImportSummary summary = Import(folder.path() / "model", folder.path() / "out.gguf");
  EXPECT_EQ(summary.copied, model.tensors.size());
  const auto file = OpenModelFile(folder.path() / "out.gguf");
  EXPECT_FALSE(ReadModelConfig(*file).ternary);
  for (const char* const name : {"output.weight", "blk.0.ffn_up.weight", "token_embd.weight"}) {
    EXPECT_EQ(file->Find(name)->dtype, DType::kBf16);
    EXPECT_THAT(file->Find(name)->bytes, ElementsAreArray(model.tensor(name).bytes)) << name;
  }
}

// A GGUF file of a BitNet model whose linear layers are the given floats.
void WriteMaster(const fs::path& path, const std::vector<float>& weights) {
  TinyModel model = test::MakeTinyModel({.layers = 1, .linear = DType::kF32});
  for (TinyTensor& tensor : model.tensors) {
    if (tensor.name != "blk.0.attn_q.weight") continue;
    tensor.bytes = test::EncodeF32(weights);
  }
  test::WriteTinyGguf(model, path);
}

TEST(ImportTest, FloatWeightsAreRoundedByTheirMeanMagnitude) {
  constexpr std::uint64_t kSeed = 17;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  std::normal_distribution<float> normal(0, 0.03F);
  std::vector<float> weights(256 * 256);
  double sum = 0;
  for (float& weight : weights) {
    weight = normal(random);
    sum += std::abs(static_cast<double>(weight));
  }
  const auto mean = static_cast<float>(sum / (256 * 256));
  weights[0] = 0.5F * mean;  // a tie or beside one: either way less than 1
  const test::TempFolder folder;
  WriteMaster(folder.path() / "in.gguf", weights);
  EXPECT_TRUE(NeedsImport(*OpenModelFile(folder.path() / "in.gguf")));
  EXPECT_EQ(Import(folder.path() / "in.gguf", folder.path() / "out.gguf").ternarised, 7);
  const auto file = OpenModelFile(folder.path() / "out.gguf");
  const TensorView& tensor = *file->Find("blk.0.attn_q.weight");
  const float scale = TernaryScale(*file, tensor).value();
  EXPECT_NEAR(scale, mean, 1e-6F);
  std::vector<std::int8_t> rows(weights.size());
  TernaryRows(tensor, 0, 256, rows.data());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float steps = weights[i] / scale;
    if (std::abs(std::abs(steps) - 0.5F) < 1e-5F) continue;  // rounding of the quotient decides
    EXPECT_EQ(rows[i], std::clamp(static_cast<int>(std::lround(steps)), -1, 1)) << i;
  }
}

TEST(ImportTest, FloatWeightsThatAreTernaryKeepTheirScale) {
  std::vector<float> weights(256 * 256, 0);
  weights[3] = 0.7F;
  weights[700] = -0.7F;
  const test::TempFolder folder;
  WriteMaster(folder.path() / "in.gguf", weights);
  Import(folder.path() / "in.gguf", folder.path() / "out.gguf");
  const auto file = OpenModelFile(folder.path() / "out.gguf");
  const TensorView& tensor = *file->Find("blk.0.attn_q.weight");
  EXPECT_THAT(TernaryScale(*file, tensor), Optional(0.7F));
  std::vector<std::int8_t> rows(weights.size());
  TernaryRows(tensor, 0, 256, rows.data());
  EXPECT_EQ(rows[3], 1);
  EXPECT_EQ(rows[700], -1);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), 0), 256 * 256 - 2);
}

TEST(ImportTest, AWeightThatIsNotFiniteIsRefusedAndNothingIsLeft) {
  std::vector<float> weights(256 * 256, 0.5F);
  weights[512] = INFINITY;
  const test::TempFolder folder;
  WriteMaster(folder.path() / "in.gguf", weights);
  EXPECT_THAT(
      [&] { Import(folder.path() / "in.gguf", folder.path() / "out.gguf"); },
      testing::ThrowsMessage<Error>(HasSubstr("'blk.0.attn_q.weight' has a weight in row 2")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ImportTest, TensorsOfTypesThatAreNotReadAreNamed) {
  const test::TempFolder folder;
  FileOps ops;
  {
    TinyModel model = test::MakeTinyModel({.architecture = "llama", .layers = 1});
    model.tensors.front().dtype = DType::kF32;  // so that the file can be patched below
    model.tensors.front().bytes = test::EncodeF32(model.tensors.front().values);
    test::WriteTinyGguf(model, folder.path() / "in.gguf");
  }
  std::string bytes = ReadFile(folder.path() / "in.gguf", 1U << 24U);
  const std::size_t name = bytes.find("token_embd.weight");
  const std::size_t type = name + 17 + 4 + 2 * 8;
  ASSERT_EQ(bytes[type], 0);
  bytes[type] = 12;  // Q4_K: shorter than F32, so the file stays sound
  folder.Write("in.gguf", bytes);
  EXPECT_THAT([&] { Import(folder.path() / "in.gguf", folder.path() / "out.gguf"); },
              testing::ThrowsMessage<Error>(
                  testing::AllOf(HasSubstr("token_embd.weight"), HasSubstr("Q4_K"))));
}

TEST(ImportTest, CancellingLeavesNothing) {
  const test::TempFolder folder;
  test::WriteTinyGguf(test::MakeTinyModel({}), folder.path() / "in.gguf");
  CancelFlag cancel;
  FileOps ops;
  std::uint64_t last = 0;
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(last, done);
    EXPECT_LE(done, total);
    last = done;
    if (done > total / 2) cancel.Cancel();
  };
  EXPECT_THROW(
      ImportModel(folder.path() / "in.gguf", folder.path() / "out.gguf", {}, ops, progress, cancel),
      Error);
  EXPECT_GT(last, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ImportTest, APreTokenizerCanBeNamed) {
  const test::TempFolder folder;
  test::WriteTinyGguf(test::MakeTinyModel({.layers = 1}), folder.path() / "in.gguf");
  Import(folder.path() / "in.gguf", folder.path() / "out.gguf", {.pre_tokenizer = "falcon_e"});
  EXPECT_EQ(OpenModelFile(folder.path() / "out.gguf")->Text("tokenizer.ggml.pre"), "falcon_e");
}

}  // namespace
}  // namespace sworn::llm
