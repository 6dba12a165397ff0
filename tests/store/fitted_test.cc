// Collections whose embedder is fitted to them: when it is fitted, what it finds, what is on disk,
// and what happens to a state that is lost.
#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/sqlite.h"
#include "core/text/analyzer.h"
#include "store/segment.h"
#include "tests/store/store_fixture.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TermRows RowOf(const std::string& text) {
  std::vector<TermCount> row;
  for (const auto& posting : text::Analyzer().AnalyzePassage({"", "", text, "en"})) {
    row.push_back({TermKeyOf(posting.term), posting.wdf});
  }
  TermRows rows;
  rows.Add(std::move(row));
  return rows;
}

struct Fitted : StoreTest {
  Fitted() { store->CreateCollection("main"); }

  /// One document of `count` chunks, "plain<n> common" with n from `first`.
  static std::string Lines(int first, int count) {
    std::string text;
    for (int i = first; i < first + count; ++i) {
      text += "plain" + std::to_string(i) + " common\n";
    }
    return text;
  }

  void Index(const std::string& path, const std::string& text) {
    const auto job = BeginFitted();
    job->Put(MakeVersion(path), MakePlainContent(text));
    job->Publish();
  }

  CollectionInfo Info() { return Open()->collections().at(0); }

  /// Texts of the chunks nearest to a question.
  std::vector<std::string> Nearest(const std::string& question, std::size_t limit = 1,
                                   const std::vector<ChunkId>& feedback = {}) {
    const auto snapshot = Open();
    std::vector<ChunkId> ids;
    for (const auto& hit : snapshot->SearchFitted(RowOf(question), feedback, limit, nullptr)) {
      ids.push_back(hit.chunk_id);
    }
    std::vector<std::string> texts;
    for (const auto& chunk : snapshot->LoadChunks(ids)) texts.push_back(chunk.text);
    return texts;
  }

  ChunkId ChunkWith(const std::string& word) {
    return Open()->SearchChunks(Words({word}), {}, 1, nullptr).at(0).chunk_id;
  }

  [[nodiscard]] std::vector<fs::path> FilesNamed(const std::string& name) const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "kb" / "index")) {
      if (entry.path().filename() == name) result.push_back(entry.path());
    }
    return result;
  }

  std::int64_t CountRows(const std::string& table) {
    SqliteConnection catalog(folder.path() / "kb" / "catalog.db",
                             SqliteConnection::Mode::kReadOnly);
    SqliteStatement row = catalog.Prepare("SELECT count(*) FROM " + table);
    row.Step();
    return row.Int(0);
  }

  void Damage(const fs::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);
    file.put('\x55');
  }
};

TEST_F(Fitted, BelowTwentyChunksNothingIsFittedAndTheKeywordLegWorks) {
  Index("a", Lines(0, 19));
  EXPECT_EQ(Info().vectors, VectorsKind::kUnfitted);
  EXPECT_EQ(Info().embedder_id, factory.identity().Digest());
  EXPECT_THAT(Nearest("plain3 common"), IsEmpty());
  EXPECT_THAT(FilesNamed(kStateFile), IsEmpty());
  EXPECT_THAT(Search({"plain3"}), SizeIs(1));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, TheTwentiethChunkFitsAsAGenerationOfItsOwn) {
  Index("a", Lines(0, 19));
  const auto reader = Open();
  const auto before = Info();
  Index("b", "plain19 common");
  const auto after = Info();
  EXPECT_EQ(after.generation, before.generation + 2);
  EXPECT_EQ(after.vectors, VectorsKind::kFitted);
  EXPECT_EQ(after.embedder_name, "fake fitted");
  EXPECT_NE(after.embedder_id, before.embedder_id);
  EXPECT_THAT(Nearest("plain3 common"), ElementsAre("plain3 common"));
  EXPECT_THAT(Nearest("plain19 common"), ElementsAre("plain19 common"));
  EXPECT_THAT(Nearest("unheard"), IsEmpty());
  EXPECT_THAT(reader->SearchFitted(RowOf("plain3"), {}, 5, nullptr), IsEmpty());
  EXPECT_THAT(reader->SearchChunks(Words({"plain3"}), {}, 5, nullptr), SizeIs(1));
  EXPECT_EQ(CountRows("embedding"), 0);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, SegmentsShareOneStateAndARefitKeepsTheOtherFiles) {
  Index("a", Lines(0, 10));
  const auto postings = FilesNamed("postlist.glass");
  struct stat before {};
  ASSERT_EQ(::stat(postings.at(0).c_str(), &before), 0);
  const auto reader = Open();  // keeps the first folder in place
  Index("b", Lines(10, 10));
  EXPECT_EQ(Info().segments, 2U);
  const auto states = FilesNamed(kStateFile);
  ASSERT_THAT(states, SizeIs(2));
  EXPECT_TRUE(fs::equivalent(states[0], states[1]));
  std::set<ino_t> inodes;
  for (const auto& file : FilesNamed("postlist.glass")) {
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    inodes.insert(info.st_ino);
  }
  EXPECT_TRUE(inodes.contains(before.st_ino));
  EXPECT_EQ(inodes.size(), 4U) << "chunks/ and contents/ of two segments, whoever names them";
}

