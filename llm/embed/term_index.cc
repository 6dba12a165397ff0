#include "llm/embed/term_index.h"

#include <algorithm>

namespace sworn::llm {
namespace {

// Keys are hashes, so that about one of a full vocabulary falls into each bucket.
constexpr unsigned kBucketBits = 16;
constexpr std::size_t kBuckets = std::size_t{1} << kBucketBits;

std::size_t BucketOf(TermKey term) noexcept { return term >> (64 - kBucketBits); }

}  // namespace

TermIndex::TermIndex(std::vector<TermKey> terms)
    : terms_(std::move(terms)), bucket_begins_(kBuckets + 1, 0) {
  for (const TermKey term : terms_) ++bucket_begins_[BucketOf(term) + 1];
  for (std::size_t i = 0; i < kBuckets; ++i) bucket_begins_[i + 1] += bucket_begins_[i];
}

std::optional<std::uint32_t> TermIndex::Find(TermKey term) const noexcept {
  if (terms_.empty()) return std::nullopt;
  const std::size_t bucket = BucketOf(term);
  const auto begin = terms_.begin() + bucket_begins_[bucket];
  const auto end = terms_.begin() + bucket_begins_[bucket + 1];
  const auto at = std::lower_bound(begin, end, term);
  if (at == end || *at != term) return std::nullopt;
  return static_cast<std::uint32_t>(at - terms_.begin());
}

}  // namespace sworn::llm
