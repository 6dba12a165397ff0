// Damage on disk: always found, never served, repaired where the catalog can.
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/sqlite.h"
#include "tests/store/store_fixture.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Damage : StoreTest {
  Damage() {
    store->CreateCollection("main");
    std::mt19937 random(5);
    const auto job = Begin();
    for (int d = 0; d < 20; ++d) {
      std::string text;
      for (int w = 0; w < 60; ++w) {
        text += "w" + std::to_string(random() % 40) + (w % 10 == 9 ? "\n" : " ");
      }
      job->Put(MakeVersion("d" + std::to_string(d)), MakeContent(text, embedder));
      if (d == 12) job->Publish();
    }
    job->Publish();
  }

  [[nodiscard]] fs::path IndexFolder() const { return folder.path() / "kb" / "index"; }

  [[nodiscard]] std::vector<fs::path> IndexFiles() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::recursive_directory_iterator(IndexFolder())) {
      if (entry.is_regular_file()) result.push_back(entry.path());
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  /// What every leg finds, scores included.
  std::string Everything() {
    const auto snapshot = Open();
    std::string all;
    for (const char* word : {"w1", "w7", "w30"}) {
      for (const auto& hit : snapshot->SearchChunks(Words({word, "w2"}), {}, 10, nullptr)) {
        all += std::to_string(hit.chunk_id) + "=" + std::to_string(hit.score) + " ";
      }
      for (const auto& hit : snapshot->SearchContents(Words({word}), {}, 10, nullptr)) {
        all += std::to_string(hit.content_id) + "=" + std::to_string(hit.score) + " ";
      }
      for (const auto& hit : snapshot->SearchVectors(embedder.identity().Digest(),
                                                     embedder.EmbedQuery(word), 10, nullptr)) {
        all += std::to_string(hit.chunk_id) + "=" + std::to_string(hit.score) + " ";
      }
    }
    return all;
  }

  /// Runs SQL on the catalog behind the store's back.
  void Tamper(const std::string& sql) {
    SqliteConnection catalog(folder.path() / "kb" / "catalog.db",
                             SqliteConnection::Mode::kReadWrite);
    catalog.Execute(sql);
  }
};

void FlipBit(const fs::path& path, std::uintmax_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 4));
}

TEST_F(Damage, AFlippedBitInAnyIndexFileIsFoundAndTheSegmentRebuilt) {
  const std::string before = Everything();
  std::mt19937 random(11);
  std::map<std::string, int> kinds;
  for (int round = 0; round < 40; ++round) {
    const auto files_now = IndexFiles();
    const fs::path victim = files_now[static_cast<std::size_t>(round) % files_now.size()];
    if (fs::file_size(victim) == 0) continue;
    FlipBit(victim, random() % fs::file_size(victim));
    ++kinds[victim.filename()];
    EXPECT_EQ(Everything(), before) << victim;
  }
  EXPECT_GE(kinds.size(), 5U);
}

TEST_F(Damage, ATruncatedOrMissingFileIsRebuilt) {
  const std::string before = Everything();
  fs::resize_file(IndexFiles().front(), fs::file_size(IndexFiles().front()) / 2);
  EXPECT_EQ(Everything(), before);
  fs::remove(IndexFiles().back());
  EXPECT_EQ(Everything(), before);
}

TEST_F(Damage, AVectorFileOfAnEarlierFormatIsMadeAgain) {
  const std::string before = Everything();
  const auto manifests = [this] {
    std::vector<fs::path> found;
    for (const fs::path& file : IndexFiles()) {
      if (file.filename() == "vectors.json") found.push_back(file);
    }
    return found;
  };
  ASSERT_THAT(manifests(), SizeIs(2));
  fs::remove(manifests().front());
  Tamper("DELETE FROM segment_file WHERE path = 'vectors.json'");
  EXPECT_EQ(Everything(), before);
  EXPECT_THAT(manifests(), SizeIs(2));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Damage, BothIndexesComeBackFromTheCatalogAlone) {
  const std::string before = Everything();
  fs::remove_all(IndexFolder());
  EXPECT_EQ(Everything(), before);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Damage, ADamagedSegmentUnderARunningJobIsBusyNotWrong) {
  const auto job = Begin();
  FlipBit(IndexFiles().front(), 3);
  try {
    Open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
  }
}

TEST_F(Damage, ADamagedTextIsNeverServed) {
  const auto snapshot_before = Open();
  const auto hit = snapshot_before->SearchChunks(Words({"w1"}), {}, 1, nullptr).at(0);
  const std::string id = snapshot_before->LoadChunks(std::vector{hit.chunk_id}).at(0).document_id;
  Tamper("UPDATE content_text SET text = CAST(replace(CAST(text AS TEXT), 'w', 'v') AS BLOB)");
  const auto snapshot = Open();
  for (const auto& work : std::vector<std::function<void()>>{
           [&] { static_cast<void>(snapshot->LoadChunks(std::vector{hit.chunk_id})); },
           [&] { static_cast<void>(snapshot->LoadText(id, 1)); },
           [&] { static_cast<void>(store->LoadText(id, 0)); }}) {
    try {
      work();
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
    }
  }
  EXPECT_THAT(store->Check(false, nullptr), SizeIs(20));
}

TEST_F(Damage, ADamagedEmbeddingOrChunkIsNamed) {
  Tamper("UPDATE embedding SET vector = zeroblob(32) WHERE chunk_id = 3");
  Tamper("UPDATE chunk SET byte_begin = byte_begin + 1 WHERE id = 5");
  const auto faults = store->Check(false, nullptr);
  ASSERT_THAT(faults, SizeIs(2));
  EXPECT_EQ(faults[0].where, "chunk 3");
  EXPECT_EQ(faults[1].where, "chunk 5");
}

TEST_F(Damage, CheckNamesAndRepairsADamagedSegment) {
  FlipBit(IndexFiles().front(), 3);
  std::vector<std::string> told;
  const auto found = store->Check(false, [&](std::string_view what) { told.emplace_back(what); });
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].repaired);
  EXPECT_GE(told.size(), 4U);
  const auto repaired = store->Check(true, nullptr);
  ASSERT_THAT(repaired, SizeIs(1));
  EXPECT_TRUE(repaired[0].repaired);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Damage, ASegmentThatCannotBeRebuiltIsReportedAndNotServed) {
  Tamper("UPDATE embedding SET vector = zeroblob(32) WHERE chunk_id = 1");
  fs::remove_all(IndexFolder());
  try {
    Open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("chunk 1"));
  }
  const auto faults = store->Check(true, nullptr);
  EXPECT_EQ(
      std::count_if(faults.begin(), faults.end(), [](const auto& fault) { return fault.repaired; }),
      1);
}

TEST_F(Damage, ABrokenCatalogIsAnIntegrityError) {
  store.reset();
  std::ofstream(folder.path() / "kb" / "catalog.db", std::ios::binary) << std::string(8192, 'x');
  try {
    Reopen();
    Open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
  }
}

}  // namespace
}  // namespace sworn::store
