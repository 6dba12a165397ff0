#include "api/service/beir.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/service/knowledge_base.h"
#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

class BeirTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("set/corpus.jsonl",
                  "{\"_id\": \"d2\", \"title\": \"T\", \"text\": \"two\"}\n"
                  "{\"_id\": \"d1\", \"title\": \"only a title\", \"text\": \"\"}\n");
    folder_.Write(
        "set/queries.jsonl",
        "{\"_id\": \"q1\", \"text\": \"one?\"}\n{\"_id\": \"q2\", \"text\": \"unjudged\"}\n");
    folder_.Write("set/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n");
  }

  std::string Refusal() {
    try {
      ReadBeir(folder_.path() / "set");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  test::TempFolder folder_;
};

TEST_F(BeirTest, ReadsDocumentsAndJudgedQueries) {
  const BeirCollection collection = ReadBeir(folder_.path() / "set" / "");
  EXPECT_EQ(collection.name, "set");
  ASSERT_EQ(collection.documents.size(), 2U);
  EXPECT_EQ(collection.documents[1].text, "only a title");
  ASSERT_EQ(collection.queries.size(), 1U);
  EXPECT_EQ(collection.queries[0].judgements.at("d1"), 2);
}

TEST_F(BeirTest, OffersDocumentsUnderTheirIds) {
  const std::vector<BeirCollection> collections = {ReadBeir(folder_.path() / "set")};
  BeirSource source(collections);
  const indexer::SourceListing listing = source.List();
  ASSERT_EQ(listing.items.size(), 2U);
  EXPECT_EQ(listing.items[0].key.relative_path, "d1");
  EXPECT_EQ(source.Read(listing.items[1], 100).bytes, "two");
  EXPECT_EQ(listing.items[1].title, "T");
}

TEST_F(BeirTest, TaggedCollectionsShareASource) {
  std::vector<BeirCollection> collections(2, ReadBeir(folder_.path() / "set"));
  collections[1].name = "other";
  for (BeirCollection& collection : collections) TagDocuments(collection);
  EXPECT_EQ(collections[1].queries[0].judgements.at("other/d1"), 2);
  BeirSource source(collections);
  const indexer::SourceListing listing = source.List();
  ASSERT_EQ(listing.items.size(), 4U);
  EXPECT_EQ(listing.items[0].key.relative_path, "other/d1");
  EXPECT_EQ(listing.items[3].key.relative_path, "set/d2");
}

TEST_F(BeirTest, NamesFileAndLineOfAFault) {
  folder_.Write("set/corpus.jsonl", "{\"_id\": \"d1\", \"text\": \"x\"}\n{\"_id\": 1}\n");
  EXPECT_NE(Refusal().find("corpus.jsonl', line 2"), std::string::npos);
  folder_.Write("set/corpus.jsonl", "not json\n");
  EXPECT_NE(Refusal().find("line 1"), std::string::npos);
}

TEST_F(BeirTest, AnEmptyCollectionIsRefused) {
  folder_.Write("set/corpus.jsonl", "");
  EXPECT_NE(Refusal(), "");
}

TEST_F(BeirTest, AQueryWithoutARelevantDocumentIsNotCounted) {
  folder_.Write("set/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td2\t0\n");
  EXPECT_NE(Refusal(), "");
}

// Evaluation through the whole program: three documents about different things, two questions.
class EvaluateBeirTest : public testing::Test {
 protected:
  void SetUp() override {
    Write("ships",
          "{\"_id\": \"1\", \"text\": \"The lighthouse keeper counts ships at dusk.\"}\n"
          "{\"_id\": \"2\", \"text\": \"Sails are mended in the harbour hall.\"}\n",
          "who counts the ships?");
    Write("bread",
          "{\"_id\": \"1\", \"text\": \"The baker counts loaves before dawn.\"}\n"
          "{\"_id\": \"2\", \"text\": \"Rye flour needs a sour dough.\"}\n",
          "who counts the loaves?");
  }

  void Write(const std::string& name, const std::string& corpus, const std::string& question) {
    folder_.Write(name + "/corpus.jsonl", corpus);
    folder_.Write(name + "/queries.jsonl", "{\"_id\": \"q\", \"text\": \"" + question + "\"}\n");
    folder_.Write(name + "/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\t1\t1\n");
  }

  BeirEvaluation Evaluate(const std::vector<std::string>& names, bool mixed) {
    Config config;
    config.kb = folder_.path() / "unused";
    config.program = SWORN_PROGRAM;
    BeirRequest request;
    for (const std::string& name : names) request.folders.push_back(folder_.path() / name);
    request.modes = {SearchMode::kKeyword, SearchMode::kHybrid};
    request.legs = true;
    request.mixed = mixed;
    return EvaluateBeir(
        config, request, [](const IndexProgress&) {}, CancelFlag());
  }

  test::TempFolder folder_;
};

TEST_F(EvaluateBeirTest, MeasuresModesAndLegsOfOneCollection) {
  const BeirEvaluation evaluation = Evaluate({"ships"}, false);
  ASSERT_EQ(evaluation.collections.size(), 1U);
  EXPECT_TRUE(evaluation.mean_modes.empty());
  const BeirReport& report = evaluation.collections[0];
  EXPECT_EQ(report.documents, 2U);
  ASSERT_EQ(report.modes.size(), 2U);
  EXPECT_EQ(report.modes[0].name, "keyword");
  EXPECT_FALSE(report.modes[0].p_value_vs_keyword);
  EXPECT_DOUBLE_EQ(report.modes[0].ndcg_at_10, 1);
  EXPECT_DOUBLE_EQ(report.modes[1].p_value_vs_keyword.value(), 1);
  EXPECT_GT(report.modes[1].p99_ms.value(), 0);
  ASSERT_GE(report.legs.size(), 3U);
  EXPECT_EQ(report.legs[0].name, "keyword_chunks");
  EXPECT_EQ(report.legs[1].name, "whole_documents");
  for (const BeirScores& leg : report.legs) {
    EXPECT_LE(leg.ran, 1U) << leg.name;
    EXPECT_DOUBLE_EQ(leg.ndcg_at_10, leg.ran == 0 ? 0 : 1) << leg.name;
  }
}

TEST_F(EvaluateBeirTest, SeveralCollectionsHaveMeansAndMayShareAnIndex) {
  for (const bool mixed : {false, true}) {
    const BeirEvaluation evaluation = Evaluate({"ships", "bread"}, mixed);
    ASSERT_EQ(evaluation.collections.size(), 2U);
    EXPECT_EQ(evaluation.collections[1].collection, "bread");
    EXPECT_EQ(evaluation.collections[1].chunks, mixed ? 4U : 2U);
    ASSERT_EQ(evaluation.mean_modes.size(), 2U);
    EXPECT_DOUBLE_EQ(evaluation.mean_modes[0].ndcg_at_10, 1);
    EXPECT_EQ(evaluation.mean_modes[1].ran, 2U);
    EXPECT_EQ(evaluation.mean_legs.size(), evaluation.collections[0].legs.size());
  }
}

TEST_F(EvaluateBeirTest, DocumentsOfOtherCollectionsCompeteInACommonIndex) {
  Write("twin", "{\"_id\": \"1\", \"text\": \"Ships are many, and a clerk counts them.\"}\n",
        "the lighthouse keeper counts ships at dusk");
  EXPECT_DOUBLE_EQ(Evaluate({"twin"}, true).collections[0].modes[0].ndcg_at_10, 1);
  EXPECT_LT(Evaluate({"ships", "twin"}, true).collections[1].modes[0].ndcg_at_10, 1);
}

TEST_F(EvaluateBeirTest, TwoFoldersOfOneNameAreRefused) {
  EXPECT_THROW(Evaluate({"ships", "bread/../ships"}, true), Error);
  EXPECT_THROW(Evaluate({}, false), Error);
}

}  // namespace
}  // namespace sworn::service