TEST_F(Fitted, LaterDocumentsAreFoldedInUntilTheCollectionHasGrownByHalf) {
  Index("a", Lines(0, 200));
  const std::string first = Info().embedder_id;
  Index("b", "common newcomer");
  EXPECT_EQ(Info().embedder_id, first);
  EXPECT_THAT(Nearest("newcomer"), IsEmpty()) << "unknown to the state";
  EXPECT_THAT(Nearest("common"), ElementsAre("common newcomer")) << "the only unmixed one";
  Index("c", Lines(300, 98));
  EXPECT_EQ(Info().embedder_id, first);
  EXPECT_EQ(FilesNamed(kStateFile).size(), Info().segments);
  Index("d", "one more");
  EXPECT_NE(Info().embedder_id, first);
  EXPECT_THAT(Nearest("newcomer"), ElementsAre("common newcomer"));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, ReplacedDocumentsCountAsGrowth) {
  Index("a", Lines(0, 120));
  const std::string first = Info().embedder_id;
  Index("a", Lines(500, 60));
  EXPECT_NE(Info().embedder_id, first);
  EXPECT_THAT(Nearest("plain510"), ElementsAre("plain510 common"));
}

TEST_F(Fitted, ASmallCollectionIsFittedAgainWheneverSomethingCame) {
  Index("a", Lines(0, 40));
  const std::string first = Info().embedder_id;
  Index("b", "common newcomer");
  EXPECT_NE(Info().embedder_id, first);
  EXPECT_THAT(Nearest("newcomer"), ElementsAre("common newcomer"));
  const auto info = Info();
  const auto job = BeginFitted();
  EXPECT_FALSE(job->Publish().changed);
  EXPECT_EQ(Info().generation, info.generation);
}

TEST_F(Fitted, WhereNothingCanBeFittedItIsNotTriedAgainAndAgain) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "\xE2\x80\xA2\n";  // bullets: no term
  Index("a", text);
  const auto info = Info();
  EXPECT_EQ(info.chunks, 25U);
  EXPECT_EQ(info.vectors, VectorsKind::kUnfitted);
  BeginFitted();
  EXPECT_EQ(Info().generation, info.generation);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, FeedbackMovesTheQuestion) {
  Index("a", Lines(0, 60));
  const auto alone = Nearest("common", 60);
  const auto moved = Nearest("common", 60, {ChunkWith("plain7")});
  EXPECT_EQ(moved.at(0), "plain7 common");
  EXPECT_NE(alone, moved);
}

TEST_F(Fitted, EachCollectionIsSearchedInItsOwnSpace) {
  Index("a", Lines(0, 30));
  store->CreateCollection("other");
  {
    const auto job = BeginFitted("other");
    job->Put(MakeVersion("x"), MakePlainContent(Lines(20, 30)));
    job->Publish();
  }
  EXPECT_THAT(Nearest("plain5"), ElementsAre("plain5 common"));
  EXPECT_THAT(Nearest("plain45"), ElementsAre("plain45 common"));
  EXPECT_THAT(Nearest("plain25", 2), ElementsAre("plain25 common", "plain25 common"));
  EXPECT_THAT(Nearest("plain5 plain45", 2, {ChunkWith("plain5")}).size(), 2U);
  DocumentFilter filter;
  filter.path_globs = {"x"};
  const auto snapshot = Open();
  const auto only = snapshot->Resolve(filter);
  for (const auto& hit : snapshot->SearchFitted(RowOf("plain25"), {}, 99, only.get())) {
    EXPECT_EQ(snapshot->LoadChunks(std::vector{hit.chunk_id}).at(0).collection, "other");
  }
}

