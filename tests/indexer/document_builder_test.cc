#include "indexer/document_builder.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/embedder.h"

namespace sworn::indexer {
namespace {

ExtractedText OneParagraph(const std::string& text) {
  ExtractedText extracted;
  extracted.text = text;
  Block block;
  block.range = {0, text.size()};
  extracted.blocks.push_back(block);
  return extracted;
}

/// A text's length and its number of lines.
class CountingEmbedder : public Embedder {
 public:
  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::vector<float> EmbedQuery(std::string_view text) const override {
    return EmbedPassages({&text, 1});
  }
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override {
    std::vector<float> rows;
    for (const std::string_view text : texts) {
      rows.push_back(static_cast<float>(text.size()));
      rows.push_back(static_cast<float>(1 + std::count(text.begin(), text.end(), '\n')));
    }
    return rows;
  }

 private:
  EmbedderIdentity identity_{.name = "counting",
                             .version = "1",
                             .dimension = 2,
                             .state_sha256 = {},
                             .query_prefix = {},
                             .passage_prefix = {},
                             .pooling = "none"};
};

TEST(DocumentBuilderTest, AReaderOfTextsEmbedsPassagesWithTheirTitle) {
  const CountingEmbedder embedder;
  const store::NewContent content = BuildContent(
      {"00", "text/plain", "tide.txt", {}}, OneParagraph("The tide turns at noon."), {}, &embedder);
  ASSERT_EQ(content.chunks.size(), 1U);
  EXPECT_EQ(content.chunks[0].vector, (std::vector<float>{28, 2}));
}

TEST(DocumentBuilderTest, WithoutOnePassagesHaveNoVectors) {
  const store::NewContent content = BuildContent(
      {"00", "text/plain", "tide.txt", {}}, OneParagraph("The tide turns at noon."), {}, nullptr);
  ASSERT_EQ(content.chunks.size(), 1U);
  EXPECT_TRUE(content.chunks[0].vector.empty());
}

TEST(DocumentBuilderTest, FlagsSayWhatWasHiddenRemovedOrRead) {
  ExtractedText extracted = OneParagraph("The tide turns at noon.");
  extracted.metadata["hidden_elements"] = "3";
  extracted.removed.zero_width = 1;
  extracted.removed.invalid = 1;
  extracted.blocks[0].ocr = true;
  const store::NewContent content =
      BuildContent({"00", "text/html", "tide.html", {}}, extracted, {}, nullptr);
  EXPECT_EQ(content.flags, "hidden_characters,hidden_elements,invalid_characters,ocr");
  EXPECT_EQ(content.metadata.at("hidden_elements"), "3");
}

TEST(DocumentBuilderTest, AnOrdinaryDocumentHasNoFlags) {
  const store::NewContent content =
      BuildContent({"00", "text/plain", "tide_table.txt", {}},
                   OneParagraph("The tide turns at noon."), {}, nullptr);
  EXPECT_EQ(content.flags, "");
  ASSERT_EQ(content.chunks.size(), 1U);
  EXPECT_EQ(content.text.substr(content.chunks[0].range.begin), "The tide turns at noon.");
}

}  // namespace
}  // namespace sworn::indexer
