#include "store/term_file.h"

#include <cmath>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"
#include "store/term_weights.h"
#include "tests/support/temp_folder.h"

namespace sworn::store {
namespace {

/// Rows with ids 3, 6, 9, ...
struct Rows {
  std::vector<ChunkId> ids;
  TermRows rows;

  void Add(ChunkId id, std::vector<TermCount> row) {
    ids.push_back(id);
    rows.Add(std::move(row));
  }
};

Rows RandomRows(std::mt19937_64& random, std::size_t count, ChunkId first = 3) {
  Rows made;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<TermCount> row;
    for (auto terms = random() % 40; terms > 0; --terms) {
      // A few words are everywhere, most are rare; some keys share their upper bits.
      const std::uint64_t word = random() % (random() % 3 == 0 ? 10 : 5000);
      const TermKey key = word < 20 ? word : word * 0x9E3779B97F4A7C15U;
      row.push_back({key, random() % 9 == 0 ? static_cast<std::uint32_t>(random() % 100000 + 1)
                                            : static_cast<std::uint32_t>(random() % 3 + 1)});
    }
    made.Add(first + static_cast<ChunkId>(3 * i), std::move(row));
  }
  return made;
}

struct TermFileTest : ::testing::Test {
  test::TempFolder folder;
  FileOps files;
  int made = 0;

  std::filesystem::path NewPath() { return folder.path() / ("t" + std::to_string(++made)); }

