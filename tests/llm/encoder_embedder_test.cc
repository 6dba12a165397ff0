#include "llm/embed/encoder_embedder.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/llm/engine_fixture.h"
#include "tests/llm/fake_model_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_encoder.h"

namespace sworn::llm {
namespace {

using sworn::test::MakeTinyEncoder;
using sworn::test::TempFolder;
using sworn::test::TinyEncoder;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Loaded {
  explicit Loaded(const TinyEncoder& tiny, std::size_t threads = 1,
                  const EmbeddingSettings& settings = {"", "", "mean"})
      : team(threads) {
    const TempFolder folder;
    WriteTinyEncoderGguf(tiny, folder.path() / "tiny.gguf");
    const auto& kernels = *kernels::RunnableKernels().front();
    embedder = std::make_unique<EncoderEmbedder>(
        "tiny", "f00d",
        EncoderModel::Load(OpenModelFile(folder.path() / "tiny.gguf"), kernels, team), team,
        settings);
  }
  ThreadTeam team;
  std::unique_ptr<EncoderEmbedder> embedder;
};

std::vector<float> Row(const std::vector<float>& rows, std::size_t row, std::size_t dimension) {
  const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(row * dimension);
  return {begin, begin + static_cast<std::ptrdiff_t>(dimension)};
}

TEST(EncoderEmbedderTest, VectorsHaveLengthOneAndBlankTextsNone) {
  const Loaded loaded(MakeTinyEncoder({}));
  const std::vector<std::string_view> texts = {"the things", " \n\t", "", "of a kind"};
  const std::vector<float> rows = loaded.embedder->EmbedPassages(texts);
  ASSERT_EQ(rows.size(), 4 * 48U);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    double square = 0;
    for (const float v : Row(rows, i, 48)) square += static_cast<double>(v) * v;
    EXPECT_NEAR(square, i == 0 || i == 3 ? 1 : 0, 1e-6) << i;
  }
  EXPECT_TRUE(loaded.embedder->EmbedPassages({}).empty());
}

TEST(EncoderEmbedderTest, AVectorDoesNotDependOnTheBatchOrTheThreads) {
  const TinyEncoder tiny = MakeTinyEncoder({.positions = 300});
  const Loaded one(tiny);
  const Loaded three(tiny, 3);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 40; ++i) {
    std::string text;
    for (std::size_t j = 0; j <= i * i % 97; ++j) {
      text += static_cast<char>('a' + (i + j) % 26);
      text += j % 3 == 0 ? " " : "";
    }
    texts.push_back(text);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const std::vector<float> together = three.embedder->EmbedPassages(views);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(test::Bits(one.embedder->EmbedQuery(texts[i])), test::Bits(Row(together, i, 48)))
        << i;
  }
}

TEST(EncoderEmbedderTest, PrefixesAndPoolingArePartOfTheIdentity) {
  const TinyEncoder tiny = MakeTinyEncoder({});
  const Loaded plain(tiny);
  const Loaded prefixed(tiny, 1, {"the ", "of ", "mean"});
  const Loaded first(tiny, 1, {"", "", "cls"});
  EXPECT_EQ(prefixed.embedder->EmbedQuery("kind"), plain.embedder->EmbedQuery("the kind"));
  const std::vector<std::string_view> kind = {"kind"};
  EXPECT_EQ(prefixed.embedder->EmbedPassages(kind), plain.embedder->EmbedQuery("of kind"));
  EXPECT_NE(first.embedder->EmbedQuery("kind"), plain.embedder->EmbedQuery("kind"));
  EXPECT_EQ(first.embedder->identity().pooling, "cls");
  EXPECT_NE(plain.embedder->identity().Digest(), prefixed.embedder->identity().Digest());
  EXPECT_NE(plain.embedder->identity().Digest(), first.embedder->identity().Digest());
  EXPECT_THAT(
      [&] {
        Loaded(tiny, 1, {"", "", "last"});
      },
      ThrowsMessage<Error>(HasSubstr("'last'")));
}

