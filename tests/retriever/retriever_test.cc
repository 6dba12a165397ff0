#include "retriever/retriever.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/fake_snapshot.h"

namespace sworn::retriever {
namespace {

using test::FakeSnapshot;
using testing::HasSubstr;

/// Counts letters: enough to have an order that differs from the keyword leg's.
class LetterEmbedder : public Embedder {
 public:
  explicit LetterEmbedder(double weight = 0.05) {
    identity_.name = "letters";
    identity_.dimension = 26;
    identity_.fusion_weight = weight;
  }
  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::vector<float> EmbedQuery(std::string_view text) const override {
    return EmbedPassages({&text, 1});
  }
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override {
    std::vector<float> rows;
    for (const std::string_view text : texts) {
      std::vector<float> row(26);
      double squares = 0;
      for (const char c : text) {
        if (c >= 'a' && c <= 'z') row[c - 'a'] += 1;
      }
      for (const float x : row) squares += x * x;
      for (float& x : row) x = squares > 0 ? static_cast<float>(x / std::sqrt(squares)) : 0;
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return rows;
  }

 private:
  EmbedderIdentity identity_;
};

/// Two dimensions: words of leases, and all others it knows.
class ThemeEmbedder : public TermEmbedder {
 public:
  ThemeEmbedder() {
    identity_.name = "themes";
    identity_.dimension = 2;
  }
  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::vector<float> Embed(const TermRows& rows) const override {
    std::vector<float> vectors;
    text::Analyzer analyzer;
    const auto has = [&analyzer](std::span<const TermCount> row, std::string_view words) {
      double count = 0;
      for (const auto& posting : analyzer.AnalyzePassage({"", "", words, "en"})) {
        for (const TermCount& entry : row) count += entry.term == TermKeyOf(posting.term) ? 1 : 0;
      }
      return count;
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double lease = has(rows[i], "tenant rent landlord lease deposit eviction");
      const double other = has(rows[i], "engine wing pilot flight altitude");
      const double norm = std::sqrt(lease * lease + other * other);
      vectors.push_back(static_cast<float>(norm > 0 ? lease / norm : 0));
      vectors.push_back(static_cast<float>(norm > 0 ? other / norm : 0));
    }
    return vectors;
  }

