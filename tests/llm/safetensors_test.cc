#include "llm/files/safetensors.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/crypto.h"
#include "core/error.h"
#include "core/file.h"
#include "llm/files/dequantize.h"
#include "llm/files/model_config.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace sworn::llm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::HfWeights;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::ThrowsMessage;

std::string Container(const std::string& header, std::size_t data) {
  const auto length = static_cast<std::uint64_t>(header.size());
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header +
         std::string(data, '\0');
}

void CheckRefused(const std::string& bytes, const std::string& named) {
  const test::TempFolder folder;
  const fs::path path = folder.Write("m.safetensors", bytes);
  EXPECT_THAT([&] { SafetensorsShard{path}; }, ThrowsMessage<Error>(HasSubstr(named)));
}

TEST(SafetensorsShardTest, TensorsComeInTheOrderOfTheirBytes) {
  const test::TempFolder folder;
  const fs::path path = folder.Write(
      "m.safetensors",
      Container(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],)"
                R"("data_offsets":[4,12]},"c":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},)"
                R"("a":{"dtype":"BF16","shape":[],"data_offsets":[12,14]}}  )",
                14));
  const SafetensorsShard shard(path);
  ASSERT_EQ(shard.entries().size(), 3);
  EXPECT_EQ(shard.entries()[0].name, "c");
  EXPECT_THAT(shard.entries()[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(shard.entries()[1].name, "b");
  EXPECT_EQ(shard.entries()[1].bytes.size(), 8);
  EXPECT_THAT(shard.entries()[2].shape, ElementsAre(1));
}

TEST(SafetensorsShardTest, DamagedHeadersAreRefused) {
  CheckRefused("", "first eight bytes");
  CheckRefused("1234567", "first eight bytes");
  CheckRefused(Container("{}", 0).substr(0, 9), "header of 2 bytes");
  CheckRefused(std::string(8, '\xFF') + "{}", "header of 18446744073709551615 bytes");
  CheckRefused(Container("[]", 0), "no JSON object");
  CheckRefused(Container("{\"a\":", 0), "header");
  CheckRefused(Container(std::string(1'000, '[') + std::string(1'000, ']'), 0), "nested");
  CheckRefused(Container("{}", 5), "5 bytes at the end");
  CheckRefused(Container(R"({"\u001b":{}})", 0), "name");
}

TEST(SafetensorsShardTest, DamagedTensorsAreNamed) {
  const auto one = [](const std::string& info, std::size_t data) {
    CheckRefused(Container(R"({"w":)" + info + "}", data), "'w'");
  };
  one(R"(7)", 0);
  one(R"({"dtype":"F32","data_offsets":[0,4]})", 4);
  one(R"({"dtype":"F32","shape":[1]})", 4);
  one(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})", 4);
  one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,-4]})", 4);
  one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4);
  one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,8]})", 4);
  one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,1e30]})", 4);
  one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4);
  one(R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})", 0);
  one(R"({"dtype":"F32","shape":["1"],"data_offsets":[0,4]})", 4);
  one(R"({"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]})", 4);
  one(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0);
  one(R"({"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,0]})", 0);
  one(R"({"dtype":"Q99","shape":[1],"data_offsets":[0,4]})", 4);
  one(R"({"dtype":4,"shape":[1],"data_offsets":[0,4]})", 4);
  one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})", 8);  // a gap
  CheckRefused(Container(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                         R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                         6),
               "overlap");
}

TEST(SafetensorsShardTest, AFileCutAnywhereIsRefused) {
  const test::TempFolder folder;
  const std::string bytes =
      Container(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const fs::path path = folder.Write("m.safetensors", bytes.substr(0, length));
    EXPECT_THROW(SafetensorsShard{path}, Error) << length;
  }
}

// A sound folder for tests to spoil.
class HfFolderTest : public testing::Test {
 protected:
  explicit HfFolderTest(HfWeights weights = HfWeights::kBitLinear) {
    test::WriteTinySafetensors(test::MakeTinyModel({.hidden = 64, .layers = 1, .ffn = 64}), weights,
                               model());
  }
  [[nodiscard]] fs::path model() const { return folder_.path() / "model"; }
  void Change(const std::string& name, const std::function<void(json&)>& change) const {
    json value = json::parse(ReadFile(model() / name, 1U << 24U));
    change(value);
    folder_.Write("model/" + name, value.dump());
  }
  void CheckRefused(const std::string& named) const {
    EXPECT_THAT([&] { OpenModelFile(model()); }, ThrowsMessage<Error>(HasSubstr(named)));
  }
  // As if the folder had this tensor beside its others.
  void AddTensor(const std::string& name) const {
    const std::string bytes = ReadFile(model() / "model.safetensors", 1U << 24U);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof(length));
    json header = json::parse(bytes.substr(8, length));
    const std::size_t data = bytes.size() - 8 - length;
    header[name] = {{"dtype", "F32"}, {"shape", {1}}, {"data_offsets", {data, data + 4}}};
    folder_.Write(
        "model/model.safetensors",
        Container(header.dump(), 0) + bytes.substr(8 + length) + std::string("\0\0\x80\x3f", 4));
  }

  test::TempFolder folder_;
};

