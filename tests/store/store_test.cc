#include <filesystem>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/sqlite.h"
#include "store/knowledge_store.h"
#include "tests/store/store_fixture.h"

namespace sworn::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

template <typename Work>
ErrorCode CodeOf(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

struct Store : StoreTest {
  Store() { store->CreateCollection("main"); }
};

TEST_F(Store, APublishedDocumentIsFoundByEveryLeg) {
  const auto result = PutAndPublish("a.txt", "apples grow on trees\npears too");
  EXPECT_EQ(result.generation, 1U);
  EXPECT_EQ(result.documents, 1U);
  EXPECT_TRUE(result.changed);
  const auto snapshot = Open();
  const auto keyword = snapshot->SearchChunks(Words({"pears"}), {}, 10, nullptr);
  ASSERT_EQ(keyword.size(), 1U);
  EXPECT_GT(keyword[0].score, 0);
  const auto contents = snapshot->SearchContents(Words({"apples", "pears"}), {}, 10, nullptr);
  ASSERT_EQ(contents.size(), 1U);
  const auto vectors = snapshot->SearchVectors(embedder.identity().Digest(),
                                               embedder.EmbedQuery("pears too"), 10, nullptr);
  ASSERT_EQ(vectors.size(), 2U);
  EXPECT_EQ(vectors[0].chunk_id, keyword[0].chunk_id);
  EXPECT_NEAR(vectors[0].score, 1, 1e-6);
  EXPECT_EQ(snapshot->ContentOf(keyword[0].chunk_id), contents[0].content_id);
  EXPECT_EQ(snapshot->ChunksOf(contents[0].content_id).size(), 2U);
  const auto chunk = snapshot->LoadChunks(std::vector{keyword[0].chunk_id}).at(0);
  EXPECT_EQ(chunk.text, "pears too");
  EXPECT_EQ(chunk.path, "/docs/a.txt");
  EXPECT_EQ(chunk.version, 1U);
  EXPECT_EQ(chunk.location.line_begin, 2U);
  EXPECT_EQ(snapshot->LoadText(chunk.document_id, 1), "apples grow on trees\npears too");
  EXPECT_EQ(snapshot->collections().at(0).chunks, 2U);
  EXPECT_THAT(snapshot->collections().at(0).languages, ElementsAre("en"));
}

TEST_F(Store, NothingIsVisibleBeforePublication) {
  const auto job = Begin();
  job->Put(MakeVersion("a.txt"), MakeContent("apples", embedder));
  job->Commit();
  EXPECT_THAT(Search({"apples"}), IsEmpty());
  EXPECT_THAT(store->List({}), IsEmpty());
  EXPECT_EQ(job->DocumentsBelow("/docs").size(), 1U);
  job->Publish();
  EXPECT_THAT(Search({"apples"}), ElementsAre("/docs/a.txt"));
  EXPECT_FALSE(job->Publish().changed);
}

TEST_F(Store, AReplacedOrWithdrawnDocumentLeavesEveryLegButItsTextStays) {
  PutAndPublish("a.txt", "apples");
  const std::string id = store->Find("a.txt").at(0).document_id;
  const auto before = Open();
  PutAndPublish("a.txt", "pears");
  EXPECT_THAT(Search({"apples"}), IsEmpty());
  EXPECT_THAT(Search({"pears"}), ElementsAre("/docs/a.txt"));
  EXPECT_EQ(store->Find(id).at(0).version, 2U);
  {
    const auto job = Begin();
    job->Withdraw(id);
    EXPECT_TRUE(job->Publish().changed);
  }
  EXPECT_THAT(Search({"pears"}), IsEmpty());
  const auto after = Open();
  EXPECT_THAT(after->SearchContents(Words({"pears"}), {}, 10, nullptr), IsEmpty());
  EXPECT_THAT(
      after->SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("pears"), 10, nullptr),
      IsEmpty());
  EXPECT_EQ(store->LoadText(id, 1), "apples");
  EXPECT_EQ(store->LoadText(id, 2), "pears");
  EXPECT_EQ(store->LoadText(id, 0), "pears");
  EXPECT_EQ(store->LoadText(id, 3), std::nullopt);
  EXPECT_THAT(store->List({}), IsEmpty());
  KnowledgeStore::ListOptions all;
  all.with_withdrawn = true;
  EXPECT_EQ(store->List(all).at(0).state, DocumentState::kWithdrawn);
  // The snapshot opened first still sees its own generation.
  EXPECT_THAT(PathsOf(*before, before->SearchChunks(Words({"apples"}), {}, 10, nullptr)),
              ElementsAre("/docs/a.txt"));
}

