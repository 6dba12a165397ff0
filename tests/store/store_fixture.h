// What the store's tests share: a store in a folder of its own, a small embedder, documents made
// of one line per chunk.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/crypto.h"
#include "core/embedder.h"
#include "store/knowledge_store.h"
#include "tests/support/fake_term_embedder.h"
#include "tests/support/fault_files.h"
#include "tests/support/temp_folder.h"

namespace sworn::store {

/// Counts letters; enough to give different texts different unit vectors.
class LetterEmbedder : public Embedder {
 public:
  explicit LetterEmbedder(std::string version = "1", std::uint32_t dimension = 8);
  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::vector<float> EmbedQuery(std::string_view text) const override;
  [[nodiscard]] std::vector<float> EmbedPassages(
      std::span<const std::string_view> texts) const override;

 private:
  EmbedderIdentity identity_;
};

/// One chunk per line of `text`; the sha256 of the original is the text's.
NewContent MakeContent(std::string_view text, const Embedder& embedder,
                       std::string_view language = "en");

/// As above without vectors, as collections with a fitted embedder want it.
NewContent MakePlainContent(std::string_view text, std::string_view language = "en");

NewVersion MakeVersion(const std::string& path, const std::string& root = "/docs");

text::KeywordQuery Words(const std::vector<std::string>& words);

/// The term under which the index holds an English word.
std::string EnglishTerm(std::string_view word);

struct StoreTest : ::testing::Test {
  test::TempFolder folder;
  test::FaultFiles files;
  SystemClock clock;
  LetterEmbedder embedder;
  test::FakeTermEmbedderFactory factory;
  std::unique_ptr<KnowledgeStore> store;

  StoreTest() { Reopen(); }
  void Reopen() { store = KnowledgeStore::Open(folder.path() / "kb", {files, clock, 1, &factory}); }
  std::unique_ptr<IndexJob> Begin(const std::string& collection = "main") {
    return store->BeginJob(collection, &embedder);
  }
  std::unique_ptr<IndexJob> BeginFitted(const std::string& collection = "main") {
    return store->BeginJob(collection, &factory);
  }
  /// Puts one document and publishes.
  PublishResult PutAndPublish(const std::string& path, std::string_view text,
                              const std::string& collection = "main");
  std::shared_ptr<const Snapshot> Open(const std::vector<std::string>& collections = {}) {
    return store->OpenSnapshot(collections);
  }
  /// Paths of the documents whose chunks a keyword search finds, best first.
  static std::vector<std::string> PathsOf(const Snapshot& snapshot,
                                          const std::vector<KeywordHit>& hits);
  std::vector<std::string> Search(const std::vector<std::string>& words,
                                  const std::vector<std::string>& collections = {});
};

}  // namespace sworn::store