 private:
  EmbedderIdentity identity_;
};

Query Asking(std::string text, Mode mode = Mode::kHybrid) {
  Query query;
  query.text = std::move(text);
  query.mode = mode;
  return query;
}

std::vector<ChunkId> Order(const SearchResult& result) {
  std::vector<ChunkId> ids;
  for (const Hit& hit : result.hits) ids.push_back(hit.chunk.chunk_id);
  return ids;
}

TEST(RetrieverTest, HybridShowsBothRanksAndRunsBothLegs) {
  const LetterEmbedder embedder;
  FakeSnapshot snapshot(&embedder);
  snapshot.Add("", {"The tenant pays the rent monthly."});
  snapshot.Add("", {"The landlord repairs the roof."});
  Retriever retriever(snapshot, &embedder);
  const SearchResult result = retriever.Search(Asking("who repairs the roof"));
  ASSERT_EQ(result.hits.size(), 2U);
  EXPECT_EQ(result.hits[0].chunk.chunk_id, 2U);
  EXPECT_EQ(result.hits[0].rank, 1U);
  EXPECT_EQ(result.hits[0].place.keyword_rank, 1U);
  EXPECT_DOUBLE_EQ(*result.hits[0].place.keyword_score, 1);
  EXPECT_TRUE(result.hits[0].place.vector_rank);
  EXPECT_FALSE(result.hits[1].place.keyword_rank);
  EXPECT_LE(result.hits[1].place.score, 0.05);
  EXPECT_TRUE(result.keyword.ran);
  EXPECT_EQ(result.keyword.candidates, 1U);
  EXPECT_TRUE(result.vector.ran);
  EXPECT_EQ(result.vector.candidates, 2U);
  EXPECT_EQ(result.vector.reason, "");
}

TEST(RetrieverTest, ALegThatDoesNotRunSaysWhy) {
  const LetterEmbedder embedder;
  FakeSnapshot snapshot(&embedder);
  snapshot.Add("", {"The landlord repairs the roof."});
  EXPECT_THAT(Retriever(snapshot, nullptr).Search(Asking("roof")).vector.reason,
              HasSubstr("no embedder"));
  const auto keyword = Retriever(snapshot, &embedder).Search(Asking("roof", Mode::kKeyword));
  EXPECT_FALSE(keyword.vector.ran);
  EXPECT_EQ(keyword.vector.reason, "mode is keyword");
  EXPECT_DOUBLE_EQ(keyword.hits[0].place.score, 1);
  const auto vector = Retriever(snapshot, &embedder).Search(Asking("roof", Mode::kVector));
  EXPECT_FALSE(vector.keyword.ran);
  ASSERT_EQ(vector.hits.size(), 1U);
  EXPECT_DOUBLE_EQ(vector.hits[0].place.score, 1);
  snapshot.collection().embedder_id = "of another one";
  snapshot.collection().embedder_name = "other";
  const auto other = Retriever(snapshot, &embedder).Search(Asking("roof"));
  EXPECT_FALSE(other.vector.ran);
  EXPECT_THAT(other.vector.reason, HasSubstr("'c' was indexed with another embedder ('other')"));
  EXPECT_EQ(other.hits.size(), 1U);
  EXPECT_DOUBLE_EQ(other.hits[0].place.score, 1);
}

TEST(RetrieverTest, AQuestionWithoutFeaturesForTheEmbedderStillSearchesWords) {
  const LetterEmbedder embedder;
  FakeSnapshot snapshot(&embedder);
  snapshot.Add("", {"Invoice 4711 was paid."});
  const auto result = Retriever(snapshot, &embedder).Search(Asking("4711"));
  EXPECT_EQ(Order(result), std::vector<ChunkId>{1});
  EXPECT_THAT(result.vector.reason, HasSubstr("no feature"));
}

TEST(RetrieverTest, TheDocumentCountsBesideTheChunk) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"Warranty claims expire.", "Nothing of the kind is said."});
  snapshot.Add("", {"Warranty claims expire.", "The seller gives a warranty against defects.",
                    "Defects are reported within days; defects reported late are not covered."});
  Parameters parameters;
  parameters.document_share = 0.5;
  Retriever retriever(snapshot, nullptr, parameters);
  const Ranking ranking = retriever.Rank(Asking("warranty expire defects", Mode::kKeyword));
  // Chunks 1 and 3 have the same text; the document of chunk 3 speaks of defects as well.
  std::vector<ChunkId> order;
  for (const RankedChunk& chunk : ranking.chunks) order.push_back(chunk.chunk_id);
  const auto place = [&order](ChunkId id) {
    return std::find(order.begin(), order.end(), id) - order.begin();
  };
  EXPECT_LT(place(3), place(1));
  parameters.document_share = 0;
  const Ranking without =
      Retriever(snapshot, nullptr, parameters).Rank(Asking("warranty expire", Mode::kKeyword));
  EXPECT_EQ(without.chunks[0].chunk_id, 1U);
  EXPECT_EQ(without.chunks[0].score, without.chunks[1].score);
}

TEST(RetrieverTest, ADocumentFoundOnlyAsAWholeComesInWithItsBestChunk) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"alpha beta gamma delta"});
  snapshot.Add("", {"alpha alpha alpha", "beta beta beta beta"});
  Parameters parameters;
  parameters.min_candidates = 2;
  Query query = Asking("alpha beta gamma delta", Mode::kKeyword);
  query.top_k = 1;
  snapshot.Add("", {"gamma delta beta"});
  const Ranking ranking = Retriever(snapshot, nullptr, parameters).Rank(query);
  EXPECT_GE(ranking.chunks.size(), 2U);
  for (const RankedChunk& chunk : ranking.chunks) {
    EXPECT_EQ(chunk.content_id, snapshot.ContentOf(chunk.chunk_id));
    EXPECT_GT(*chunk.keyword_score, 0);
  }
}

TEST(RetrieverTest, AnExactIdentifierStandsAboveANearMiss) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"Trial NCT01234568 trial NCT01234568 enrolled adults in a trial of adults."});
  snapshot.Add("", {"A list that at its very end, after many other words, names NCT01234567."});
  const auto result =
      Retriever(snapshot, nullptr).Search(Asking("adults enrolled in trial NCT01234567"));
  ASSERT_EQ(Order(result), (std::vector<ChunkId>{2, 1}));
  EXPECT_EQ(result.hits[0].place.tier, 1U);
  EXPECT_EQ(result.hits[1].place.tier, 0U);
}