TEST_F(Store, ADeadChunkIsNoChunkOfTheGeneration) {
  PutAndPublish("a.txt", "apples");
  const ChunkId chunk = Open()->SearchChunks(Words({"apples"}), {}, 1, nullptr).at(0).chunk_id;
  PutAndPublish("a.txt", "pears");
  const auto snapshot = Open();
  EXPECT_EQ(snapshot->ContentOf(chunk), 0U);
  EXPECT_EQ(snapshot->ContentOf(0), 0U);
  EXPECT_EQ(snapshot->ContentOf(4000000000U), 0U);
  EXPECT_EQ(CodeOf([&] { snapshot->LoadChunks(std::vector{chunk}); }), ErrorCode::kNotFound);
}

TEST_F(Store, EqualBytesAreStoredAndIndexedOnce) {
  const auto job = Begin();
  job->Put(MakeVersion("a.txt"), MakeContent("apples", embedder));
  job->Put(MakeVersion("b.txt"), MakeContent("apples", embedder));
  const auto known = job->FindContent(ToHex(Sha256("apples")), "text/plain");
  ASSERT_TRUE(known);
  EXPECT_FALSE(job->FindContent(ToHex(Sha256("apples")), "text/html"));
  job->Put(MakeVersion("c.txt"), *known);
  EXPECT_EQ(job->Publish().documents, 3U);
  auto snapshot = Open();
  EXPECT_EQ(snapshot->collections().at(0).chunks, 1U);
  const auto hits = snapshot->SearchChunks(Words({"apples"}), {}, 10, nullptr);
  ASSERT_EQ(hits.size(), 1U);
  const auto chunk = snapshot->LoadChunks(std::vector{hits[0].chunk_id}).at(0);
  EXPECT_EQ(chunk.path, "/docs/a.txt");
  EXPECT_THAT(chunk.also_at, ElementsAre("/docs/b.txt", "/docs/c.txt"));
  job->Withdraw(chunk.document_id);
  job->Publish();
  EXPECT_THAT(Search({"apples"}), ElementsAre("/docs/b.txt"));
}

TEST_F(Store, AContentOfAnotherCollectionOrAGoneOneIsRefused) {
  PutAndPublish("a.txt", "apples");
  const ContentId apples = store->Find("a.txt").at(0).content_id;
  store->CreateCollection("other");
  {
    const auto other = Begin("other");
    EXPECT_EQ(CodeOf([&] { other->Put(MakeVersion("x.txt"), apples); }), ErrorCode::kNotFound);
    EXPECT_FALSE(other->FindContent(ToHex(Sha256("apples")), "text/plain"));
  }
  PutAndPublish("a.txt", "pears");
  const auto job = Begin();
  EXPECT_EQ(CodeOf([&] { job->Put(MakeVersion("x.txt"), apples); }), ErrorCode::kNotFound);
  EXPECT_FALSE(job->FindContent(ToHex(Sha256("apples")), "text/plain"));
}

TEST_F(Store, ARenamedDocumentKeepsItsIdAndVersions) {
  PutAndPublish("a.txt", "apples");
  const auto before = store->Find("a.txt").at(0);
  const auto job = Begin();
  job->Rename(before.document_id, {"/docs", "sub/b.txt"}, {1, 2, 3});
  job->Commit();
  EXPECT_EQ(store->Find(before.document_id).at(0).path, "/docs/a.txt");
  job->Publish();
  const auto after = store->Find("sub/b.txt").at(0);
  EXPECT_EQ(after.document_id, before.document_id);
  EXPECT_EQ(after.version, 1U);
  EXPECT_EQ(after.facts, (FileFacts{1, 2, 3}));
  EXPECT_THAT(store->Find("a.txt"), IsEmpty());
  EXPECT_THAT(Search({"apples"}), ElementsAre("/docs/sub/b.txt"));
  job->Put(MakeVersion("a.txt"), MakeContent("pears", embedder));
  job->Publish();
  EXPECT_NE(store->Find("/docs/a.txt").at(0).document_id, before.document_id);
}

