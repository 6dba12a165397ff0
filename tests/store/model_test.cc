// Random operations on the store and on a plain model of it, compared after each publication.
#include <map>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "core/term_rows.h"
#include "tests/store/store_fixture.h"

namespace sworn::store {
namespace {

constexpr int kPaths = 12;
constexpr int kTexts = 9;

/// What a collection should hold: the text behind every readable path, every version ever
/// published, and the files without text.
struct Model {
  struct Document {
    std::string document_id;
    std::uint32_t version = 0;
    std::optional<std::string> text;  // nothing: unreadable
  };
  std::map<std::string, Document> live;                                   // by path
  std::map<std::pair<std::string, std::uint32_t>, std::string> versions;  // texts for ever
};

/// With vectors of a text embedder, or of one that is fitted again and again as the collection
/// changes.
struct ModelTest : StoreTest, ::testing::WithParamInterface<bool> {
  const bool fitted = GetParam();
  Model staged;
  Model published;
  std::mt19937 random{std::random_device::result_type{20260131}};
  std::unique_ptr<IndexJob> job;
  bool was_fitted = false;

  ModelTest() { store->CreateCollection("main"); }

  std::unique_ptr<IndexJob> BeginAny() { return fitted ? BeginFitted() : Begin(); }

  std::string RandomPath() { return "p" + std::to_string(random() % kPaths); }

  static std::string TextOf(std::uint32_t number) {
    const std::string n = std::to_string(number);
    return "shared alpha" + n + "\nshared beta" + n + "\nshared gamma" + n;
  }

  std::string IdOf(const std::string& path) {
    for (const auto& info : job->DocumentsBelow("/docs")) {
      if (info.key.relative_path == path) return info.document_id;
    }
    ADD_FAILURE() << path;
    return {};
  }

  std::uint32_t VersionOf(const std::string& path) {
    for (const auto& info : job->DocumentsBelow("/docs")) {
      if (info.key.relative_path == path) return info.version;
    }
    return 0;
  }

  void Put() {
    const std::string path = RandomPath();
    const std::string text = TextOf(static_cast<std::uint32_t>(random() % kTexts));
    const auto known = job->FindContent(ToHex(Sha256(text)), "text/plain");
    const bool was_readable = staged.live.contains(path) && staged.live[path].text;
    std::variant<NewContent, ContentId> content =
        fitted ? MakePlainContent(text) : MakeContent(text, embedder);
    if (known && random() % 2 == 0) content = *known;
    const auto result = job->Put(MakeVersion(path), std::move(content));
    EXPECT_EQ(result == IndexJob::PutResult::kReplaced, was_readable);
    Model::Document& document = staged.live[path];
    document.document_id = IdOf(path);
    document.version = VersionOf(path);
    document.text = text;
    staged.versions[{document.document_id, document.version}] = text;
  }

  void PutUnreadable() {
    const std::string path = RandomPath();
    job->PutUnreadable({{"/docs", path}, UnreadableKind::kFailed, "broken"}, {});
    Model::Document& document = staged.live[path];
    document.document_id = IdOf(path);
    document.version = VersionOf(path);
    document.text.reset();
  }

  void Rename() {
    const std::string from = RandomPath();
    const std::string to = RandomPath();
    if (!staged.live.contains(from) || staged.live.contains(to)) return;
    job->Rename(staged.live[from].document_id, {"/docs", to}, {});
    staged.live[to] = staged.live[from];
    staged.live.erase(from);
  }

  void Withdraw() {
    const std::string path = RandomPath();
    if (!staged.live.contains(path)) return;
    job->Withdraw(staged.live[path].document_id);
    staged.live.erase(path);
  }

  void Publish() {
    job->Publish();
    published = staged;
  }

  /// A job that ends without publishing: what it committed is published by the next one.
  void Abandon() {
    job->Commit();
    job.reset();
    CheckAgainst(published);
    Reopen();
    job = BeginAny();
    published = staged;
  }

