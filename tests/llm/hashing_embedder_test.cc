#include "llm/embed/hashing_embedder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "core/crypto.h"

namespace sworn::llm {
namespace {

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(HashingEmbedderTest, RowsHaveUnitNormOrAreZero) {
  const HashingEmbedder embedder;
  const std::vector<float> vector = embedder.EmbedQuery("A notice period of sixty days.");
  ASSERT_EQ(vector.size(), HashingEmbedder::kDimension);
  EXPECT_NEAR(Dot(vector, vector), 1, 1e-5);
  const std::vector<float> empty = embedder.EmbedQuery(" ... ");
  EXPECT_TRUE(std::all_of(empty.begin(), empty.end(), [](float value) { return value == 0; }));
}

TEST(HashingEmbedderTest, ABatchGivesTheSameBitsAsSingleTexts) {
  const HashingEmbedder embedder;
  const std::array<std::string_view, 3> texts = {"first text", "", "zweiter Text mit Übergröße"};
  const std::vector<float> rows = embedder.EmbedPassages(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<float> one = embedder.EmbedQuery(texts[i]);
    EXPECT_TRUE(std::equal(one.begin(), one.end(),
                           rows.begin() + static_cast<std::ptrdiff_t>(i * one.size())));
  }
}

TEST(HashingEmbedderTest, RelatedWordsAreNearerThanOthers) {
  const HashingEmbedder embedder;
  const std::vector<float> query = embedder.EmbedQuery("terminate");
  EXPECT_GT(Dot(query, embedder.EmbedQuery("termination")), 0.3);
  EXPECT_LT(Dot(query, embedder.EmbedQuery("kidney")), 0.2);
}

TEST(HashingEmbedderTest, CaseDoesNotMatter) {
  const HashingEmbedder embedder;
  EXPECT_EQ(embedder.EmbedQuery("KÜNDIGUNG"), embedder.EmbedQuery("kündigung"));
}

// The bits that every machine must give; they change with the identity's version only.
TEST(HashingEmbedderTest, GivesTheSameBitsOnEveryMachine) {
  std::string text = "Straße, notice period";
  for (int i = 0; i < 100; ++i) text += " often";
  std::string bits;
  for (const float value : HashingEmbedder().EmbedQuery(text)) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bits += static_cast<char>(word >> shift & 0xFF);
  }
  EXPECT_EQ(ToHex(Sha256(bits)),
            "02e42d1dd49a563cf48807f453d43a1c4e07bb51a22d8c07b317010a76c1cbd9");
}

TEST(HashingEmbedderTest, TheIdentityChangesWithAnyPartOfIt) {
  EmbedderIdentity identity = HashingEmbedder().identity();
  const std::string digest = identity.Digest();
  EXPECT_EQ(digest.size(), 64U);
  identity.version = "2";
  EXPECT_NE(identity.Digest(), digest);
}

}  // namespace
}  // namespace sworn::llm
