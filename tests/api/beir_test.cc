#include "api/service/beir.h"

#include <gtest/gtest.h>

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
  const BeirCollection collection = ReadBeir(folder_.path() / "set");
  BeirSource source(collection);
  const indexer::SourceListing listing = source.List();
  ASSERT_EQ(listing.items.size(), 2U);
  EXPECT_EQ(listing.items[0].key.relative_path, "d1");
  EXPECT_EQ(source.Read(listing.items[1], 100).bytes, "two");
  EXPECT_EQ(listing.items[1].title, "T");
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

}  // namespace
}  // namespace sworn::service