TEST_F(Fitted, ChunksComeWithoutVectors) {
  const auto job = BeginFitted();
  EXPECT_THROW(job->Put(MakeVersion("a"), MakeContent("apples", embedder)), Error);
  job->Put(MakeVersion("a"), MakePlainContent("apples"));
  EXPECT_EQ(job->Publish().documents, 1U);
}

TEST_F(Fitted, MergedSegmentsKeepVectorsAndState) {
  Index("a", Lines(0, 400));
  const std::string first = Info().embedder_id;
  const auto job = BeginFitted();
  for (int i = 0; i < 20; ++i) {
    job->Put(MakeVersion("b" + std::to_string(i)), MakePlainContent(Lines(1000 + i, 1)));
    job->Put(MakeVersion("same"), MakePlainContent("changing common version" + std::to_string(i)));
    job->Publish();
  }
  EXPECT_EQ(Info().embedder_id, first);
  EXPECT_LE(Info().segments, 8U);
  EXPECT_EQ(FilesNamed(kStateFile).size(), Info().segments);
  EXPECT_EQ(Open()->SearchFitted(RowOf("common"), {}, 1000, nullptr).size(), 421U);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, TermRowsAndWeightsAreThoseOfThePostings) {
  PutAndPublish("t", "apples apples pears\npears");
  PutAndPublish("u", "pears plums");
  const auto snapshot = Open();
  std::vector<ChunkId> ids;
  for (const auto& hit : snapshot->SearchChunks(Words({"pears"}), {}, 9, nullptr)) {
    ids.push_back(hit.chunk_id);
  }
  std::sort(ids.rbegin(), ids.rend());
  ASSERT_THAT(ids, SizeIs(3));
  const TermRows rows = snapshot->LoadTermRows(ids);
  const auto equals = [](std::span<const TermCount> row, const std::string& text) {
    const TermRows made = RowOf(text);
    return std::equal(row.begin(), row.end(), made[0].begin(), made[0].end());
  };
  EXPECT_TRUE(equals(rows[0], "pears plums"));
  EXPECT_TRUE(equals(rows[1], "pears"));
  EXPECT_TRUE(equals(rows[2], "apples apples pears"));
  const auto key = [](const char* word) { return TermKeyOf(EnglishTerm(word)); };
  const auto weights =
      snapshot->TermWeights(std::vector{key("apples"), key("pears"), key("quinces")});
  EXPECT_EQ(weights[0], 1);
  EXPECT_NEAR(weights[1], 0, 1e-12);
  EXPECT_EQ(weights[2], 0);
  EXPECT_THROW(static_cast<void>(snapshot->LoadTermRows(std::vector<ChunkId>{99})), Error);
}

TEST_F(Fitted, ACollectionOfTextVectorsIsFittedByTheNextJob) {
  PutAndPublish("a", Lines(0, 30));
  EXPECT_GT(CountRows("embedding"), 0);
  { const auto job = BeginFitted(); }
  EXPECT_EQ(Info().vectors, VectorsKind::kFitted);
  EXPECT_EQ(CountRows("embedding"), 30);  // kept for the way back
  EXPECT_THAT(Nearest("plain7"), ElementsAre("plain7 common"));
  EXPECT_THAT(Search({"plain7"}), SizeIs(1));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
  Begin();  // and back
  EXPECT_EQ(Info().vectors, VectorsKind::kText);
  EXPECT_THAT(Nearest("plain7"), IsEmpty());
  EXPECT_EQ(Open()
                ->SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("x"), 99, nullptr)
                .size(),
            30U);
  EXPECT_THAT(FilesNamed(kStateFile), IsEmpty());
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, AnotherFactorysStateIsForeignUntilTheNextJob) {
  Index("a", Lines(0, 30));
  const std::string first = Info().embedder_id;
  const test::FakeTermEmbedderFactory newer("2");
  store = KnowledgeStore::Open(folder.path() / "kb", {files, clock, 1, &newer});
  EXPECT_EQ(Info().vectors, VectorsKind::kForeign);
  EXPECT_THAT(Nearest("plain7"), IsEmpty());
  EXPECT_THAT(Search({"plain7"}), SizeIs(1));
  { const auto job = store->BeginJob("main", &newer); }
  EXPECT_EQ(Info().vectors, VectorsKind::kFitted);
  EXPECT_NE(Info().embedder_id, first);
  EXPECT_THAT(Nearest("plain7"), ElementsAre("plain7 common"));
}

