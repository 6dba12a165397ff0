#include "indexer/document_builder.h"

#include <gtest/gtest.h>

#include "llm/embed/hashing_embedder.h"

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

TEST(DocumentBuilderTest, FlagsSayWhatWasHiddenRemovedOrRead) {
  ExtractedText extracted = OneParagraph("The tide turns at noon.");
  extracted.metadata["hidden_elements"] = "3";
  extracted.removed.zero_width = 1;
  extracted.removed.invalid = 1;
  extracted.blocks[0].ocr = true;
  const store::NewContent content =
      BuildContent({"00", "text/html", "tide.html", {}}, extracted, {}, llm::HashingEmbedder());
  EXPECT_EQ(content.flags, "hidden_characters,hidden_elements,invalid_characters,ocr");
  EXPECT_EQ(content.metadata.at("hidden_elements"), "3");
}

TEST(DocumentBuilderTest, AnOrdinaryDocumentHasNoFlags) {
  const store::NewContent content =
      BuildContent({"00", "text/plain", "tide_table.txt", {}},
                   OneParagraph("The tide turns at noon."), {}, llm::HashingEmbedder());
  EXPECT_EQ(content.flags, "");
  ASSERT_EQ(content.chunks.size(), 1U);
  EXPECT_EQ(content.text.substr(content.chunks[0].range.begin), "The tide turns at noon.");
}

}  // namespace
}  // namespace sworn::indexer