  void CheckAgainst(const Model& model) {
    CheckLists(model);
    CheckSearches(model);
    for (const auto& [key, text] : model.versions) {
      EXPECT_EQ(store->LoadText(key.first, key.second), text);
    }
  }

  void CheckLists(const Model& model) {
    const auto list = store->List({});
    EXPECT_EQ(list.size(), model.live.size());
    for (const auto& info : list) {
      const auto document = model.live.find(info.key.relative_path);
      ASSERT_NE(document, model.live.end()) << info.path;
      EXPECT_EQ(info.document_id, document->second.document_id);
      EXPECT_EQ(info.version, document->second.version);
      EXPECT_EQ(info.state == DocumentState::kCurrent, document->second.text.has_value());
    }
  }

  void CheckSearches(const Model& model) {
    const auto snapshot = Open();
    for (std::uint32_t number = 0; number < kTexts; ++number) {
      std::set<std::string> expected;
      for (const auto& [path, document] : model.live) {
        if (document.text == TextOf(number)) expected.insert("/docs/" + path);
      }
      const std::string word = "beta" + std::to_string(number);
      const auto hits = snapshot->SearchChunks(Words({word}), {}, 100, nullptr);
      EXPECT_LE(hits.size(), 1U) << "equal bytes have one chunk";
      std::set<std::string> found;
      for (const auto& hit : hits) {
        const auto chunk = snapshot->LoadChunks(std::vector{hit.chunk_id}).at(0);
        EXPECT_EQ(chunk.text, "shared " + word);
        found.insert(chunk.path);
        found.insert(chunk.also_at.begin(), chunk.also_at.end());
      }
      EXPECT_EQ(found, expected) << word;
    }
    std::set<std::string> texts;
    for (const auto& [path, document] : model.live) {
      if (document.text) texts.insert(*document.text);
    }
    EXPECT_EQ(snapshot->SearchChunks(Words({"shared"}), {}, 100, nullptr).size(), 3 * texts.size());
    EXPECT_EQ(snapshot->SearchContents(Words({"shared"}), {}, 100, nullptr).size(), texts.size());
    CheckVectors(*snapshot, 3 * texts.size());
  }

  void CheckVectors(const Snapshot& snapshot, std::size_t chunks) {
    if (!fitted) {
      EXPECT_EQ(snapshot
                    .SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("shared"), 100,
                                   nullptr)
                    .size(),
                chunks);
      return;
    }
    TermRows query;
    query.Add({{TermKeyOf(EnglishTerm("shared")), 1}});
    const bool has_state = snapshot.collections().at(0).vectors == VectorsKind::kFitted;
    was_fitted = was_fitted || has_state;
    EXPECT_TRUE(has_state || chunks < 20);
    EXPECT_EQ(snapshot.SearchFitted(query, {}, 100, nullptr).size(), has_state ? chunks : 0);
  }
};

TEST_P(ModelTest, TheStoreDoesWhatTheModelDoes) {
  job = BeginAny();
  for (int round = 0; round < 400; ++round) {
    switch (random() % 16) {
      case 0:
      case 1:
        Publish();
        CheckAgainst(published);
        break;
      case 2:
        job->Commit();
        CheckAgainst(published);
        break;
      case 3:
        Abandon();
        break;
      case 4:
        PutUnreadable();
        break;
      case 5:
      case 6:
        Rename();
        break;
      case 7:
      case 8:
        Withdraw();
        break;
      default:
        Put();
    }
    if (HasFailure()) FAIL() << "in round " << round;
  }
  Publish();
  CheckAgainst(published);
  EXPECT_TRUE(store->Check(false, nullptr).empty());
  EXPECT_EQ(was_fitted, fitted);
}

INSTANTIATE_TEST_SUITE_P(TextAndFitted, ModelTest, ::testing::Bool());

}  // namespace
}  // namespace sworn::store