TEST(RetrieverTest, AQuotedPhraseMeansTheseVeryWords) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"The parties agreed to force majeures and other force majeures."});
  snapshot.Add("", {"Long after everything else the clause names Force\nMajeure once."});
  const auto result = Retriever(snapshot, nullptr).Search(Asking("\"force majeure\""));
  ASSERT_FALSE(result.hits.empty());
  EXPECT_EQ(result.hits[0].chunk.chunk_id, 2U);
  EXPECT_EQ(result.hits[0].place.tier, 1U);
  for (std::size_t i = 1; i < result.hits.size(); ++i) EXPECT_EQ(result.hits[i].place.tier, 0U);
}

TEST(RetrieverTest, EqualTextsAreOneHit) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"The notice period is thirty days."});
  snapshot.Add("", {"the notice  period is\nthirty days."});
  snapshot.Add("", {"The notice period is sixty days."});
  const auto result = Retriever(snapshot, nullptr).Search(Asking("notice period"));
  ASSERT_EQ(result.hits.size(), 2U);
  std::size_t duplicates = 0;
  for (const Hit& hit : result.hits) duplicates += hit.duplicates.size();
  EXPECT_EQ(duplicates, 1U);
  EXPECT_EQ(result.hits[1].rank, 2U);
}

TEST(RetrieverTest, DuplicatesDoNotEatTheAskedNumber) {
  FakeSnapshot snapshot;
  for (int i = 0; i < 5; ++i) snapshot.Add("", {"The fee is due in March."});
  for (int i = 0; i < 4; ++i) {
    snapshot.Add("", {"The fee of year " + std::string(i + 1, 'x') + " is due."});
  }
  Query query = Asking("fee due");
  query.top_k = 3;
  EXPECT_EQ(Retriever(snapshot, nullptr).Search(query).hits.size(), 3U);
}

/// Sixty passages, half of them on leases; only some of those say "eviction".
void AddLeases(FakeSnapshot& snapshot) {
  const std::vector<std::string> leases = {"tenant", "rent", "landlord", "lease", "deposit"};
  const std::vector<std::string> others = {"engine", "wing", "pilot", "flight", "altitude"};
  for (std::size_t i = 0; i < 60; ++i) {
    std::string text = i % 6 == 0 ? "eviction notice" : "notice";
    for (std::size_t word = 0; word < 4; ++word) {
      text += " " + (i % 2 == 0 ? leases : others)[(i / 2 + word * (1 + i % 3)) % 5];
    }
    snapshot.Add("", {text});
  }
}

TEST(RetrieverTest, FittedAndLocalLegBringInWhatSharesNoWordButTheSubject) {
  FakeSnapshot snapshot;
  AddLeases(snapshot);
  const ThemeEmbedder fitted;
  snapshot.UseFitted(fitted);
  Retriever retriever(snapshot, nullptr);
  const SearchResult result = retriever.Search(Asking("eviction notice"));
  EXPECT_TRUE(result.vector.ran);
  EXPECT_EQ(result.vector.candidates, 60U);
  EXPECT_TRUE(result.local.ran);
  EXPECT_EQ(result.local.candidates, 60U);
  EXPECT_EQ(result.hits.size(), 10U);
  const Ranking ranking = retriever.Rank(Asking("eviction notice"));
  double lease = 0;
  double other = 0;
  for (std::size_t rank = 0; rank < ranking.chunks.size(); ++rank) {
    const std::size_t i = ranking.chunks[rank].chunk_id - 1;
    if (i % 6 != 0) (i % 2 == 0 ? lease : other) += static_cast<double>(rank);
    EXPECT_TRUE(ranking.chunks[rank].local_rank);
    EXPECT_TRUE(ranking.chunks[rank].vector_rank);
  }
  EXPECT_LT(lease / 20, other / 30);
}

TEST(RetrieverTest, TheLocalLegNeedsSixteenHits) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"The landlord repairs the roof."});
  const auto few = Retriever(snapshot, nullptr).Search(Asking("roof"));
  EXPECT_FALSE(few.local.ran);
  EXPECT_THAT(few.local.reason, HasSubstr("fewer than 16"));
  EXPECT_FALSE(few.hits[0].place.local_rank);
  const auto keyword = Retriever(snapshot, nullptr).Search(Asking("roof", Mode::kKeyword));
  EXPECT_EQ(keyword.local.reason, "mode is keyword");
}

TEST(RetrieverTest, TheVectorModeIsTheFittedLegAlone) {
  FakeSnapshot snapshot;
  AddLeases(snapshot);
  const ThemeEmbedder fitted;
  snapshot.UseFitted(fitted);
  const auto result = Retriever(snapshot, nullptr).Search(Asking("tenant", Mode::kVector));
  EXPECT_FALSE(result.keyword.ran);
  EXPECT_FALSE(result.local.ran);
  ASSERT_EQ(result.hits.size(), 10U);
  for (const Hit& hit : result.hits) EXPECT_EQ(hit.chunk.chunk_id % 2, 1U);
  const auto unknown = Retriever(snapshot, nullptr).Search(Asking("zebra", Mode::kVector));
  EXPECT_TRUE(unknown.hits.empty());
  EXPECT_THAT(unknown.vector.reason, HasSubstr("know no word"));
}

