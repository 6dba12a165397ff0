// Embedding models through the facade: import, index, search, change, loss.
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/service/knowledge_base.h"
#include "core/error.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_encoder.h"
#include "tests/support/tiny_model.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using test::MakeTinyEncoder;
using testing::HasSubstr;
using testing::ThrowsMessage;

class EmbedderChoiceTest : public testing::Test {
 protected:
  EmbedderChoiceTest() {
    documents_ = fs::canonical(scratch_.path()) / "documents";
    config_.kb = scratch_.path() / "kb";
    config_.program = SWORN_PROGRAM;
    config_.threads = 1;
    scratch_.Write("documents/agreement.md", "Either party may end the agreement with notice.\n");
    scratch_.Write("documents/minutes.txt", "The budget of the meeting was agreed.\n");
    kb_ = KnowledgeBase::Open(config_, true);
  }

  ModelEntry Import(const std::string& id, std::uint64_t seed = 1,
                    ModelImportRequest request = {}) {
    const fs::path path = scratch_.path() / (id + std::to_string(seed) + ".gguf");
    WriteTinyEncoderGguf(MakeTinyEncoder({.seed = seed}), path);
    request.path = path;
    request.id = id;
    return kb_->ImportModel(
        request, [](const IndexProgress&) {}, cancel_);
  }

  IndexReport Index(const std::string& embedder = "") {
    IndexRequest request;
    request.paths = {documents_};
    request.embedder = embedder;
    return kb_->Index(
        request, [](const IndexProgress&) {}, cancel_);
  }

  SearchResponse Search(SearchMode mode = SearchMode::kHybrid) {
    SearchRequest request;
    request.text = "agreement with notice";
    request.mode = mode;
    return kb_->Search(request);
  }

  static const LegReport& VectorLeg(const SearchResponse& response) {
    for (const LegReport& leg : response.legs) {
      if (leg.name == "vector") return leg;
    }
    throw std::logic_error("no vector leg");
  }

  std::string EmbedderOfCollection() { return kb_->Collections().at(0).embedder_name; }

  test::TempFolder scratch_;
  fs::path documents_;
  Config config_;
  CancelFlag cancel_;
  std::unique_ptr<KnowledgeBase> kb_;
};

TEST_F(EmbedderChoiceTest, ACollectionRemembersItsModel) {
  Import("tiny");
  EXPECT_EQ(Index("tiny").added, 2U);
  EXPECT_EQ(EmbedderOfCollection(), "tiny");
  const SearchResponse response = Search(SearchMode::kVector);
  EXPECT_TRUE(VectorLeg(response).ran) << VectorLeg(response).reason;
  EXPECT_EQ(response.hits.size(), 2U);
  scratch_.Write("documents/new.txt", "The notice of the meeting.\n");
  EXPECT_EQ(Index().added, 1U);
  EXPECT_EQ(EmbedderOfCollection(), "tiny");
  EXPECT_EQ(Search(SearchMode::kVector).hits.size(), 3U);
  EXPECT_EQ(Index().unchanged, 3U);
}

TEST_F(EmbedderChoiceTest, AnotherModelOrNoneTakesItsPlace) {
  Import("one", 1);
  Import("two", 2);
  Index("one");
  const std::string former = kb_->Collections().at(0).embedder_id;
  Index("two");
  EXPECT_EQ(EmbedderOfCollection(), "two");
  EXPECT_NE(kb_->Collections().at(0).embedder_id, former);
  EXPECT_TRUE(VectorLeg(Search()).ran);
  Index("lsa");
  EXPECT_NE(EmbedderOfCollection(), "two");
  EXPECT_FALSE(Search().hits.empty());
  Index("one");
  EXPECT_EQ(kb_->Collections().at(0).embedder_id, former);
  EXPECT_TRUE(kb_->Fsck(false, [](std::string_view) {}).empty());
}

TEST_F(EmbedderChoiceTest, WithoutItsModelACollectionIsStillSearchedByWords) {
  Import("tiny");
  Index("tiny");
  kb_->RemoveModel("tiny");
  const SearchResponse response = Search();
  EXPECT_FALSE(response.hits.empty());
  EXPECT_FALSE(VectorLeg(response).ran);
  EXPECT_THAT(VectorLeg(response).reason, HasSubstr("'tiny', which is not installed"));
  AskRequest ask;
  ask.text = "Who may end the agreement?";
  EXPECT_FALSE(kb_->Ask(ask).legs.empty());
  EXPECT_THAT([&] { Index(); }, ThrowsMessage<Error>(HasSubstr("'tiny', which is not installed")));
  Index("lsa");
  EXPECT_NE(EmbedderOfCollection(), "tiny");
}

