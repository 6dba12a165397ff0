// Vector files: what is found, in which order, and that damage is noticed.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "store/faiss_index.h"
#include "store/segment.h"
#include "store/vector_manifest.h"
#include "tests/store/vector_rows.h"
#include "tests/support/temp_folder.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kSeed = 4'711;

bool Any(ChunkId /*id*/) { return true; }

struct VectorIndex : testing::Test {
  test::TempFolder folder;
  FileOps files;
  int written = 0;

  fs::path Write(const VectorRows& rows, std::size_t max_scanned_rows = kMaxScannedRows) {
    const fs::path path = folder.path() / ("v" + std::to_string(written++) + ".faiss");
    WriteVectorFile(files, path, rows, max_scanned_rows);
    return path;
  }

  std::unique_ptr<VectorReader> Make(const VectorRows& rows,
                                     std::size_t max_scanned_rows = kMaxScannedRows) {
    return std::make_unique<VectorReader>(Write(rows, max_scanned_rows), rows.dimension);
  }

  static std::vector<ScoredChunk> Search(const VectorReader& reader, std::span<const float> query,
                                         std::size_t limit,
                                         const std::function<bool(ChunkId)>& accept = Any,
                                         const VectorSearchOptions& options = {}) {
    const VectorReader* const one = &reader;
    return SearchVectorIndexes(std::span(&one, 1), query, limit, accept, options);
  }

  static void ExpectSame(const std::vector<ScoredChunk>& hits,
                         const std::vector<ScoredChunk>& expected) {
    ASSERT_THAT(hits, SizeIs(expected.size()));
    for (std::size_t i = 0; i < hits.size(); ++i) {
      EXPECT_EQ(hits[i].chunk_id, expected[i].chunk_id) << "place " << i;
      EXPECT_NEAR(hits[i].score, expected[i].score, 1e-5);
    }
  }

  static std::span<const float> RowOf(const VectorRows& rows, std::size_t row) {
    return {rows.values.data() + row * rows.dimension, rows.dimension};
  }
};