TEST(RetrieverTest, CollectionsWithoutFittedVectorsAreNamed) {
  FakeSnapshot snapshot;
  snapshot.Add("", {"The landlord repairs the roof."});
  snapshot.collection().embedder_id = "fitted";
  snapshot.collection().vectors = store::VectorsKind::kUnfitted;
  const auto small = Retriever(snapshot, nullptr).Search(Asking("roof"));
  EXPECT_FALSE(small.vector.ran);
  EXPECT_EQ(small.vector.reason, "collection 'c' has too few passages to fit vectors to");
  snapshot.collection().vectors = store::VectorsKind::kForeign;
  EXPECT_THAT(Retriever(snapshot, nullptr).Search(Asking("roof")).vector.reason,
              HasSubstr("index it again"));
}

TEST(RetrieverTest, WordsThatSingleOutOnePassageAreLeftAlone) {
  FakeSnapshot snapshot;
  AddLeases(snapshot);
  const ThemeEmbedder fitted;
  snapshot.UseFitted(fitted);
  Parameters parameters;
  parameters.sharp = 2;  // every question counts as one of those
  parameters.diffuse = 3;
  const Ranking alone = Retriever(snapshot, nullptr, parameters).Rank(Asking("eviction notice"));
  const Ranking keyword =
      Retriever(snapshot, nullptr).Rank(Asking("eviction notice", Mode::kKeyword));
  ASSERT_EQ(alone.chunks.size(), keyword.chunks.size());
  for (std::size_t i = 0; i < alone.chunks.size(); ++i) {
    EXPECT_EQ(alone.chunks[i].chunk_id, keyword.chunks[i].chunk_id);
  }
}

TEST(RetrieverTest, PassagesOfOneDocumentAreNoCompanyToEachOther) {
  FakeSnapshot snapshot;
  std::vector<std::string> chunks;
  for (int i = 0; i < 20; ++i) {
    chunks.push_back("eviction notice " + std::string(i % 2 == 0 ? "tenant rent" : "engine wing"));
  }
  snapshot.Add("", chunks);
  for (int i = 0; i < 20; ++i) {
    snapshot.Add("", {"A notice among very many other words on pilot and flight and wing."});
  }
  const auto order = [&snapshot](Mode mode) {
    std::vector<ChunkId> ids;
    for (const RankedChunk& chunk :
         Retriever(snapshot, nullptr).Rank(Asking("eviction notice tenant", mode)).chunks) {
      ids.push_back(chunk.chunk_id);
    }
    return ids;
  };
  EXPECT_EQ(order(Mode::kHybrid), order(Mode::kKeyword));
}

TEST(RetrieverTest, AnIdentifierStandsAboveWhatOtherLegsPrefer) {
  FakeSnapshot snapshot;
  AddLeases(snapshot);
  snapshot.Add("", {"Nothing but pilot and wing beside NCT01234567 here."});
  const ThemeEmbedder fitted;
  snapshot.UseFitted(fitted);
  const auto result =
      Retriever(snapshot, nullptr).Search(Asking("tenant rent deposit notice NCT01234567"));
  EXPECT_EQ(result.hits[0].chunk.chunk_id, 61U);
}

TEST(RetrieverTest, AFilterHoldsForBothLegs) {
  const LetterEmbedder embedder(0.5);
  FakeSnapshot snapshot(&embedder);
  snapshot.Add("", {"The roof leaks."});
  snapshot.Add("", {"The roof is new.", "Another roof."});
  Query query = Asking("roof");
  query.filter.path_globs = {"/docs/2.txt"};
  for (const Hit& hit : Retriever(snapshot, &embedder).Search(query).hits) {
    EXPECT_EQ(hit.chunk.path, "/docs/2.txt");
  }
}

TEST(RetrieverTest, RefusesABadQuestion) {
  const FakeSnapshot snapshot;
  EXPECT_THROW(Retriever(snapshot, nullptr).Search(Asking("")), Error);
  EXPECT_TRUE(Retriever(snapshot, nullptr).Search(Asking("anything")).hits.empty());
}

}  // namespace
}  // namespace sworn::retriever
