#include "store/xapian_index.h"

#include <random>

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn::store {
namespace {

constexpr std::uint32_t kDocuments = 500;

std::vector<text::Posting> RandomPostings(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<text::Posting> postings;
  for (std::uint32_t word = 0; word < 20; ++word) {
    if (random() % 3 != 0) continue;
    postings.push_back({"en:w" + std::to_string(word), 2, {word + 1, word + 30}});
  }
  return postings;
}

void WriteIndex(const std::filesystem::path& folder) {
  PostingWriter writer(folder);
  for (std::uint32_t id = 1; id <= kDocuments; ++id) writer.Add(2 * id, RandomPostings(id));
  writer.Finish();
}

// The same index, joined from parts of `size` documents.
void WriteInParts(const std::filesystem::path& folder, std::uint32_t size) {
  std::vector<std::filesystem::path> parts;
  for (std::uint32_t begin = 1; begin <= kDocuments; begin += size) {
    parts.push_back(folder.native() + ".part" + std::to_string(begin));
    PostingWriter writer(parts.back());
    for (std::uint32_t id = begin; id < begin + size && id <= kDocuments; ++id) {
      writer.Add(2 * id, RandomPostings(id));
    }
    writer.Finish();
  }
  JoinPostings(parts, folder);
}

std::vector<PostingHit> SearchIndex(const std::filesystem::path& folder) {
  const std::vector<std::filesystem::path> folders{folder};
  const PostingReader reader(folders);
  text::KeywordQuery query;
  query.words = {{{"en:w3"}, 1}, {{"en:w7"}, 2}};
  text::Phrase phrase;
  phrase.words = {{{"en:w3"}, 1}, {{"en:w4"}, 1}};
  phrase.window = 2;
  query.phrases = {phrase};
  return reader.Search(query, {}, kDocuments, true, [](std::uint32_t id) { return id % 3 != 0; });
}

TEST(JoinPostings, PartsMakeTheSameIndexAsOnePiece) {
  const test::TempFolder folder;
  WriteIndex(folder.path() / "whole");
  // Above kMaxJoined parts, so that they are joined in two rounds.
  static_assert(kDocuments / 10 > kMaxJoined);
  WriteInParts(folder.path() / "parts", 10);
  EXPECT_EQ(PostingIds(folder.path() / "whole").size(), kDocuments);
  EXPECT_EQ(PostingIds(folder.path() / "whole"), PostingIds(folder.path() / "parts"));
  const auto whole = SearchIndex(folder.path() / "whole");
  const auto parts = SearchIndex(folder.path() / "parts");
  ASSERT_EQ(whole.size(), parts.size());
  ASSERT_GT(whole.size(), 100U);
  EXPECT_EQ(whole.front().tier, 1U);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(whole[i].id, parts[i].id);
    EXPECT_EQ(whole[i].score, parts[i].score);
  }
  int left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    left += entry.is_directory() ? 1 : 0;
  }
  EXPECT_EQ(left, 2) << "parts stay behind";
}

TEST(PostingWriter, RefusesIdsThatDoNotAscend) {
  const test::TempFolder folder;
  PostingWriter writer(folder.path() / "x");
  writer.Add(5, RandomPostings(5));
  EXPECT_THROW(writer.Add(5, RandomPostings(5)), Error);
  EXPECT_THROW(writer.Add(4, RandomPostings(4)), Error);
}

TEST(MergePostings, LeavesTheDeadOut) {
  const test::TempFolder folder;
  WriteIndex(folder.path() / "a");
  {
    PostingWriter writer(folder.path() / "b");
    writer.Add(5000, RandomPostings(1));
    writer.Finish();
  }
  const std::vector<std::filesystem::path> sources{folder.path() / "a", folder.path() / "b"};
  const std::vector<std::uint32_t> dead{2, 400, 1000};
  MergePostings(sources, folder.path() / "merged", dead);
  const auto ids = PostingIds(folder.path() / "merged");
  EXPECT_EQ(ids.size(), kDocuments + 1 - dead.size());
  EXPECT_EQ(ids.front(), 4U);
  EXPECT_EQ(ids.back(), 5000U);
}

TEST(PostingReader, SegmentsScoreAsOneIndex) {
  const test::TempFolder folder;
  WriteIndex(folder.path() / "whole");
  std::vector<std::filesystem::path> segments;
  for (std::uint32_t segment = 0; segment < 3; ++segment) {
    segments.push_back(folder.path() / ("segment" + std::to_string(segment)));
    PostingWriter writer(segments.back());
    for (std::uint32_t id = 1; id <= kDocuments; ++id) {
      if (id % 3 == segment) writer.Add(2 * id, RandomPostings(id));
    }
    writer.Finish();
  }
  text::KeywordQuery query;
  query.words = {{{"en:w3", "en:w5"}, 1}, {{"en:w7"}, 2}, {{"en:w9", "en:absent"}, 0.5}};
  const auto all = [](std::uint32_t /*id*/) { return true; };
  const std::vector<std::filesystem::path> whole{folder.path() / "whole"};
  const auto expected = PostingReader(whole).Search(query, {}, 100, true, all);
  const auto found = PostingReader(segments).Search(query, {}, 100, true, all);
  ASSERT_EQ(found.size(), 100U);
  ASSERT_EQ(expected.size(), 100U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-9);
  }
  EXPECT_EQ(PostingReader(segments).Statistics("en:w3").passages, kDocuments);
  EXPECT_EQ(PostingReader(segments).Statistics("en:w3").passages_with_term,
            PostingReader(whole).Statistics("en:w3").passages_with_term);
}

// Xapian 1.4.22 reads freed memory when one database is made of these two.
TEST(PostingReader, AWordThatASegmentLacksIsFoundInTheOthers) {
  const test::TempFolder folder;
  const std::vector<std::filesystem::path> segments{folder.path() / "a", folder.path() / "b"};
  for (std::uint32_t segment = 0; segment < 2; ++segment) {
    PostingWriter writer(segments[segment]);
    for (std::uint32_t id = 1; id <= 300; ++id) {
      writer.Add(1000 * segment + id,
                 std::vector<text::Posting>{{segment == 0 ? "en:treaty" : "en:lantern", 1, {1}}});
    }
    writer.Finish();
  }
  text::KeywordQuery query;
  query.words = {{{"en:lantern", "de:laterne"}, 1}};
  const auto found = PostingReader(segments).Search(query, {}, 10, true,
                                                    [](std::uint32_t /*id*/) { return true; });
  ASSERT_EQ(found.size(), 10U);
  EXPECT_EQ(found.front().id, 1001U);
}

}  // namespace
}  // namespace sworn::store