TEST_F(EmbedderChoiceTest, AChangedModelFileIsNotUsed) {
  const ModelEntry entry = Import("tiny");
  Index("tiny");
  kb_ = KnowledgeBase::Open(config_, false);
  scratch_.Write("kb/models/" + entry.file, std::string(entry.bytes, 'x'));
  const SearchResponse response = Search();
  EXPECT_FALSE(response.hits.empty());
  EXPECT_THAT(VectorLeg(response).reason, HasSubstr("not the pinned"));
  EXPECT_THROW(kb_->VerifyModel("tiny"), Error);
}

TEST_F(EmbedderChoiceTest, ADifferentModelUnderTheSameNameIsNotTakenForIt) {
  Import("tiny", 1);
  Index("tiny");
  kb_->RemoveModel("tiny");
  Import("tiny", 2);
  EXPECT_THAT(VectorLeg(Search()).reason, HasSubstr("indexed with another embedder"));
  Index();
  EXPECT_TRUE(VectorLeg(Search()).ran);
}

TEST_F(EmbedderChoiceTest, WhatIsNoEmbedderIsRefusedBeforeAnythingIsMade) {
  WriteTinyGguf(test::MakeTinyModel({}), scratch_.path() / "writer.gguf");
  ModelImportRequest request;
  request.path = scratch_.path() / "writer.gguf";
  EXPECT_EQ(kb_->ImportModel(
                   request, [](const IndexProgress&) {}, cancel_)
                .embedding,
            std::nullopt);
  EXPECT_THAT([&] { Index("writer"); }, ThrowsMessage<Error>(HasSubstr("no embedder")));
  EXPECT_THAT([&] { Index("absent"); }, ThrowsMessage<Error>(HasSubstr("not installed")));
  EXPECT_TRUE(kb_->Collections().empty());
  request.id = "other";
  request.pooling = "mean";
  EXPECT_THAT(
      [&] {
        kb_->ImportModel(
            request, [](const IndexProgress&) {}, cancel_);
      },
      ThrowsMessage<Error>(HasSubstr("writes text")));
  Import("tiny");
  AskRequest ask;
  ask.text = "Who may end the agreement?";
  ask.writing.model = "tiny";
  EXPECT_THAT([&] { kb_->Ask(ask); }, ThrowsMessage<Error>(HasSubstr("is an embedder")));
}

TEST_F(EmbedderChoiceTest, PrefixesAndPoolingAreKeptInTheManifest) {
  ModelImportRequest request;
  request.query_prefix = "ask: ";
  request.pooling = "cls";
  request.int8 = true;
  Import("tiny", 1, request);
  const ModelEntry entry = kb_->ModelInfo("tiny");
  ASSERT_TRUE(entry.embedding);
  EXPECT_EQ(entry.embedding->query_prefix, "ask: ");
  EXPECT_EQ(entry.embedding->passage_prefix, "");
  EXPECT_EQ(entry.embedding->pooling, "cls");
  kb_->VerifyModel("tiny");
  request.pooling = "sum";
  EXPECT_THAT([&] { Import("other", 1, request); }, ThrowsMessage<Error>(HasSubstr("'sum'")));
}

TEST_F(EmbedderChoiceTest, TextsAreEmbeddedByAModelOrByTheCollections) {
  const auto embed = [&](const std::string& model, EmbedKind kind = EmbedKind::kQuery) {
    return kb_->Embed({"a notice", model, "", kind});
  };
  EXPECT_THAT([&] { embed(""); }, ThrowsMessage<Error>(HasSubstr("--model")));
  EXPECT_THAT([&] { embed("tiny"); }, ThrowsMessage<Error>(HasSubstr("not installed")));
  ModelImportRequest request;
  request.passage_prefix = "the ";
  Import("tiny", 1, request);
  EXPECT_EQ(embed("tiny").vector.size(), 48U);
  EXPECT_NE(embed("tiny").vector, embed("tiny", EmbedKind::kPassage).vector);
  Index();
  EXPECT_THAT([&] { embed(""); }, ThrowsMessage<Error>(HasSubstr("--model")));
  Index("tiny");
  EXPECT_EQ(embed("").model, "tiny");
  EXPECT_EQ(embed("").vector, embed("tiny").vector);
}

}  // namespace
}  // namespace sworn::service