TEST_F(Store, ARenameOntoALiveDocumentIsRefused) {
  PutAndPublish("a.txt", "apples");
  PutAndPublish("b.txt", "pears");
  const auto job = Begin();
  const std::string id = store->Find("a.txt").at(0).document_id;
  EXPECT_EQ(CodeOf([&] { job->Rename(id, {"/docs", "b.txt"}, {}); }), ErrorCode::kConflict);
}

TEST_F(Store, AReturningPathGetsItsDocumentIdBack) {
  PutAndPublish("a.txt", "apples");
  const std::string id = store->Find("a.txt").at(0).document_id;
  const auto job = Begin();
  job->Withdraw(id);
  job->Publish();
  EXPECT_EQ(job->Put(MakeVersion("a.txt"), MakeContent("apples", embedder)),
            IndexJob::PutResult::kAdded);
  EXPECT_EQ(job->Put(MakeVersion("a.txt"), MakeContent("plums", embedder)),
            IndexJob::PutResult::kReplaced);
  job->Publish();
  const auto found = store->Find("a.txt").at(0);
  EXPECT_EQ(found.document_id, id);
  EXPECT_EQ(found.version, 3U);
  EXPECT_THAT(Search({"apples"}), IsEmpty());
}

TEST_F(Store, AnUnreadableFileIsListedAndWithdrawsItsFormerVersion) {
  PutAndPublish("a.txt", "apples");
  const auto job = Begin();
  job->PutUnreadable({{"/docs", "a.txt"}, UnreadableKind::kNeedsOcr, "needs OCR"}, {5, 6, 7});
  job->PutUnreadable({{"/docs", "b.exe"}, UnreadableKind::kSkipped, "unsupported"}, {});
  job->Publish();
  const auto snapshot = Open();
  const auto unreadable = snapshot->Unreadable();
  ASSERT_EQ(unreadable.size(), 2U);
  EXPECT_EQ(unreadable[0].reason, "needs OCR");
  EXPECT_EQ(unreadable[0].kind, UnreadableKind::kNeedsOcr);
  EXPECT_EQ(snapshot->collections().at(0).skipped, 1U);
  EXPECT_EQ(snapshot->collections().at(0).unreadable, 1U);
  EXPECT_EQ(snapshot->collections().at(0).documents, 0U);
  EXPECT_THAT(Search({"apples"}), IsEmpty());
  const auto info = store->Find("a.txt").at(0);
  EXPECT_EQ(info.state, DocumentState::kUnreadable);
  EXPECT_EQ(info.facts, (FileFacts{5, 6, 7}));
  EXPECT_EQ(store->LoadText(info.document_id, 0), "apples");
}

TEST_F(Store, TouchedFactsAreRememberedWithoutANewVersion) {
  PutAndPublish("a.txt", "apples");
  const auto before = store->Find("a.txt").at(0);
  const auto job = Begin();
  job->UpdateFacts(before.document_id, {7, 8, 9});
  EXPECT_FALSE(job->Publish().changed);
  EXPECT_EQ(store->Find("a.txt").at(0).facts, (FileFacts{7, 8, 9}));
  EXPECT_EQ(store->Find("a.txt").at(0).version, 1U);
}

