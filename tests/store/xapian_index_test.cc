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

void WriteIndex(const std::filesystem::path& folder, std::size_t part_postings) {
  PostingWriter writer(folder, part_postings);
  for (std::uint32_t id = 1; id <= kDocuments; ++id) writer.Add(2 * id, RandomPostings(id));
  writer.Finish();
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

TEST(PostingWriter, PartsMakeTheSameIndexAsOnePiece) {
  const test::TempFolder folder;
  WriteIndex(folder.path() / "whole", kPartPostings);
  // Above 32 parts, so that levels are joined too.
  WriteIndex(folder.path() / "parts", 60);
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
  WriteIndex(folder.path() / "a", kPartPostings);
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

}  // namespace
}  // namespace sworn::store
