// What a run has to do: the difference between a source and the catalog. A pure function.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "indexer/source.h"
#include "store/records.h"

namespace sworn::indexer {

/// A file whose bytes must be read; `known` is the index of its document in what the catalog holds.
struct Candidate {
  std::size_t item = 0;
  std::ptrdiff_t known = -1;  // -1: new
};

struct ChangePlan {
  std::vector<Candidate> read;  // new, or changed by its facts; in the order of the listing
  std::uint64_t unchanged = 0;  // left alone after a stat
  std::vector<std::size_t> still_skipped;  // documents skipped before whose files did not change
  std::vector<std::size_t> vanished;       // documents that no longer exist below the scopes
};

/// `known` are the documents of every root of the listing's scopes, in any order. A file whose
/// facts are those of the catalog is unchanged unless it was modified less than two seconds before
/// it was indexed: then its time cannot tell a later write from an earlier one. Failed files are
/// read again.
ChangePlan PlanChanges(const SourceListing& listing, const std::vector<store::DocumentInfo>& known);

/// True when removing `vanished` of `documents` needs the user's word: more than half of a root.
bool IsMassRemoval(std::size_t vanished, std::size_t documents);

}  // namespace sworn::indexer