TEST_F(Store, AnIdentifierStandsAboveAnyNumberOfNearMisses) {
  std::string near = "order";
  for (int i = 0; i < 200; ++i) near += " order";
  PutAndPublish("near.txt", near + " ab-124");
  PutAndPublish("exact.txt", "a long text about something else that names ab-123 only once here");
  PutAndPublish("both.txt", "ab-123 zz-9");
  text::KeywordQuery query = Words({"order"});
  query.identifiers = {"#ab-123", "#zz-9"};
  const auto snapshot = Open();
  const auto hits = snapshot->SearchChunks(query, {}, 10, nullptr);
  EXPECT_THAT(PathsOf(*snapshot, hits),
              ElementsAre("/docs/both.txt", "/docs/exact.txt", "/docs/near.txt"));
  EXPECT_EQ(hits.at(0).tier, 2U);
  EXPECT_EQ(hits.at(1).tier, 1U);
  EXPECT_EQ(hits.at(2).tier, 0U);
  EXPECT_GT(hits.at(2).score, 0);
  EXPECT_LT(hits.at(1).score, 100);
}

TEST_F(Store, APhraseRaisesTheTierOnlyWhereItsWordsStandTogether) {
  PutAndPublish("apart.txt", "green apples and many pears green green");
  PutAndPublish("together.txt", "the shop sells green pears today");
  text::KeywordQuery query;
  text::Phrase phrase;
  phrase.words = {{{EnglishTerm("green"), "de:green"}, 1}, {{EnglishTerm("pears"), "de:pear"}, 1}};
  query.phrases = {phrase};
  const auto snapshot = Open();
  const auto hits = snapshot->SearchChunks(query, {}, 10, nullptr);
  EXPECT_THAT(PathsOf(*snapshot, hits), ElementsAre("/docs/together.txt", "/docs/apart.txt"));
  EXPECT_EQ(hits.at(0).tier, 1U);
  EXPECT_EQ(hits.at(1).tier, 0U);
}

TEST_F(Store, AlternativesOfAWordCountByTheirBest) {
  PutAndPublish("a.txt", "gift");
  PutAndPublish("b.txt", "other");
  const auto snapshot = Open();
  text::KeywordQuery one;
  one.words = {{{EnglishTerm("gift")}, 1}};
  text::KeywordQuery two;
  two.words = {{{EnglishTerm("gift"), EnglishTerm("gift")}, 1}};
  EXPECT_EQ(snapshot->SearchChunks(one, {}, 1, nullptr).at(0).score,
            snapshot->SearchChunks(two, {}, 1, nullptr).at(0).score);
}

TEST_F(Store, TooManyWordsAreRefused) {
  PutAndPublish("a.txt", "apples");
  text::KeywordQuery query;
  for (int i = 0; i < 2000; ++i) query.words.push_back({{"en:w" + std::to_string(i)}, 1});
  EXPECT_EQ(CodeOf([&] { static_cast<void>(Open()->SearchChunks(query, {}, 1, nullptr)); }),
            ErrorCode::kTooLarge);
}

TEST_F(Store, FiltersChooseByPathTypeDateAndMetadata) {
  const auto job = Begin();
  NewVersion version = MakeVersion("law/a.pdf");
  version.document_date_ms = 100;
  version.user_meta = {{"matter", "7"}};
  NewContent content = MakeContent("apples one", embedder);
  content.media_type = "application/pdf";
  content.metadata = {{"author", "Ann"}};
  job->Put(version, content);
  NewVersion second = MakeVersion("notes/b.txt");
  second.document_date_ms = 200;
  job->Put(second, MakeContent("apples two", embedder));
  job->Publish();
  const auto snapshot = Open();
  const auto found = [&](const DocumentFilter& filter) {
    const auto only = snapshot->Resolve(filter);
    const auto hits = snapshot->SearchChunks(Words({"apples"}), {}, 10, only.get());
    const auto vectors = snapshot->SearchVectors(embedder.identity().Digest(),
                                                 embedder.EmbedQuery("apples"), 10, only.get());
    EXPECT_EQ(hits.size(), vectors.size());
    EXPECT_EQ(hits.size(), snapshot->SearchContents(Words({"apples"}), {}, 10, only.get()).size());
    return PathsOf(*snapshot, hits);
  };
  EXPECT_EQ(snapshot->Resolve({}), nullptr);
  DocumentFilter filter;
  filter.path_globs = {"law/*"};
  EXPECT_THAT(found(filter), ElementsAre("/docs/law/a.pdf"));
  filter.path_globs = {"*.pdf", "notes/**"};
  EXPECT_EQ(found(filter).size(), 2U);
  filter = {};
  filter.media_types = {"application/pdf"};
  EXPECT_THAT(found(filter), ElementsAre("/docs/law/a.pdf"));
  filter.media_types = {"txt"};
  EXPECT_THAT(found(filter), ElementsAre("/docs/notes/b.txt"));
  filter = {};
  filter.since_ms = 101;
  EXPECT_THAT(found(filter), ElementsAre("/docs/notes/b.txt"));
  filter = {};
  filter.until_ms = 200;
  EXPECT_THAT(found(filter), ElementsAre("/docs/law/a.pdf"));
  filter = {};
  filter.where = {{"matter", "7"}, {"author", "Ann"}};
  EXPECT_THAT(found(filter), ElementsAre("/docs/law/a.pdf"));
  filter.where = {{"matter", "8"}};
  EXPECT_THAT(found(filter), IsEmpty());
}

