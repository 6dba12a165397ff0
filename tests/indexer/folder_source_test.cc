#include "indexer/folder_source.h"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn::indexer {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Names(const SourceListing& listing) {
  std::vector<std::string> names;
  for (const SourceItem& item : listing.items) names.push_back(item.key.relative_path);
  return names;
}

class FolderSourceTest : public testing::Test {
 protected:
  FolderSourceTest() : root_(fs::canonical(folder_.path())) {}

  SourceListing List(const std::function<void(FolderSourceOptions&)>& change = {}) {
    FolderSourceOptions options;
    options.paths = {root_};
    if (change) change(options);
    return FolderSource(options).List();
  }

  test::TempFolder folder_;
  fs::path root_;
};

TEST_F(FolderSourceTest, ListsFilesInOrderOfTheirKeys) {
  folder_.Write("b.txt", "b");
  folder_.Write("a/c.txt", "c");
  const SourceListing listing = List();
  EXPECT_THAT(Names(listing), ElementsAre("a/c.txt", "b.txt"));
  EXPECT_EQ(listing.items[1].key.root, root_.native());
  EXPECT_EQ(listing.items[1].facts.size, 1U);
}

TEST_F(FolderSourceTest, LeavesOutHiddenFilesAndByProducts) {
  for (const char* name : {".git/config", ".hidden", "node_modules/x.js", "~$a.docx", "a.txt~"}) {
    folder_.Write(name, "x");
  }
  folder_.Write("a.txt", "x");
  EXPECT_THAT(Names(List()), ElementsAre("a.txt"));
}

TEST_F(FolderSourceTest, IncludeAndExcludeAreGlobs) {
  for (const char* name : {"a.txt", "b.pdf", "x/c.txt", "x/y/d.txt"}) folder_.Write(name, "x");
  EXPECT_THAT(Names(List([](auto& o) { o.include = {"*.txt"}; })),
              ElementsAre("a.txt", "x/c.txt", "x/y/d.txt"));
  EXPECT_THAT(Names(List([](auto& o) {
                o.include = {"*.txt"};
                o.exclude = {"x/y/**"};
              })),
              ElementsAre("a.txt", "x/c.txt"));
}

TEST_F(FolderSourceTest, WhatIsNotSelectedIsStillKnownToExist) {
  folder_.Write("a.txt", "x");
  folder_.Write("b.pdf", "x");
  const SourceListing listing = List([](auto& o) { o.include = {"*.txt"}; });
  ASSERT_EQ(listing.unselected.size(), 1U);
  EXPECT_EQ(listing.unselected[0].relative_path, "b.pdf");
}

TEST_F(FolderSourceTest, ALinkIsReportedAndNotFollowed) {
  const test::TempFolder outside;
  const fs::path secret = outside.Write("secret.txt", "s");
  fs::create_symlink(secret, root_ / "link.txt");
  fs::create_directory_symlink(outside.path(), root_ / "linked");
  const SourceListing listing = List();
  EXPECT_THAT(listing.items, IsEmpty());
  ASSERT_EQ(listing.faults.size(), 2U);
  EXPECT_EQ(listing.faults[0].kind, store::UnreadableKind::kSkipped);
}

TEST_F(FolderSourceTest, AFileExchangedForALinkIsNotRead) {
  const test::TempFolder outside;
  const fs::path secret = outside.Write("d/secret.txt", "s");
  folder_.Write("d/secret.txt", "mine");
  FolderSource source(
      {.paths = {root_}, .include = {}, .exclude = {}, .known_roots = {}, .never_enter = {}});
  const SourceListing listing = source.List();
  fs::remove_all(root_ / "d");
  fs::create_directory_symlink(outside.path() / "d", root_ / "d");
  EXPECT_THROW(source.Read(listing.items.at(0), 100), Error);
}

TEST_F(FolderSourceTest, AKnownRootKeepsItsDocuments) {
  folder_.Write("sub/a.txt", "x");
  const std::string sub = (root_ / "sub").native();
  const SourceListing above = List([&](auto& o) { o.known_roots = {sub}; });
  ASSERT_EQ(above.items.size(), 1U);
  EXPECT_EQ(above.items[0].key.root, sub);
  EXPECT_EQ(above.scopes.size(), 2U);

  const SourceListing below = List([&](auto& o) {
    o.known_roots = {root_.native()};
    o.paths = {root_ / "sub"};
  });
  EXPECT_EQ(below.items[0].key.root, root_.native());
  EXPECT_EQ(below.items[0].key.relative_path, "sub/a.txt");
  ASSERT_EQ(below.scopes.size(), 1U);
  EXPECT_EQ(below.scopes[0].prefix, "sub");
}

TEST_F(FolderSourceTest, ASingleFileIsAScopeOfItsOwn) {
  folder_.Write("a.txt", "x");
  folder_.Write("b.txt", "x");
  const SourceListing listing = List([&](auto& o) { o.paths = {root_ / "a.txt"}; });
  EXPECT_THAT(Names(listing), ElementsAre("a.txt"));
  EXPECT_TRUE(listing.scopes[0].Contains({root_.native(), "a.txt"}));
  EXPECT_FALSE(listing.scopes[0].Contains({root_.native(), "b.txt"}));
}

TEST_F(FolderSourceTest, TheKnowledgeBaseItselfIsNotEntered) {
  folder_.Write("kb/catalog.db", "x");
  folder_.Write("a.txt", "x");
  EXPECT_THAT(Names(List([&](auto& o) { o.never_enter = root_ / "kb"; })), ElementsAre("a.txt"));
}

TEST_F(FolderSourceTest, AMissingRootIsAnErrorAndASizeLimitNamesItself) {
  EXPECT_THROW(List([&](auto& o) { o.paths = {root_ / "none"}; }), Error);
  folder_.Write("a.txt", "12345");
  FolderSource source(
      {.paths = {root_}, .include = {}, .exclude = {}, .known_roots = {}, .never_enter = {}});
  const SourceListing listing = source.List();
  EXPECT_EQ(source.Read(listing.items[0], 5).bytes, "12345");
  try {
    source.Read(listing.items[0], 4);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
    EXPECT_NE(std::string(error.what()).find("max_file_bytes"), std::string::npos);
  }
}

}  // namespace
}  // namespace sworn::indexer
