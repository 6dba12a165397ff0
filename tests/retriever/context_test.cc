#include "retriever/context.h"

#include <gtest/gtest.h>

#include "tests/support/fake_snapshot.h"

namespace sworn::retriever {
namespace {

using test::FakeSnapshot;

std::vector<Hit> HitsFor(const FakeSnapshot& snapshot, const std::vector<ChunkId>& ids) {
  std::vector<Hit> hits;
  for (const ChunkId id : ids) {
    Hit hit;
    hit.rank = static_cast<std::uint32_t>(hits.size() + 1);
    hit.place.chunk_id = id;
    hit.place.score = 1.0 / hit.rank;
    hit.chunk = snapshot.LoadChunks({&id, 1}).front();
    hits.push_back(hit);
  }
  return hits;
}

/// What must hold of every context, whatever the hits.
void CheckContext(const FakeSnapshot& snapshot, const Context& context, std::size_t budget) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < context.passages.size(); ++i) {
    const Passage& passage = context.passages[i];
    EXPECT_EQ(passage.number, i + 1);
    const auto text = snapshot.LoadText(passage.chunks.front().document_id, 1);
    ASSERT_TRUE(text);
    EXPECT_EQ(passage.text,
              text->substr(passage.range.begin, passage.range.end - passage.range.begin));
    used += passage.text.size();
  }
  EXPECT_LE(used, budget);
}

TEST(ContextTest, JoinsNeighboursOfADocumentAndKeepsTheOrderOfTheBest) {
  FakeSnapshot snapshot;
  snapshot.Add("A", {"one", "two", "three", "four"});
  snapshot.Add("B", {"five"});
  const Context context = BuildContext(snapshot, HitsFor(snapshot, {2, 5, 3, 1}));
  ASSERT_EQ(context.passages.size(), 2U);
  EXPECT_EQ(context.passages[0].text, "one\n\ntwo\n\nthree");
  EXPECT_EQ(context.passages[0].chunks.size(), 3U);
  EXPECT_EQ(context.passages[0].chunks[context.passages[0].best].text, "two");
  EXPECT_DOUBLE_EQ(context.passages[0].score, 1);
  EXPECT_EQ(context.passages[1].text, "five");
  CheckContext(snapshot, context, 12000);
}

TEST(ContextTest, AChunkBetweenTwoPassagesJoinsBoth) {
  FakeSnapshot snapshot;
  snapshot.Add("A", {"one", "two", "three"});
  const Context context = BuildContext(snapshot, HitsFor(snapshot, {1, 3, 2}));
  ASSERT_EQ(context.passages.size(), 1U);
  EXPECT_EQ(context.passages[0].text, "one\n\ntwo\n\nthree");
  EXPECT_EQ(context.passages[0].best, 0U);
}

TEST(ContextTest, OverlappingChunksAreNotDoubled) {
  FakeSnapshot snapshot;
  snapshot.Add("A", {"First sentence. Second sentence.", "Third sentence."});
  // The second chunk begins with the last sentence of the first.
  const std::uint64_t begin = std::string("First sentence. ").size();
  snapshot.chunk(2).range.begin = begin;
  snapshot.chunk(2).text = snapshot.LoadText("d_1", 1)->substr(begin);
  const Context context = BuildContext(snapshot, HitsFor(snapshot, {2, 1}));
  ASSERT_EQ(context.passages.size(), 1U);
  EXPECT_EQ(context.passages[0].text, "First sentence. Second sentence.\n\nThird sentence.");
}

TEST(ContextTest, SkipsWhatDoesNotFitAndTakesWhatDoes) {
  FakeSnapshot snapshot;
  snapshot.Add("A", {"0123456789"});
  snapshot.Add("B", {"0123456789012345678901234567890"});
  snapshot.Add("C", {"01234"});
  ContextOptions options;
  options.budget = 16;
  const Context context = BuildContext(snapshot, HitsFor(snapshot, {1, 2, 3}), options);
  ASSERT_EQ(context.passages.size(), 2U);
  EXPECT_EQ(context.passages[1].text, "01234");
  CheckContext(snapshot, context, 16);
}

TEST(ContextTest, CutsTheFirstHitAtACodePoint) {
  FakeSnapshot snapshot;
  snapshot.Add("A", {"äöüäöü"});
  ContextOptions options;
  options.budget = 5;
  const Context context = BuildContext(snapshot, HitsFor(snapshot, {1}), options);
  ASSERT_EQ(context.passages.size(), 1U);
  EXPECT_EQ(context.passages[0].text, "äö");
  CheckContext(snapshot, context, 5);
}

TEST(ContextTest, CountsInTheGivenMeasureAndKeepsTheLimitOfPassages) {
  FakeSnapshot snapshot;
  for (int i = 0; i < 5; ++i) snapshot.Add("A", {"some text " + std::to_string(i)});
  ContextOptions options;
  options.max_passages = 3;
  EXPECT_EQ(BuildContext(snapshot, HitsFor(snapshot, {1, 2, 3, 4, 5}), options).passages.size(),
            3U);
  options.measure = [](std::string_view) { return std::size_t{6000}; };
  EXPECT_EQ(BuildContext(snapshot, HitsFor(snapshot, {1, 2, 3, 4, 5}), options).passages.size(),
            2U);
  EXPECT_TRUE(BuildContext(snapshot, {}, options).passages.empty());
}

TEST(ContextTest, NarrowsPageAndLinesToTheSpan) {
  FakeSnapshot snapshot;
  snapshot.Add("A", {"line one\nline two\fline three\nline four"});
  snapshot.chunk(1).location.page = 4;
  snapshot.chunk(1).location.page_end = 5;
  snapshot.chunk(1).location.page_label = "iv";
  snapshot.chunk(1).location.line_begin = 20;
  snapshot.chunk(1).location.line_end = 22;
  const Context context = BuildContext(snapshot, HitsFor(snapshot, {1}));
  const Passage& passage = context.passages.front();
  const Location first = LocateSpan(passage, {9, 17});
  EXPECT_EQ(first.page, 4U);
  EXPECT_EQ(first.page_end, 4U);
  EXPECT_EQ(first.page_label, "iv");
  EXPECT_EQ(first.line_begin, 21U);
  EXPECT_EQ(first.line_end, 21U);
  const Location second = LocateSpan(passage, {18, 38});
  EXPECT_EQ(second.page, 5U);
  EXPECT_EQ(second.page_label, "");
  EXPECT_EQ(second.line_begin, 21U);
  EXPECT_EQ(second.line_end, 22U);
  EXPECT_EQ(LocateSpan(passage, {9, 27}).page_end, 5U);
}

}  // namespace
}  // namespace sworn::retriever