TEST_F(Store, CollectionsDoNotSeeEachOther) {
  store->CreateCollection("other");
  PutAndPublish("a.txt", "apples pears");
  const auto alone = Open({"main"});
  const double score = alone->SearchChunks(Words({"apples"}), {}, 1, nullptr).at(0).score;
  PutAndPublish("b.txt", "apples", "other");
  const auto after = Open({"main"});
  const auto hits = after->SearchChunks(Words({"apples"}), {}, 10, nullptr);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].score, score);
  EXPECT_EQ(after->Statistics(EnglishTerm("apples")).passages_with_term, 1U);
  EXPECT_EQ(Open()->Statistics(EnglishTerm("apples")).passages_with_term, 2U);
  EXPECT_THAT(Search({"apples"}), UnorderedElementsAre("/docs/a.txt", "/docs/b.txt"));
  EXPECT_EQ(CodeOf([&] { Open({"none"}); }), ErrorCode::kNotFound);
}

TEST_F(Store, CollectionNamesAreCheckedAndUnique) {
  EXPECT_EQ(CodeOf([&] { store->CreateCollection("main"); }), ErrorCode::kConflict);
  for (const char* name : {"", "A", "a b", "../x", "\xc3\xa4"}) {
    EXPECT_EQ(CodeOf([&] { store->CreateCollection(name); }), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(CodeOf([&] { store->CreateCollection(std::string(65, 'a')); }),
            ErrorCode::kInvalidArgument);
}

TEST_F(Store, ARemovedCollectionIsGoneButItsTextsStay) {
  PutAndPublish("a.txt", "apples");
  const std::string id = store->Find("a.txt").at(0).document_id;
  store->RemoveCollection("main");
  EXPECT_THAT(store->Collections(), IsEmpty());
  EXPECT_THAT(store->List({}), IsEmpty());
  EXPECT_EQ(store->LoadText(id, 1), "apples");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "kb" / "index"));
  store->CreateCollection("main");
  EXPECT_THAT(Search({"apples"}), IsEmpty());
  EXPECT_EQ(CodeOf([&] { store->RemoveCollection("none"); }), ErrorCode::kNotFound);
}

TEST_F(Store, OneJobAtATime) {
  const auto job = Begin();
  EXPECT_EQ(CodeOf([&] { Begin(); }), ErrorCode::kBusy);
  const auto second = KnowledgeStore::Open(folder.path() / "kb", {files, clock});
  EXPECT_EQ(CodeOf([&] { second->BeginJob("main", &embedder); }), ErrorCode::kBusy);
  EXPECT_EQ(CodeOf([&] { second->CreateCollection("x"); }), ErrorCode::kBusy);
}

TEST_F(Store, MalformedChunksAreRefusedAndTheJobGoesOn) {
  const auto job = Begin();
  NewContent outside = MakeContent("apples", embedder);
  outside.chunks[0].range.end = 7;
  EXPECT_EQ(CodeOf([&] { job->Put(MakeVersion("a.txt"), outside); }), ErrorCode::kInvalidArgument);
  NewContent narrow = MakeContent("apples", embedder);
  narrow.chunks[0].vector.pop_back();
  EXPECT_EQ(CodeOf([&] { job->Put(MakeVersion("a.txt"), narrow); }), ErrorCode::kInvalidArgument);
  job->Put(MakeVersion("b.txt"), MakeContent("pears", embedder));
  EXPECT_EQ(job->Publish().documents, 1U);
}

