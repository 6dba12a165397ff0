#include "api/service/sentence_stream.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sworn::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
  std::vector<WrittenSentence> sentences;
  bool cut = false;
};

Read ReadPieces(const std::vector<std::string>& pieces, bool cut = false) {
  Read read;
  SentenceStream stream("en");
  const auto sink = [&read](const WrittenSentence& one) { read.sentences.push_back(one); };
  for (const std::string& piece : pieces) stream.Add(piece, sink);
  read.cut = stream.Finish(cut, sink);
  return read;
}

using Numbers = std::vector<std::uint32_t>;

TEST(ParseMarkTest, ReadsNumbersAndNothingElse) {
  EXPECT_THAT(ParseMark("[1]"), ElementsAre(1));
  EXPECT_THAT(ParseMark("[2, 13;4]"), ElementsAre(2, 13, 4));
  for (const char* text : {"[]", "[a]", "[1", "1]", "[1,]", "[1 2]", "[-1]", "[99999999999]", ""}) {
    EXPECT_THAT(ParseMark(text), IsEmpty()) << text;
  }
}

TEST(SentenceStreamTest, MarksBelongToTheSentenceTheyStandInOrBehind) {
  const Read read = ReadPieces(
      {"The rent is 500 euros [1]. It is due on Monday. [2] [3, 1] Pets are allowed [2, 2]."});
  ASSERT_EQ(read.sentences.size(), 3U);
  EXPECT_EQ(read.sentences[0], (WrittenSentence{"The rent is 500 euros.", {1}}));
  EXPECT_EQ(read.sentences[1], (WrittenSentence{"It is due on Monday.", {2, 3, 1}}));
  EXPECT_EQ(read.sentences[2], (WrittenSentence{"Pets are allowed.", {2}}));
}

TEST(SentenceStreamTest, AMarkBeforeEverythingBelongsToTheFirstSentence) {
  const Read read = ReadPieces({"[4] The rent is due."});
  ASSERT_EQ(read.sentences.size(), 1U);
  EXPECT_EQ(read.sentences[0], (WrittenSentence{"The rent is due.", {4}}));
}

TEST(SentenceStreamTest, OtherBracketsAreText) {
  const Read read = ReadPieces({"The [sic] rent [a1] is [12 due."});
  ASSERT_EQ(read.sentences.size(), 1U);
  EXPECT_EQ(read.sentences[0].text, "The [sic] rent [a1] is [12 due.");
  EXPECT_THAT(read.sentences[0].cited, IsEmpty());
}

TEST(SentenceStreamTest, ASentenceIsHandedOnBeforeTheTextEnds) {
  std::vector<WrittenSentence> sentences;
  SentenceStream stream("en");
  const auto sink = [&](const WrittenSentence& one) { sentences.push_back(one); };
  stream.Add("The rent is 500 euros [1]. It is", sink);
  EXPECT_EQ(sentences.size(), 0U);  // "It" alone could still belong to "Dr. It"
  stream.Add(" due on", sink);
  EXPECT_EQ(sentences.size(), 1U);
}

TEST(SentenceStreamTest, TheSentencesDoNotDependOnThePieces) {
  const std::string text =
      "Dr. Smith paid 3.5 million euros [1]. \"It was due,\" he said [2, 3]! See Art. 7 of the "
      "contract.\n\n- First item [1]\n- Second item. [2]\nDie K\u00fcndigung wirkt. \u00bfY "
      "qu\u00e9? [9] The end";
  const Read whole = ReadPieces({text});
  EXPECT_GE(whole.sentences.size(), 5U);
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = 1 + random() % 12;
      pieces.push_back(text.substr(at, length));
      at += length;
    }
    EXPECT_EQ(ReadPieces(pieces).sentences, whole.sentences) << "seed 7, round " << round;
  }
}

TEST(SentenceStreamTest, AnUnfinishedLastSentenceOfACutTextIsDropped) {
  Read read = ReadPieces({"The rent is due. The deposit is thr"}, true);
  ASSERT_EQ(read.sentences.size(), 1U);
  EXPECT_TRUE(read.cut);
  read = ReadPieces({"The rent is due. The deposit is three months."}, true);
  EXPECT_EQ(read.sentences.size(), 2U);
  EXPECT_FALSE(read.cut);
  read = ReadPieces({"The rent is due. The deposit is thr"});
  EXPECT_EQ(read.sentences.size(), 2U);
}

TEST(SentenceStreamTest, NothingGivesNothing) {
  EXPECT_THAT(ReadPieces({}).sentences, IsEmpty());
  EXPECT_THAT(ReadPieces({" \n", "[1]", " "}).sentences, IsEmpty());
}

}  // namespace
}  // namespace sworn::service
