#include "store/term_weights.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sworn::store {
namespace {

constexpr unsigned kMaxDirectoryBits = 24;

struct Spread {
  TermKey term = 0;
  TermSpread spread;
};

/// Both ascend, and so does the result.
std::vector<Spread> Joined(const std::vector<Spread>& known, const TermFile& file) {
  std::vector<Spread> joined;
  joined.reserve(known.size() + file.keys().size());
  auto at = known.begin();
  for (std::size_t i = 0; i < file.keys().size(); ++i) {
    const TermKey term = file.keys()[i];
    while (at != known.end() && at->term < term) joined.push_back(*at++);
    joined.push_back({term, file.SpreadAt(i)});
    if (at != known.end() && at->term == term) joined.back().spread.Add((at++)->spread);
  }
  joined.insert(joined.end(), at, known.end());
  return joined;
}

}  // namespace

TermWeights::TermWeights(std::span<const TermFile* const> files) {
  // Small ones first: each term is then copied a few times and not once a segment.
  std::vector<const TermFile*> by_size(files.begin(), files.end());
  std::stable_sort(by_size.begin(), by_size.end(), [](const TermFile* a, const TermFile* b) {
    return a->keys().size() < b->keys().size();
  });
  std::vector<Spread> spreads;
  std::uint64_t passages = 0;
  for (const TermFile* file : by_size) {
    spreads = Joined(spreads, *file);
    passages += file->rows();
  }
  entries_.reserve(spreads.size());
  for (const Spread& entry : spreads) {
    entries_.push_back({entry.term, entry.spread.EntropyWeight(passages)});
  }
  MakeDirectory();
}

void TermWeights::MakeDirectory() {
  // About four terms under each place: they are hashes, and near enough to evenly spread.
  const unsigned bits =
      std::min(kMaxDirectoryBits, static_cast<unsigned>(std::bit_width(entries_.size() / 4)));
  directory_shift_ = 63 - bits;  // applied to term / 2, so that it stays below 64
  directory_.assign((std::size_t{1} << bits) + 1, 0);
  for (const Entry& entry : entries_) ++directory_[(entry.term >> 1U >> directory_shift_) + 1];
  for (std::size_t i = 1; i < directory_.size(); ++i) directory_[i] += directory_[i - 1];
}

double TermWeights::Of(TermKey term) const noexcept {
  const std::size_t place = term >> 1U >> directory_shift_;
  const auto begin = entries_.begin() + directory_[place];
  const auto end = entries_.begin() + directory_[place + 1];
  const auto at = std::lower_bound(
      begin, end, term, [](const Entry& entry, TermKey wanted) { return entry.term < wanted; });
  return at == end || at->term != term ? 0 : at->weight;
}

}  // namespace sworn::store