/// Counts what it embeds.
class CountingEmbedder : public LetterEmbedder {
 public:
  using LetterEmbedder::LetterEmbedder;
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override {
    embedded += texts.size();
    return LetterEmbedder::EmbedPassages(texts);
  }
  mutable std::size_t embedded = 0;
};

TEST_F(Store, AChangeOfEmbedderGoesOnWhereItWasEnded) {
  constexpr std::size_t kChunks = 600;
  std::string lines;
  for (std::size_t i = 0; i < kChunks; ++i) {
    lines += (i == 0 ? "" : "\n") + std::string("line ") + std::to_string(i * 7919);
  }
  PutAndPublish("a.txt", lines);
  const auto before = Open()->collections().at(0);
  const CountingEmbedder other("2", 16);
  CancelFlag cancel;
  const EmbeddingWork work{.progress =
                               [&](std::uint64_t done, std::uint64_t total) {
                                 EXPECT_GT(done, 0U);
                                 EXPECT_EQ(total, kChunks);
                                 cancel.Cancel();
                               },
                           .cancel = &cancel};
  EXPECT_EQ(CodeOf([&] { store->BeginJob("main", &other, work); }), ErrorCode::kCancelled);
  EXPECT_LT(other.embedded, kChunks);
  EXPECT_EQ(Open()->collections().at(0).generation, before.generation);
  EXPECT_EQ(Open()->collections().at(0).embedder_id, before.embedder_id);
  EXPECT_THAT(
      Open()->SearchVectors(before.embedder_id, embedder.EmbedQuery("line 7919"), 5, nullptr),
      testing::SizeIs(5));
  store->BeginJob("main", &other);
  EXPECT_EQ(other.embedded, kChunks);
  EXPECT_EQ(Open()->collections().at(0).embedder_id, other.identity().Digest());
  // A fitted embedder keeps no vectors in the catalog, so these stay for the way back.
  BeginFitted();
  store->BeginJob("main", &other);
  EXPECT_EQ(other.embedded, kChunks);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Store, AVectorThatIsNoNumberDoesNotGetIn) {
  class Broken : public LetterEmbedder {
   public:
    Broken() : LetterEmbedder("nan") {}
    [[nodiscard]] std::vector<float> EmbedPassages(
        std::span<const std::string_view> texts) const override {
      std::vector<float> vectors = LetterEmbedder::EmbedPassages(texts);
      vectors.back() = std::numeric_limits<float>::quiet_NaN();
      return vectors;
    }
  };
  PutAndPublish("a.txt", "apples");
  const Broken broken;
  EXPECT_EQ(CodeOf([&] { store->BeginJob("main", &broken); }), ErrorCode::kIntegrity);
  EXPECT_EQ(Open()->collections().at(0).embedder_id, embedder.identity().Digest());
}

