#include "indexer/change_plan.h"

#include <algorithm>
#include <map>
#include <set>

namespace sworn::indexer {
namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::int64_t kRacyNanos = 2'000'000'000;

bool IsUnchanged(const SourceItem& item, const store::DocumentInfo& document) {
  const bool settled =
      document.facts.mtime_ns + kRacyNanos <= document.indexed_at_ms * kNanosPerMilli;
  const bool worth_a_retry = document.state == store::DocumentState::kUnreadable &&
                             document.unreadable_kind != store::UnreadableKind::kSkipped;
  return settled && !worth_a_retry && item.facts == document.facts;
}

bool LiesBelowFault(const store::SourceKey& key, const std::vector<store::UnreadableFile>& faults) {
  return std::any_of(faults.begin(), faults.end(), [&](const store::UnreadableFile& fault) {
    return Scope{fault.key.root, fault.key.relative_path}.Contains(key);
  });
}

}  // namespace

ChangePlan PlanChanges(const SourceListing& listing,
                       const std::vector<store::DocumentInfo>& known) {
  std::map<store::SourceKey, std::size_t> by_key;
  for (std::size_t i = 0; i < known.size(); ++i) by_key.emplace(known[i].key, i);

  ChangePlan plan;
  std::set<store::SourceKey> present(listing.unselected.begin(), listing.unselected.end());
  for (std::size_t i = 0; i < listing.items.size(); ++i) {
    const SourceItem& item = listing.items[i];
    present.insert(item.key);
    const auto found = by_key.find(item.key);
    if (found == by_key.end()) {
      plan.read.push_back({i, -1});
    } else if (IsUnchanged(item, known[found->second])) {
      if (known[found->second].state == store::DocumentState::kUnreadable) {
        plan.still_skipped.push_back(found->second);
      } else {
        ++plan.unchanged;
      }
    } else {
      plan.read.push_back({i, static_cast<std::ptrdiff_t>(found->second)});
    }
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    const bool in_scope =
        std::any_of(listing.scopes.begin(), listing.scopes.end(),
                    [&](const Scope& scope) { return scope.Contains(known[i].key); });
    if (in_scope && !present.contains(known[i].key) &&
        !LiesBelowFault(known[i].key, listing.faults)) {
      plan.vanished.push_back(i);
    }
  }
  return plan;
}

bool IsMassRemoval(std::size_t vanished, std::size_t documents) { return vanished * 2 > documents; }

}  // namespace sworn::indexer