TEST_F(Fitted, ADamagedSegmentIsRebuiltWithTheStateAtHand) {
  Index("a", Lines(0, 200));
  Index("b", Lines(300, 5));
  const auto info = Info();
  for (const char* name : {kTermFile, kVectorFile, "postlist.glass"}) {
    Damage(FilesNamed(name).at(0));
    const auto rebuilt = Info();
    EXPECT_EQ(rebuilt.embedder_id, info.embedder_id) << name;
    EXPECT_THAT(Nearest("plain7 common"), ElementsAre("plain7 common")) << name;
    EXPECT_EQ(Open()->SearchFitted(RowOf("common"), {}, 999, nullptr).size(), 205U) << name;
    EXPECT_THAT(store->Check(false, nullptr), IsEmpty()) << name;
  }
}

TEST_F(Fitted, ALostStateIsFittedAnewByTheNextJob) {
  Index("a", Lines(0, 200));
  Index("b", Lines(300, 5));
  ASSERT_EQ(FilesNamed(kStateFile).size(), 2U);
  Damage(FilesNamed(kStateFile).at(0));  // one file under two names
  EXPECT_THAT(store->Check(false, nullptr), SizeIs(2));
  EXPECT_EQ(Info().vectors, VectorsKind::kUnfitted);
  EXPECT_THAT(Search({"plain7"}), SizeIs(1));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
  BeginFitted();
  EXPECT_EQ(Info().vectors, VectorsKind::kFitted);
  EXPECT_THAT(Nearest("plain302"), ElementsAre("plain302 common"));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, AJobFindsThatTheStateIsLostAndFitsAnew) {
  Index("a", Lines(0, 200));
  Damage(FilesNamed(kStateFile).at(0));
  Index("b", Lines(300, 5));
  EXPECT_EQ(Info().vectors, VectorsKind::kFitted);
  EXPECT_THAT(Nearest("plain195"), ElementsAre("plain195 common"));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, RepairingALostStateLeavesTheIndexWhole) {
  Index("a", Lines(0, 30));
  Damage(FilesNamed(kStateFile).at(0));
  const auto faults = store->Check(true, nullptr);
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_TRUE(faults[0].repaired);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
  EXPECT_THAT(Search({"plain7"}), SizeIs(1));
}

TEST_F(Fitted, WhatADeadJobCommittedIsFoldedIn) {
  Index("a", Lines(0, 200));
  const std::string first = Info().embedder_id;
  {
    const auto job = BeginFitted();
    job->Put(MakeVersion("b"), MakePlainContent("plain7 plain7 common"));
    job->Commit();
  }
  { const auto job = BeginFitted(); }
  EXPECT_EQ(Info().embedder_id, first);
  EXPECT_THAT(Nearest("plain7 plain7 common"), ElementsAre("plain7 plain7 common"));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Fitted, ACatalogOfTheFirstFormatIsMigratedAndItsSegmentsRebuilt) {
  PutAndPublish("a", Lines(0, 30));
  {
    // As the first format left it: no such columns, and segments without terms.
    SqliteConnection catalog(folder.path() / "kb" / "catalog.db",
                             SqliteConnection::Mode::kReadWrite);
    catalog.Execute("DELETE FROM segment_file WHERE path = 'terms.bin'");
    catalog.Execute("ALTER TABLE embedder DROP COLUMN base");
    catalog.Execute("ALTER TABLE embedder DROP COLUMN fitted");
    catalog.Execute("ALTER TABLE collection DROP COLUMN fit_chunks");
    catalog.Execute("ALTER TABLE collection DROP COLUMN fit_content");
    catalog.Execute("ALTER TABLE segment DROP COLUMN format");
    catalog.Execute("PRAGMA user_version=1");
  }
  fs::remove(FilesNamed(kTermFile).at(0));
  Reopen();
  EXPECT_THAT(Search({"plain7"}), SizeIs(1));
  EXPECT_EQ(Info().vectors, VectorsKind::kText);
  EXPECT_THAT(FilesNamed(kTermFile), SizeIs(1));
  EXPECT_EQ(Open()->LoadTermRows(std::vector{ChunkWith("plain7")})[0].size(), 3U)
      << "two words and the identifier";
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
  BeginFitted();
  EXPECT_THAT(Nearest("plain7"), ElementsAre("plain7 common"));
}

}  // namespace
}  // namespace sworn::store
