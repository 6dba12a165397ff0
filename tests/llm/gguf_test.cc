#include "llm/files/gguf.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/crypto.h"
#include "core/error.h"
#include "core/file.h"
#include "llm/files/gguf_writer.h"
#include "llm/files/model_config.h"
#include "tests/support/temp_folder.h"

namespace sworn::llm {
namespace {

using testing::ElementsAre;

std::vector<std::uint8_t> Counting(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  return bytes;
}

template <typename T>
T Get(const ModelFile& file, const std::string& key) {
  return std::get<T>(file.metadata().at(key));
}

TEST(GgufTest, MetadataOfEveryTypeComesBack) {
  const test::TempFolder folder;
  FileOps ops;
  GgufWriter writer(folder.path() / "m.gguf", ops);
  writer.Set("u8", std::uint8_t{200});
  writer.Set("i8", std::int8_t{-100});
  writer.Set("u16", std::uint16_t{60'000});
  writer.Set("i16", std::int16_t{-30'000});
  writer.Set("u32", std::uint32_t{4'000'000'000});
  writer.Set("i32", std::int32_t{-2'000'000'000});
  writer.Set("u64", ~std::uint64_t{0});
  writer.Set("i64", std::int64_t{-1} << 62);
  writer.Set("f32", 0.1F);
  writer.Set("f64", 0.1);
  writer.Set("yes", true);
  writer.Set("text", std::string("a\0b", 3));
  writer.Set("integers", std::vector<std::int32_t>{-1, 0, 7});
  writer.Set("unsigned", std::vector<std::uint32_t>{4'000'000'000});
  writer.Set("long", std::vector<std::int64_t>{std::int64_t{1} << 40});
  writer.Set("floats", std::vector<float>{0.5F, -2});
  writer.Set("doubles", std::vector<double>{0.1});
  writer.Set("strings", std::vector<std::string>{"", "x"});
  writer.Finish();

  const auto file = OpenModelFile(folder.path() / "m.gguf");
  EXPECT_EQ(Get<std::uint64_t>(*file, "u8"), 200);
  EXPECT_EQ(Get<std::int64_t>(*file, "i8"), -100);
  EXPECT_EQ(Get<std::uint64_t>(*file, "u16"), 60'000);
  EXPECT_EQ(Get<std::int64_t>(*file, "i16"), -30'000);
  EXPECT_EQ(Get<std::uint64_t>(*file, "u32"), 4'000'000'000);
  EXPECT_EQ(Get<std::int64_t>(*file, "i32"), -2'000'000'000);
  EXPECT_EQ(Get<std::uint64_t>(*file, "u64"), ~std::uint64_t{0});
  EXPECT_EQ(Get<std::int64_t>(*file, "i64"), std::int64_t{-1} << 62);
  EXPECT_EQ(Get<double>(*file, "f32"), static_cast<double>(0.1F));
  EXPECT_EQ(Get<double>(*file, "f64"), 0.1);
  EXPECT_EQ(file->Flag("yes"), true);
  EXPECT_EQ(file->Text("text"), std::string("a\0b", 3));
  EXPECT_THAT(Get<std::vector<std::int64_t>>(*file, "integers"), ElementsAre(-1, 0, 7));
  EXPECT_THAT(Get<std::vector<std::int64_t>>(*file, "unsigned"), ElementsAre(4'000'000'000));
  EXPECT_THAT(Get<std::vector<std::int64_t>>(*file, "long"), ElementsAre(std::int64_t{1} << 40));
  EXPECT_THAT(Get<std::vector<double>>(*file, "floats"), ElementsAre(0.5, -2));
  EXPECT_THAT(Get<std::vector<double>>(*file, "doubles"), ElementsAre(0.1));
  EXPECT_THAT(Get<std::vector<std::string>>(*file, "strings"), ElementsAre("", "x"));
}

TEST(GgufTest, TensorsComeBackAlignedInTheOrderOfTheFile) {
  const test::TempFolder folder;
  const auto path = folder.path() / "m.gguf";
  FileOps ops;
  GgufWriter writer(path, ops);
  writer.AddTensor("b", DType::kF32, {3});
  writer.AddTensor("a", DType::kPanels, {65, 100});
  writer.AddTensor("c", DType::kI2S, {2, 128});
  const auto b = Counting(12);
  const auto a = Counting(2 * 64 * 128 / 4);
  const auto c = Counting(64 + 32);
  writer.Append(b);
  writer.Append(std::span(a).first(1'000));
  writer.Append(std::span(a).subspan(1'000));
  writer.Append(c);
  writer.Finish();

  const auto file = OpenModelFile(path);
  ASSERT_EQ(file->tensors().size(), 3);
  EXPECT_EQ(file->tensors()[0].name, "b");
  EXPECT_THAT(file->tensors()[0].bytes, testing::ElementsAreArray(b));
  const TensorView* const panels = file->Find("a");
  ASSERT_NE(panels, nullptr);
  EXPECT_EQ(panels->dtype, DType::kPanels);
  EXPECT_THAT(panels->shape, ElementsAre(65, 100));
  EXPECT_THAT(panels->bytes, testing::ElementsAreArray(a));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(panels->bytes.data()) % 64, 0);
  EXPECT_THAT(file->Find("c")->bytes, testing::ElementsAreArray(c));
  EXPECT_EQ(file->Find("d"), nullptr);
  EXPECT_EQ(file->size_bytes(), std::filesystem::file_size(path));
  EXPECT_EQ(file->Sha256(), ToHex(Sha256OfFile(path.native())));
  file->Release(*panels);
  EXPECT_THAT(panels->bytes, testing::ElementsAreArray(a));
}

TEST(GgufTest, AnUnfinishedFileLeavesNothingBehind) {
  const test::TempFolder folder;
  FileOps ops;
  {
    GgufWriter writer(folder.path() / "m.gguf", ops);
    writer.AddTensor("a", DType::kF32, {2});
    writer.Append(Counting(4));
    EXPECT_THROW(writer.Finish(), Error);
    EXPECT_THROW(writer.Append(Counting(8)), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(GgufTest, TheReferenceModelHasTheStatedShape) {
  const char* const shared = std::getenv("SWORN_SHARED_DATA");
  if (shared == nullptr) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const std::filesystem::path data(shared);
  const auto file = OpenModelFile(data / "models/tiny-i2_s/tiny-i2_s.gguf");
  const ModelConfig config = ReadModelConfig(*file);
  EXPECT_EQ(config.architecture, "bitnet-b1.58");
  EXPECT_EQ(config.hidden, 256);
  EXPECT_EQ(config.layers, 4);
  EXPECT_EQ(config.heads, 8);
  EXPECT_EQ(config.kv_heads, 2);
  EXPECT_EQ(config.head_dim, 32);
  EXPECT_EQ(config.ffn, 768);
  EXPECT_EQ(config.vocabulary, 1'280);
  EXPECT_TRUE(config.ternary);
  EXPECT_TRUE(config.sub_norms);
  EXPECT_EQ(config.activation, Activation::kRelu2);
  EXPECT_EQ(file->Find("blk.0.attn_q.weight")->dtype, DType::kI2S);
  for (const auto& entry : std::filesystem::directory_iterator(data / "tokenizers/vectors")) {
    if (entry.path().extension() != ".gguf") continue;
    EXPECT_TRUE(OpenModelFile(entry.path())->metadata().contains("tokenizer.ggml.tokens"));
  }
}

}  // namespace
}  // namespace sworn::llm
