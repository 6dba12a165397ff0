#include "indexer/change_plan.h"

#include <gtest/gtest.h>

namespace sworn::indexer {
namespace {

constexpr std::int64_t kIndexedMs = 1'000'000;
constexpr std::int64_t kLongBeforeNs = 1'000'000'000;

store::DocumentInfo Known(const std::string& path, store::FileFacts facts) {
  store::DocumentInfo document;
  document.document_id = "d_" + path;
  document.key = {"/r", path};
  document.facts = facts;
  document.indexed_at_ms = kIndexedMs;
  return document;
}

SourceItem Item(const std::string& path, store::FileFacts facts) {
  SourceItem item;
  item.key = {"/r", path};
  item.facts = facts;
  return item;
}

SourceListing Listing(std::vector<SourceItem> items) {
  SourceListing listing;
  listing.items = std::move(items);
  listing.scopes = {{"/r", ""}};
  return listing;
}

const store::FileFacts kFacts{10, kLongBeforeNs, 7};

TEST(ChangePlanTest, SameFactsAreUnchanged) {
  const ChangePlan plan = PlanChanges(Listing({Item("a", kFacts)}), {Known("a", kFacts)});
  EXPECT_EQ(plan.unchanged, 1U);
  EXPECT_TRUE(plan.read.empty());
  EXPECT_TRUE(plan.vanished.empty());
}

TEST(ChangePlanTest, AnyOtherFactIsRead) {
  for (const store::FileFacts& facts :
       {store::FileFacts{11, kLongBeforeNs, 7}, store::FileFacts{10, kLongBeforeNs + 1, 7},
        store::FileFacts{10, kLongBeforeNs, 8}}) {
    const ChangePlan plan = PlanChanges(Listing({Item("a", facts)}), {Known("a", kFacts)});
    ASSERT_EQ(plan.read.size(), 1U);
    EXPECT_EQ(plan.read[0].known, 0);
  }
}

TEST(ChangePlanTest, AFileWrittenJustBeforeItWasIndexedIsReadAgain) {
  const store::FileFacts fresh{10, kIndexedMs * 1'000'000 - 1, 7};
  EXPECT_EQ(PlanChanges(Listing({Item("a", fresh)}), {Known("a", fresh)}).read.size(), 1U);
}

TEST(ChangePlanTest, FailedFilesAreTriedAgainAndSkippedOnesAreNot) {
  store::DocumentInfo document = Known("a", kFacts);
  document.state = store::DocumentState::kUnreadable;
  document.unreadable_kind = store::UnreadableKind::kFailed;
  EXPECT_EQ(PlanChanges(Listing({Item("a", kFacts)}), {document}).read.size(), 1U);
  document.unreadable_kind = store::UnreadableKind::kSkipped;
  const ChangePlan plan = PlanChanges(Listing({Item("a", kFacts)}), {document});
  EXPECT_TRUE(plan.read.empty());
  EXPECT_EQ(plan.unchanged, 0U);
  EXPECT_EQ(plan.still_skipped.size(), 1U);
}

TEST(ChangePlanTest, OnlyWhatIsGoneFromTheScopeVanishes) {
  SourceListing listing = Listing({});
  listing.scopes = {{"/r", "sub"}};
  listing.unselected = {{"/r", "sub/kept.pdf"}};
  listing.faults = {{{"/r", "sub/locked"}, store::UnreadableKind::kFailed, "no permission"}};
  const std::vector<store::DocumentInfo> known = {
      Known("sub/gone", kFacts), Known("sub/kept.pdf", kFacts), Known("sub/locked/x", kFacts),
      Known("subway", kFacts), Known("other", kFacts)};
  const ChangePlan plan = PlanChanges(listing, known);
  ASSERT_EQ(plan.vanished.size(), 1U);
  EXPECT_EQ(known[plan.vanished[0]].key.relative_path, "sub/gone");
}

TEST(ChangePlanTest, MoreThanHalfIsAMassRemoval) {
  EXPECT_FALSE(IsMassRemoval(0, 0));
  EXPECT_FALSE(IsMassRemoval(2, 4));
  EXPECT_TRUE(IsMassRemoval(3, 4));
  EXPECT_TRUE(IsMassRemoval(1, 1));
}

}  // namespace
}  // namespace sworn::indexer
