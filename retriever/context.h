// From hits to numbered passages that fit a budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "retriever/retriever.h"
#include "store/snapshot.h"

namespace sworn::retriever {

/// A contiguous piece of one document version: one chunk, or neighbouring ones joined.
struct Passage {
  std::uint32_t number = 0;                // 1 to n, best first
  double score = 0;                        // of its best hit
  std::vector<store::StoredChunk> chunks;  // one or more, in document order
  std::size_t best = 0;                    // index of the best hit's chunk
  ByteRange range;                         // into the stored text; covers `text`
  std::string text;                        // equal to those bytes
};

/// The chunk of the passage in which the byte `offset` of the stored text stands (the last one that
/// holds it; the best one if none does).
const store::StoredChunk& ChunkAt(const Passage& passage, std::uint64_t offset);

/// Where the span stands in the original: the location of its chunk, with page and lines narrowed
/// to the span by the page breaks and line breaks before and in it.
Location LocateSpan(const Passage& passage, const ByteRange& span);

struct Context {
  std::vector<Passage> passages;
};

struct ContextOptions {
  std::size_t max_passages = 8;
  std::size_t budget = 12000;  // in units of `measure`
  /// Size of a text: bytes unless given (a tokenizer's count for a prompt).
  std::function<std::size_t(std::string_view)> measure;
};

/// Takes hits in order of rank; a hit that overlaps or directly follows a passage of the same
/// document joins it, if the joined text still fits. A hit that does not fit is left out, a smaller
/// one after it may still come in; the first hit is always there, cut at a code point if need be.
/// Throws kIntegrity if a stored text does not match its digest.
Context BuildContext(const store::Snapshot& snapshot, std::span<const Hit> hits,
                     const ContextOptions& options = {});

}  // namespace sworn::retriever