TEST_F(VectorIndex, FindsWhatAnExactSearchFinds) {
  for (const std::uint32_t dimension : {1U, 2U, 7U, 64U, 100U, 384U}) {
    SCOPED_TRACE(dimension);
    // One dimension has two unit vectors only, and ties are broken by id.
    const VectorRows rows = ClusteredRows(dimension < 64 ? 300 : 3'000, dimension, 40, kSeed);
    const auto reader = Make(rows);
    const VectorRows queries = ClusteredRows(20, dimension, 40, kSeed);
    for (std::size_t q = 0; q < 20; ++q) {
      const auto expected = ExactSearch(rows, RowOf(queries, q), 10, Any);
      const auto hits = Search(*reader, RowOf(queries, q), 10);
      if (dimension < 64) {
        ASSERT_THAT(hits, SizeIs(10));
        for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(hits[i].score, expected[i].score, 1e-5);
      } else {
        ExpectSame(hits, expected);
      }
    }
  }
}

TEST_F(VectorIndex, SeveralFilesAreSearchedAsOne) {
  const VectorRows all = ClusteredRows(2'000, 48, 30, kSeed);
  std::vector<std::unique_ptr<VectorReader>> readers;
  std::vector<const VectorReader*> indexes;
  for (const auto& [begin, end] : {std::pair{0, 700}, {700, 701}, {701, 701}, {701, 2'000}}) {
    VectorRows part{all.dimension, {all.ids.begin() + begin, all.ids.begin() + end}, {}};
    part.values.assign(all.values.begin() + begin * 48, all.values.begin() + end * 48);
    readers.push_back(Make(part));
    indexes.push_back(readers.back().get());
  }
  for (std::size_t q = 0; q < 10; ++q) {
    ExpectSame(SearchVectorIndexes(indexes, RowOf(all, q), 25, Any),
               ExactSearch(all, RowOf(all, q), 25, Any));
  }
}

TEST_F(VectorIndex, GivesTheSameBitsForAnyThreadsAndTable) {
  const VectorRows rows = ClusteredRows(100'000, 64, 5, kSeed);
  const auto reader = Make(rows);
  const auto odd = [](ChunkId id) { return id % 2 == 1; };
  const auto expected = Search(*reader, RowOf(rows, 7), 30, odd, {.threads = 1});
  for (const kernels::KernelTable* table : kernels::RunnableKernels()) {
    for (const std::size_t threads : {1U, 2U, 3U}) {
      EXPECT_EQ(Search(*reader, RowOf(rows, 7), 30, odd, {.threads = threads, .table = *table}),
                expected)
          << table->name << ", " << threads << " threads";
    }
  }
}

TEST_F(VectorIndex, AsksWhichRowsCount) {
  const VectorRows rows = ClusteredRows(2'000, 16, 3, kSeed);
  const auto reader = Make(rows);
  const auto few = [](ChunkId id) { return id % 97 == 5; };
  ExpectSame(Search(*reader, RowOf(rows, 0), 10, few), ExactSearch(rows, RowOf(rows, 0), 10, few));
  EXPECT_THAT(Search(*reader, RowOf(rows, 0), 10, [](ChunkId) { return false; }), IsEmpty());
  EXPECT_THAT(Search(*reader, RowOf(rows, 0), 0), IsEmpty());
}

TEST_F(VectorIndex, EqualRowsComeInTheOrderOfTheirIds) {
  VectorRows rows{8, {}, {}};
  for (ChunkId id = 2'000; id > 0; --id) {  // descending
    rows.ids.push_back(id);
    for (int k = 0; k < 8; ++k) rows.values.push_back(0.25F);
  }
  for (const std::size_t max_scanned_rows : {kMaxScannedRows, std::size_t{100}}) {
    const auto reader = Make(rows, max_scanned_rows);
    const auto hits = Search(*reader, RowOf(rows, 0), 5);
    ASSERT_THAT(hits, SizeIs(5));
    for (ChunkId i = 0; i < 5; ++i) EXPECT_EQ(hits[i].chunk_id, i + 1);
  }
}

TEST_F(VectorIndex, TakesNoRowsOneRowAndMoreAskedForThanThere) {
  const VectorRows none{5, {}, {}};
  const std::vector<float> query = {1, 0, 0, 0, 0};
  EXPECT_THAT(Search(*Make(none), query, 10), IsEmpty());
  const VectorRows one{5, {9}, {0.5F, -1, 0, 0, 0}};
  const auto hits = Search(*Make(one), query, std::numeric_limits<std::size_t>::max());
  ASSERT_THAT(hits, SizeIs(1));
  EXPECT_EQ(hits[0], (ScoredChunk{9, 0.5}));
}

TEST_F(VectorIndex, ZeroVectorsScoreZero) {
  const VectorRows rows{3, {1, 2, 3}, {0, 0, 0, 1, 0, 0, -1, 0, 0}};
  const auto reader = Make(rows);
  const auto hits = Search(*reader, std::vector<float>{1, 0, 0}, 3);
  ASSERT_THAT(hits, SizeIs(3));
  EXPECT_EQ(hits[1], (ScoredChunk{1, 0}));
  const auto zero = Search(*reader, std::vector<float>{0, 0, 0}, 2);
  ASSERT_THAT(zero, SizeIs(2));
  EXPECT_EQ(zero[0].chunk_id, 1U);
  EXPECT_EQ(zero[1].chunk_id, 2U);
}

TEST_F(VectorIndex, RefusesWhatIsNoNumber) {
  const VectorRows good{2, {1}, {1, 0}};
  const auto reader = Make(good);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -1e30F}) {
    try {
      Write({2, {1, 2}, {1, 0, 0, bad}});
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.what(), testing::HasSubstr("chunk 2"));
    }
    try {
      Search(*reader, std::vector<float>{bad, 0}, 1);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    }
  }
}

TEST_F(VectorIndex, RefusesAQueryOfAnotherDimension) {
  const auto reader = Make({2, {1}, {1, 0}});
  EXPECT_THROW(Search(*reader, std::vector<float>{1, 0, 0}, 1), Error);
}

struct VectorLists : VectorIndex {
  static constexpr std::size_t kRows = 6'000;
  VectorRows rows = ClusteredRows(kRows, 32, 150, kSeed);
  fs::path path = Write(rows, 1'000);
  VectorReader reader{path, 32};
};

TEST_F(VectorLists, FindWhatTheirMeasuredRecallPromises) {
  const VectorFileFacts& facts = reader.facts();
  EXPECT_GT(facts.lists, 100U);
  EXPECT_LT(facts.probes, facts.lists / 3);
  EXPECT_GE(facts.recall_at_10, 0.99);
  EXPECT_GE(facts.recall_at_100, 0.99);
  EXPECT_EQ(ReadVectorFacts(path), facts);
  // The same centres, other rows.
  const VectorRows queries = ClusteredRows(kRows + 200, 32, 150, kSeed);
  double recall = 0;
  double deep = 0;
  for (std::size_t q = kRows; q < kRows + 200; ++q) {
    const auto query = RowOf(queries, q);
    recall += Recall(Search(reader, query, 10), ExactSearch(rows, query, 10, Any)) / 200;
    deep += Recall(Search(reader, query, 100), ExactSearch(rows, query, 100, Any)) / 200;
  }
  EXPECT_GE(recall, 0.98);
  EXPECT_GE(deep, 0.97);
}

TEST_F(VectorLists, HoldEveryRowOnceWithItsExactValues) {
  std::set<ChunkId> ids;
  std::vector<float> row(32);
  for (std::size_t i = 0; i < reader.size(); ++i) {
    ids.insert(reader.IdOf(i));
    reader.ReadRow(i, row);
    const auto expected = RowOf(rows, reader.IdOf(i) - 1);
    ASSERT_TRUE(std::equal(row.begin(), row.end(), expected.begin()));
  }
  EXPECT_EQ(ids.size(), kRows);
}

TEST_F(VectorLists, AreAllScannedOnDemandOrBehindANarrowFilter) {
  const auto query = RowOf(rows, 3);
  ExpectSame(Search(reader, query, 10, Any, {.scan_all = true}), ExactSearch(rows, query, 10, Any));
  const auto few = [](ChunkId id) { return id % 300 == 1; };
  ExpectSame(Search(reader, query, 10, few), ExactSearch(rows, query, 10, few));
  ExpectSame(Search(reader, query, kRows, Any), ExactSearch(rows, query, kRows, Any));
}

TEST_F(VectorLists, AreShownOfSegmentsThatHaveThem) {
  const StorePaths paths(folder.path());
  const fs::path segments = paths.segments("c_1");
  std::vector<SegmentRow> rows_of(3);
  rows_of[0].name = "flat";
  rows_of[1].name = "cut";
  rows_of[2].name = "missing";
  for (const char* name : {"flat", "cut"}) fs::create_directories(segments / name);
  WriteVectorFile(files, segments / "flat" / kVectorFile, ClusteredRows(50, 4, 2, kSeed));
  WriteVectorFile(files, segments / "cut" / kVectorFile, rows, 1'000);
  const VectorFileFacts& facts = reader.facts();
  EXPECT_THAT(
      VectorListsOf(paths, "c_1", rows_of),
      testing::ElementsAre(VectorListsInfo{kRows, facts.lists, facts.probes, facts.recall_at_10}));
}

TEST_F(VectorLists, AreBuiltAlikeFromTheSameRows) {
  const fs::path again = Write(rows, 1'000);
  for (const auto& file : {&ManifestPath, &ExactRowsPath}) {
    EXPECT_EQ(ReadFile(file(again), 1 << 24), ReadFile(file(path), 1 << 24));
  }
  EXPECT_EQ(ReadFile(again, 1 << 24), ReadFile(path, 1 << 24));
}

struct VectorDamage : VectorIndex {
  void ExpectRefused(const fs::path& path, std::uint32_t dimension, const std::string& what) {
    try {
      const VectorReader reader(path, dimension);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIntegrity) << what << ": " << error.what();
    }
  }

  static void Put(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  void CheckFile(const fs::path& path, std::uint32_t dimension, const fs::path& victim,
                 std::size_t header_bytes) {
    const std::string whole = ReadFile(victim, 1 << 24);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Put(victim, whole.substr(0, size));
      ExpectRefused(path, dimension,
                    victim.filename().native() + " cut to " + std::to_string(size));
    }
    Put(victim, whole + "x");
    ExpectRefused(path, dimension, victim.filename().native() + " with a byte more");
    for (std::size_t at = 0; at < header_bytes; ++at) {
      for (const int bit : {1, 4, 128}) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ bit);
        Put(victim, flipped);
        ExpectRefused(path, dimension,
                      victim.filename().native() + " flipped at " + std::to_string(at));
      }
    }
    fs::remove(victim);
    ExpectRefused(path, dimension, victim.filename().native() + " missing");
    Put(victim, whole);
    EXPECT_NO_THROW(VectorReader(path, dimension));
  }
};

TEST_F(VectorDamage, IsNoticedInEveryByteThatSaysASize) {
  for (const std::size_t max_scanned_rows : {kMaxScannedRows, std::size_t{10}}) {
    const fs::path path = Write(ClusteredRows(40, 3, 4, kSeed), max_scanned_rows);
    const VectorManifest manifest = ParseManifest(ReadFile(ManifestPath(path), 1 << 20));
    EXPECT_EQ(manifest.facts.lists > 1, max_scanned_rows == 10);
    CheckFile(path, 3, path, manifest.header_bytes);
    CheckFile(path, 3, ManifestPath(path), fs::file_size(ManifestPath(path)));
    CheckFile(path, 3, ExactRowsPath(path), 0);
    ExpectRefused(path, 4, "another dimension");
  }
}

TEST_F(VectorDamage, AFileOfAnotherOneIsRefused) {
  const fs::path a = Write(ClusteredRows(40, 3, 4, kSeed));
  const fs::path b = Write(ClusteredRows(40, 3, 4, kSeed + 1));
  fs::copy_file(b, a, fs::copy_options::overwrite_existing);
  ExpectRefused(a, 3, "a file with other ranges");
}

}  // namespace
}  // namespace sworn::store