  std::filesystem::path Write(const Rows& rows) {
    const auto path = NewPath();
    WriteTermFile(files, path, rows.ids, rows.rows);
    return path;
  }
};

TEST_F(TermFileTest, GivesBackTheRowsThatWereWritten) {
  std::mt19937_64 random{1};
  const Rows rows = RandomRows(random, 300);
  const TermFile file(Write(rows));
  ASSERT_EQ(file.rows(), rows.ids.size());
  for (std::size_t row = 0; row < rows.ids.size(); ++row) {
    EXPECT_EQ(file.IdOf(row), rows.ids[row]);
    EXPECT_EQ(file.FindRow(rows.ids[row]), row);
    const auto expected = rows.rows[row];
    EXPECT_EQ(file.Read(row), std::vector<TermCount>(expected.begin(), expected.end())) << row;
  }
  EXPECT_EQ(file.FindRow(2), std::nullopt);
  EXPECT_EQ(file.FindRow(4), std::nullopt);
  EXPECT_EQ(file.FindRow(1000), std::nullopt);
}

TEST_F(TermFileTest, KnowsHowEachTermIsSpread) {
  std::mt19937_64 random{2};
  const Rows rows = RandomRows(random, 300);
  std::map<TermKey, TermSpread> spreads;
  for (const TermCount& entry : rows.rows.counts()) spreads[entry.term].Add(entry.count);
  const TermFile file(Write(rows));
  EXPECT_EQ(file.keys().size(), spreads.size());
  std::size_t place = 0;
  for (const auto& [term, spread] : spreads) {
    EXPECT_EQ(file.keys()[place], term);
    EXPECT_EQ(file.SpreadAt(place).occurrences, spread.occurrences);
    EXPECT_EQ(file.SpreadAt(place).count_log_count, spread.count_log_count);
    ++place;
  }
}

TEST_F(TermFileTest, WeightsAreTakenOverAllSegments) {
  std::mt19937_64 random{6};
  std::map<TermKey, TermSpread> spreads;
  std::vector<TermFile> segments;
  for (const std::size_t count : {200U, 0U, 50U, 7U, 90U}) {
    const Rows rows = RandomRows(random, count);
    for (const TermCount& entry : rows.rows.counts()) spreads[entry.term].Add(entry.count);
    segments.emplace_back(Write(rows));
  }
  std::vector<const TermFile*> sources;
  for (const TermFile& segment : segments) sources.push_back(&segment);
  const TermWeights weights(sources);
  for (const auto& [term, spread] : spreads) {
    EXPECT_NEAR(weights.Of(term), spread.EntropyWeight(347), 1e-12) << term;
  }
  EXPECT_EQ(weights.Of(21), 0);
  EXPECT_EQ(weights.Of(~TermKey{0}), 0);
  EXPECT_EQ(TermWeights({}).Of(5), 0);
}

TEST_F(TermFileTest, HoldsNoRowsAndRowsWithoutTerms) {
  const TermFile none(Write({}));
  EXPECT_EQ(none.rows(), 0U);
  EXPECT_EQ(none.FindRow(1), std::nullopt);
  EXPECT_TRUE(none.keys().empty());
  Rows rows;
  rows.Add(1, {});
  rows.Add(2, {{7, 1}});
  rows.Add(3, {});
  const TermFile file(Write(rows));
  EXPECT_TRUE(file.Read(0).empty());
  EXPECT_EQ(file.Read(1).size(), 1U);
  EXPECT_TRUE(file.Read(2).empty());
}

TEST_F(TermFileTest, HoldsTheLargestNumbers) {
  Rows rows;
  rows.Add(~ChunkId{0}, {{0, ~std::uint32_t{0}}, {~TermKey{0}, ~std::uint32_t{0}}});
  const TermFile file(Write(rows));
  EXPECT_EQ(file.Read(0),
            (std::vector<TermCount>{{0, ~std::uint32_t{0}}, {~TermKey{0}, ~std::uint32_t{0}}}));
}

TEST_F(TermFileTest, AMergeIsTheFileThatWouldHaveBeenWrittenAtOnce) {
  std::mt19937_64 random{3};
  Rows all;
  std::vector<TermFile> parts;
  const auto keep = [](ChunkId id) { return id % 2 == 1; };
  for (ChunkId first = 3; first < 3000; first += 600) {
    const Rows part = RandomRows(random, 150, first);
    parts.emplace_back(Write(part));
    for (std::size_t row = 0; row < part.ids.size(); ++row) {
      if (!keep(part.ids[row])) continue;
      all.Add(part.ids[row], {part.rows[row].begin(), part.rows[row].end()});
    }
  }
  std::vector<const TermFile*> sources;
  for (const TermFile& part : parts) sources.push_back(&part);
  const auto merged = NewPath();
  MergeTermFiles(files, merged, sources, keep);
  constexpr std::uint64_t kEnough = 1 << 24;
  EXPECT_EQ(ReadFile(merged, kEnough), ReadFile(Write(all), kEnough));
}

TEST_F(TermFileTest, TakesTwoAndAHalfBytesATermOfANaturalPassage) {
  // Zipf's law over 100,000 words, 70 distinct ones a passage.
  std::mt19937_64 random{4};
  Rows rows;
  for (ChunkId id = 1; id <= 2000; ++id) {
    std::vector<TermCount> row;
    while (row.size() < 70) {
      const double uniform = static_cast<double>(random() >> 11U) * 0x1p-53;
      const auto word = static_cast<std::uint64_t>(std::exp(uniform * std::log(100000.0)));
      row.push_back({word * 0x9E3779B97F4A7C15U, 1});
    }
    rows.Add(id, std::move(row));
  }
  const auto path = Write(rows);
  const auto table = TermFile(path).keys().size() * 24 + rows.ids.size() * 12 + 24;
  const auto encoded = std::filesystem::file_size(path) - table;
  EXPECT_LT(static_cast<double>(encoded) / static_cast<double>(rows.rows.counts().size()), 2.5);
}

TEST_F(TermFileTest, ADamagedFileIsRefusedOrItsRowsAre) {
  std::mt19937_64 random{5};
  const std::string whole = ReadFile(Write(RandomRows(random, 20)), 1 << 20);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole;
    if (round % 3 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
    }
    const auto path = folder.Write("damaged", bytes);
    try {
      const TermFile file(path);
      for (std::size_t row = 0; row < file.rows(); ++row) static_cast<void>(file.Read(row));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
      ++refused;
    }
  }
  EXPECT_GT(refused, 700);
}

}  // namespace
}  // namespace sworn::store