TEST_F(Store, AnotherEmbedderEmbedsTheStoredChunksAnew) {
  PutAndPublish("a.txt", "apples\npears");
  PutAndPublish("a.txt", "plums\npears");
  const std::uint64_t generation = Open()->collections().at(0).generation;
  const LetterEmbedder wider("2", 16);
  const auto job = store->BeginJob("main", &wider);
  auto snapshot = Open();
  EXPECT_EQ(snapshot->collections().at(0).generation, generation + 1);
  EXPECT_EQ(snapshot->collections().at(0).embedder_id, wider.identity().Digest());
  EXPECT_THAT(snapshot->SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("plums"),
                                      10, nullptr),
              IsEmpty());
  const auto hits =
      snapshot->SearchVectors(wider.identity().Digest(), wider.EmbedQuery("plums"), 10, nullptr);
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_EQ(snapshot->LoadChunks(std::vector{hits[0].chunk_id}).at(0).text, "plums");
  EXPECT_THAT(Search({"pears"}), ElementsAre("/docs/a.txt"));
  EXPECT_EQ(CodeOf([&] { job->Put(MakeVersion("b.txt"), MakeContent("kiwis", embedder)); }),
            ErrorCode::kInvalidArgument);
  job->Put(MakeVersion("b.txt"), MakeContent("kiwis", wider));
  job->Publish();
  EXPECT_THAT(Search({"kiwis"}), ElementsAre("/docs/b.txt"));
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Store, ManySmallSegmentsAreMergedAndTheDeadOnesPurged) {
  const auto job = Begin();
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    job->Put(MakeVersion("doc" + n), MakeContent("common word" + n, embedder));
    job->Put(MakeVersion("same"), MakeContent("changing version" + n, embedder));
    job->Publish();
  }
  const auto snapshot = Open();
  const CollectionInfo info = snapshot->collections().at(0);
  EXPECT_LE(info.segments, 8U);
  EXPECT_EQ(info.documents, 41U);
  EXPECT_EQ(snapshot->SearchChunks(Words({"common"}), {}, 100, nullptr).size(), 40U);
  EXPECT_THAT(PathsOf(*snapshot, snapshot->SearchChunks(Words({"version39"}), {}, 9, nullptr)),
              ElementsAre("/docs/same"));
  EXPECT_LT(snapshot->Statistics(EnglishTerm("changing")).passages_with_term, 20U);
  EXPECT_EQ(
      snapshot->SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("x"), 100, nullptr)
          .size(),
      41U);
  EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
}

TEST_F(Store, ListsPageByPage) {
  const auto job = Begin();
  for (int i = 0; i < 10; ++i) {
    job->Put(MakeVersion("d" + std::to_string(i)), MakeContent(std::to_string(i), embedder));
  }
  job->Publish();
  std::vector<std::string> ids;
  KnowledgeStore::ListOptions options;
  options.limit = 3;
  options.collections = {"main"};
  for (;;) {
    const auto page = store->List(options);
    if (page.empty()) break;
    for (const auto& info : page) ids.push_back(info.document_id);
    options.after_document_id = ids.back();
  }
  EXPECT_EQ(ids.size(), 10U);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 10U);
}

TEST_F(Store, FilesAndFoldersArePrivate) {
  PutAndPublish("a.txt", "apples");
  const auto snapshot = Open();
  namespace fs = std::filesystem;
  int seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "kb")) {
    const auto mode = static_cast<unsigned>(entry.status().permissions());
    EXPECT_EQ(mode, entry.is_directory() ? 0700U : 0600U) << entry.path();
    ++seen;
  }
  EXPECT_GT(seen, 12);
}

TEST_F(Store, ANewerCatalogIsRefusedUntouched) {
  {
    SqliteConnection catalog(folder.path() / "kb" / "catalog.db",
                             SqliteConnection::Mode::kReadWrite);
    catalog.Execute("PRAGMA user_version=99");
  }
  EXPECT_EQ(CodeOf([&] { Reopen(); }), ErrorCode::kConflict);
}

TEST_F(Store, ABackupHoldsTheCatalog) {
  PutAndPublish("a.txt", "apples");
  const auto copy = folder.path() / "copy";
  CreatePrivateFolder(copy);
  store->BackupCatalog(copy / "catalog.db");
  const auto restored = KnowledgeStore::Open(copy, {files, clock});
  const auto snapshot = restored->OpenSnapshot({});
  EXPECT_EQ(snapshot->SearchChunks(Words({"apples"}), {}, 10, nullptr).size(), 1U);
}

TEST_F(Store, VectorScoresTieByChunkId) {
  PutAndPublish("a.txt", "same\nsame\nsame\nsame");
  const auto hits =
      Open()->SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("same"), 2, nullptr);
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_EQ(hits[0].score, hits[1].score);
  EXPECT_LT(hits[0].chunk_id, hits[1].chunk_id);
  EXPECT_EQ(hits[0].chunk_id, 1U);
}

}  // namespace
}  // namespace sworn::store
