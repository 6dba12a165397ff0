#include "llm/embed/decoder_embedder.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/llm/engine_fixture.h"

namespace sworn::llm {
namespace {

using sworn::test::MakeTinyModel;
using sworn::test::TempFolder;
using sworn::test::TinyModel;
using test::Bits;

constexpr std::size_t kHidden = 128;

TinyModel Tiny(const std::string& architecture, std::size_t context = 1'024) {
  return MakeTinyModel({.architecture = architecture,
                        .hidden = kHidden,
                        .heads = 4,
                        .kv_heads = 1,
                        .head_dim = 64,
                        .ffn = 256,
                        .context = context,
                        .seed = 5});
}

class DecoderEmbedderTest : public testing::TestWithParam<const char*> {
 protected:
  DecoderEmbedderTest() : embedder_(Make(Tiny(GetParam()), {})) {}

  std::shared_ptr<const Model> Load(const TinyModel& tiny) {
    WriteTinyGguf(tiny, folder_.path() / "tiny.gguf");
    return Model::Load(OpenModelFile(folder_.path() / "tiny.gguf"), *kernels::FindKernels(""),
                       team_, Purpose::kEmbed);
  }
  std::unique_ptr<DecoderEmbedder> Make(const TinyModel& tiny,
                                        const DecoderEmbedderOptions& options) {
    return std::make_unique<DecoderEmbedder>(Load(tiny), team_, options);
  }
  std::vector<std::uint32_t> Passage(std::string_view text) {
    return Bits(embedder_->EmbedPassages(std::span(&text, 1)));
  }

  TempFolder folder_;
  ThreadTeam team_{2};
  std::unique_ptr<DecoderEmbedder> embedder_;
};

double Length(std::span<const float> vector) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  return std::sqrt(square);
}

TEST_P(DecoderEmbedderTest, GivesUnitVectorsAndZerosForBlankTexts) {
  const std::string_view texts[] = {"the answer", "", "a passage of words", " \n\t "};
  const std::vector<float> rows = embedder_->EmbedPassages(texts);
  ASSERT_EQ(rows.size(), 4 * kHidden);
  for (const std::size_t row : {0U, 2U}) {
    EXPECT_NEAR(Length(std::span(rows).subspan(row * kHidden, kHidden)), 1, 1e-5);
  }
  for (const std::size_t row : {1U, 3U}) {
    EXPECT_EQ(Length(std::span(rows).subspan(row * kHidden, kHidden)), 0);
  }
  EXPECT_TRUE(embedder_->EmbedPassages({}).empty());
}

TEST_P(DecoderEmbedderTest, GivesTheSameBitsForAnyBatch) {
  const unsigned seed = 9;
  std::cout << "seed " << seed << '\n';
  std::mt19937 random(seed);
  std::vector<std::string> texts;
  for (int i = 0; i < 30; ++i) texts.emplace_back(1 + random() % 200, 'x');
  for (std::string& text : texts) {
    for (char& c : text) c = random() % 5 == 0 ? ' ' : static_cast<char>('a' + random() % 26);
    text.front() = 'a';  // not blank
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto rows = Bits(embedder_->EmbedPassages(views));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<std::uint32_t> row(
        rows.begin() + static_cast<std::ptrdiff_t>(i * kHidden),
        rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * kHidden));
    EXPECT_EQ(Passage(texts[i]), row) << texts[i].size();
  }
}

TEST_P(DecoderEmbedderTest, PutsThePrefixBeforeTheTextAndTheEndBehind) {
  const auto embedder = Make(
      Tiny(GetParam()),
      {.id = "tiny", .sha256 = "abc", .query_prefix = "Query: ", .passage_prefix = "Passage: "});
  EXPECT_EQ(Bits(embedder->EmbedQuery("words")), Passage("Query: words"));
  const std::string_view text = "words";
  EXPECT_EQ(Bits(embedder->EmbedPassages(std::span(&text, 1))), Passage("Passage: words"));
  const EmbedderIdentity& identity = embedder->identity();
  EXPECT_EQ(identity.name, "tiny");
  EXPECT_EQ(identity.state_sha256, "abc");
  EXPECT_EQ(identity.dimension, kHidden);
  EXPECT_EQ(identity.query_prefix, "Query: ");
  EXPECT_EQ(identity.pooling, "last");
  EXPECT_EQ(identity.storage, "f32");

  // The tokens by hand: the begin where the vocabulary has one, the text, the end.
  const auto model = Load(Tiny(GetParam()));
  std::vector<Token> tokens = {*model->tokenizer().bos()};
  const auto encoded = model->tokenizer().Encode("words");
  tokens.insert(tokens.end(), encoded.begin(), encoded.end());
  tokens.push_back(Tiny(GetParam()).vocabulary.end_of_text);
  SequenceEncoder encoder(*model, team_, 64);
  const std::span<const Token> sequences[] = {tokens};
  const auto state = encoder.LastStates(sequences, CancelFlag());
  const auto vector = embedder_->EmbedPassages(std::span(&text, 1));
  for (std::size_t i = 0; i < kHidden; ++i) {
    EXPECT_NEAR(vector[i], state[i] / Length(state), 1e-6);
  }
}

TEST_P(DecoderEmbedderTest, CutsLongTextsAndKeepsTheEnd) {
  const auto embedder = Make(Tiny(GetParam(), 20), {});
  const std::string long_text(500, 'q');
  const std::vector<std::string> texts = {long_text, long_text + "!", std::string(300, 'q')};
  std::set<std::vector<std::uint32_t>> distinct;
  for (const std::string& text : texts) distinct.insert(Bits(embedder->EmbedQuery(text)));
  EXPECT_EQ(distinct.size(), 1U);
  EXPECT_NE(Bits(embedder->EmbedQuery("qqqq")), *distinct.begin());
}

TEST_P(DecoderEmbedderTest, RoundsToTheStorage) {
  const auto embedder = Make(Tiny(GetParam()), {.storage = VectorStorage::kInt1});
  EXPECT_EQ(embedder->identity().storage, "i1");
  const std::vector<float> vector = embedder->EmbedQuery("some words");
  EXPECT_EQ(std::set<float>(vector.begin(), vector.end()).size(), 2U);
  EXPECT_NEAR(Length(vector), 1, 1e-5);
}

TEST_P(DecoderEmbedderTest, RefusesWhatIsNoText) {
  EXPECT_THAT([&] { (void)embedder_->EmbedQuery("\xFF\xFE"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("UTF-8")));
}

TEST_P(DecoderEmbedderTest, NamesTheModelThatGivesNoNumbers) {
  TinyModel damaged = Tiny(GetParam());
  for (sworn::test::TinyTensor& tensor : damaged.tensors) {
    if (tensor.name != "output_norm.weight") continue;
    const float nan = std::nanf("");
    std::memcpy(tensor.bytes.data(), &nan, sizeof nan);
  }
  const auto embedder = Make(damaged, {.id = "damaged"});
  EXPECT_THAT([&] { (void)embedder->EmbedQuery("words"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("'damaged'")));
}

INSTANTIATE_TEST_SUITE_P(Architectures, DecoderEmbedderTest, testing::Values("gemma3", "qwen3"));

}  // namespace
}  // namespace sworn::llm