TEST(EncoderEmbedderTest, TheFirstTokensVectorIsItsHiddenState) {
  const TinyEncoder tiny = MakeTinyEncoder({});
  const Loaded loaded(tiny, 1, {"", "", "cls"});
  const TempFolder folder;
  WriteTinyEncoderGguf(tiny, folder.path() / "tiny.gguf");
  ThreadTeam team(1);
  const auto model = EncoderModel::Load(OpenModelFile(folder.path() / "tiny.gguf"),
                                        *kernels::RunnableKernels().front(), team);
  Encoder encoder(*model, team);
  const auto tokens = model->Encode("the kind");
  const std::size_t end = tokens.size();
  const auto states = encoder.Run(tokens, std::span(&end, 1), CancelFlag());
  double square = 0;
  for (std::size_t d = 0; d < 48; ++d) square += static_cast<double>(states[d]) * states[d];
  const auto vector = loaded.embedder->EmbedQuery("the kind");
  for (std::size_t d = 0; d < 48; ++d) {
    EXPECT_NEAR(vector[d], static_cast<double>(states[d]) / std::sqrt(square), 1e-6);
  }
}

TEST(EncoderEmbedderTest, WeightsThatAreNoNumbersGiveAnError) {
  TinyEncoder tiny = MakeTinyEncoder({});
  tiny.tensor("blk.0.ffn_down.weight").values[5] = std::numeric_limits<float>::quiet_NaN();
  const Loaded loaded(tiny);
  EXPECT_THAT([&] { static_cast<void>(loaded.embedder->EmbedQuery("kind")); },
              ThrowsMessage<Error>(HasSubstr("not finite")));
}

TEST(EncoderEmbedderTest, WeightsOfZerosGiveZeros) {
  TinyEncoder tiny = MakeTinyEncoder({});
  for (auto& tensor : tiny.tensors) {
    if (tensor.name.find("norm") != std::string::npos) {
      std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
    }
  }
  const Loaded loaded(tiny);
  EXPECT_EQ(loaded.embedder->EmbedQuery("kind"), std::vector<float>(48, 0.0F));
}

TEST(EncoderEmbedderTest, TruncatedFilesAreRefused) {
  const TempFolder folder;
  const auto path = folder.path() / "tiny.gguf";
  WriteTinyEncoderGguf(MakeTinyEncoder({}), path);
  const std::uintmax_t size = std::filesystem::file_size(path);
  for (const std::uintmax_t part : {size - 1, size / 2, size / 100}) {
    std::filesystem::resize_file(path, part);
    EXPECT_THROW(OpenModelFile(path), Error) << part;
  }
}

EmbeddingSettings Suggested(const std::string& name, test::FakeModelFile file = {}) {
  return SuggestSettings(file, name);
}

// The file is no encoder, so the last token is what counts.
TEST(EmbeddingSettingsTest, WellKnownModelsBringTheirPrefixes) {
  const std::string search = "Represent this sentence for searching relevant passages: ";
  EXPECT_EQ(Suggested("BGE_small-EN-v1.5"), (EmbeddingSettings{search, "", "last"}));
  EXPECT_EQ(Suggested("snowflake-arctic-embed-xs"), (EmbeddingSettings{search, "", "last"}));
  EXPECT_EQ(Suggested("multilingual-e5-small-q8"),
            (EmbeddingSettings{"query: ", "passage: ", "last"}));
  EXPECT_EQ(Suggested("all-MiniLM-L6-v2"), (EmbeddingSettings{"", "", "last"}));
  EXPECT_EQ(Suggested("my-model"), (EmbeddingSettings{"", "", "last"}));
}

TEST(EmbeddingSettingsTest, TheFilesOwnWordCountsMore) {
  test::FakeModelFile file;
  file.values["general.name"] = std::string("e5-base");
  EXPECT_EQ(Suggested("model", file).query_prefix, "query: ");
  file.values["sworn.embedding.query_prefix"] = std::string("ask: ");
  file.values["sworn.embedding.passage_prefix"] = std::string();
  EXPECT_EQ(Suggested("model", file), (EmbeddingSettings{"ask: ", "", "last"}));
}

TEST(EmbeddingSettingsTest, AnEncodersPoolingComesFromItsFile) {
  const TempFolder folder;
  const auto settings = [&](std::uint64_t pooling_type, const std::string& name) {
    const auto path = folder.path() / "m.gguf";
    WriteTinyEncoderGguf(MakeTinyEncoder({.pooling_type = pooling_type}), path);
    return SuggestSettings(*OpenModelFile(path), name).pooling;
  };
  EXPECT_EQ(settings(2, "minilm"), "cls");
  EXPECT_EQ(settings(0, "bge-small-en"), "cls");
  EXPECT_EQ(settings(0, "mine"), "mean");
}

}  // namespace
}  // namespace sworn::llm