TEST_F(HfFolderTest, NamesAndKeysAreThoseOfGguf) {
  const auto file = OpenModelFile(model());
  EXPECT_EQ(file->Text("general.architecture"), "bitnet-b1.58");
  EXPECT_EQ(file->Text("general.name"), "model");
  EXPECT_EQ(file->Number("bitnet-b1.58.embedding_length"), 64);
  EXPECT_EQ(file->Text("sworn.rope.pairs"), "halves");
  const TensorView* const q = file->Find("blk.0.attn_q.weight");
  ASSERT_NE(q, nullptr);
  EXPECT_EQ(q->dtype, DType::kPackedUint8);
  EXPECT_THAT(q->shape, ElementsAre(64, 64));
  EXPECT_EQ(file->Find("blk.0.ffn_norm.weight")->dtype, DType::kBf16);
  EXPECT_EQ(file->Find("blk.0.attn_sub_norm.weight")->columns(), 64);
  EXPECT_TRUE(ReadModelConfig(*file).ternary);
  EXPECT_EQ(file->Sha256(), ToHex(Sha256OfFile((model() / "model.safetensors").native())));
  file->Release(*q);
}

TEST_F(HfFolderTest, OneFileWithItsConfigBesideItIsAModelToo) {
  fs::rename(model() / "model.safetensors", model() / "other.safetensors");
  EXPECT_EQ(OpenModelFile(model() / "other.safetensors")->tensors().size(),
            OpenModelFile(model())->tensors().size());
}

TEST_F(HfFolderTest, TheScaleDividesOrMultipliesAsTheClassSays) {
  const auto scale = [&] {
    const auto file = OpenModelFile(model());
    return TernaryScale(*file, *file->Find("blk.0.attn_q.weight"));
  };
  EXPECT_THAT(scale(), Optional(0x1p-4F));  // stored: 16
  Change("config.json",
         [](json& config) { config["quantization_config"]["linear_class"] = "autobitlinear"; });
  EXPECT_THAT(scale(), Optional(16.0F));
  Change("config.json",
         [](json& config) { config["quantization_config"]["linear_class"] = "bitlinear"; });
  EXPECT_THAT(scale(), Optional(0x1p-4F));
  Change("config.json",
         [](json& config) { config["quantization_config"]["linear_class"] = "other"; });
  CheckRefused("linear_class");
}

TEST_F(HfFolderTest, ModelsThatAreNotBuiltAreRefused) {
  const json sound = json::parse(ReadFile(model() / "config.json", 1U << 20U));
  const auto refused = [&](const std::function<void(json&)>& change, const std::string& named) {
    folder_.Write("model/config.json", sound.dump());
    Change("config.json", change);
    CheckRefused(named);
  };
  refused([](json& c) { c["architectures"] = {"GPT2LMHeadModel"}; }, "GPT2LMHeadModel");
  refused([](json& c) { c["architectures"] = json::array(); }, "architectures");
  refused([](json& c) { c["hidden_act"] = "gelu"; }, "gelu");
  refused([](json& c) { c["hidden_size"] = "64"; }, "hidden_size");
  refused([](json& c) { c["hidden_size"] = -64; }, "hidden_size");
  refused([](json& c) { c["partial_rotary_factor"] = 0.5; }, "rotated in part");
  refused([](json& c) { c["quantization_config"]["quant_method"] = "gptq"; }, "gptq");
  refused([](json& c) { c["quantization_config"]["use_rms_norm"] = true; }, "norm");
  folder_.Write("model/config.json", sound.dump());
  Change("config.json", [](json& c) { c["rope_scaling"] = {{"rope_type", "yarn"}}; });
  EXPECT_THAT([&] { ReadModelConfig(*OpenModelFile(model())); },
              ThrowsMessage<Error>(HasSubstr("scaled rotary")));
  fs::remove(model() / "config.json");
  EXPECT_THROW(OpenModelFile(model() / "model.safetensors"), Error);
}

TEST_F(HfFolderTest, NewerConfigsKeepThetaWithTheRotation) {
  Change("config.json", [](json& config) {
    config.erase("rope_theta");
    config["rope_parameters"] = {{"rope_theta", 1'000'000.0}, {"rope_type", "default"}};
  });
  EXPECT_EQ(ReadModelConfig(*OpenModelFile(model())).rope_theta, 1e6F);
}

TEST_F(HfFolderTest, TensorsOfOtherGraphsAreRefused) {
  AddTensor("model.layers.0.self_attn.q_norm.weight");
  CheckRefused("q_norm");
}

TEST_F(HfFolderTest, FrequenciesThatAreComputedAreSkipped) {
  const std::size_t before = OpenModelFile(model())->tensors().size();
  AddTensor("model.layers.0.self_attn.rotary_emb.inv_freq");
  EXPECT_EQ(OpenModelFile(model())->tensors().size(), before);
}

TEST_F(HfFolderTest, AScaleOfWeightsThatAreNotPackedIsRefused) {
  AddTensor("model.layers.0.input_layernorm.weight_scale");
  CheckRefused("blk.0.attn_norm.scale");
}

TEST_F(HfFolderTest, ABiasIsRefusedByTheConfiguration) {
  AddTensor("model.layers.0.self_attn.q_proj.bias");
  EXPECT_THAT([&] { ReadModelConfig(*OpenModelFile(model())); },
              ThrowsMessage<Error>(HasSubstr("blk.0.attn_q.bias")));
}

TEST_F(HfFolderTest, AnIndexStaysInItsFolder) {
  fs::rename(model() / "model.safetensors", folder_.path() / "outside.safetensors");
  folder_.Write("model/model.safetensors.index.json",
                R"({"weight_map":{"model.norm.weight":"../outside.safetensors"}})");
  CheckRefused("another kind or folder");
  folder_.Write("model/model.safetensors.index.json", R"({"weight_map":{"a":7}})");
  CheckRefused("has no file");
  folder_.Write("model/model.safetensors.index.json", "{}");
  CheckRefused("weight_map");
}

}  // namespace
}  // namespace sworn::llm
