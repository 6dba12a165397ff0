// The forward pass of the decoder: token ids to hidden states.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/cancel.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// The buffers of one forward pass at a time over a shared model; not thread-safe.
class Transformer {
 public:
  /// Both must outlive it.
  Transformer(const Model& model, ThreadTeam& team);
  ~Transformer();

  /// Computes `tokens` at the positions from cache.length() on, appends their keys and values to
  /// the cache and returns the hidden states, after the output norm, of the last `want` of them:
  /// row-major [want, hidden], valid until the next call. The bits of a row depend on the tokens up
  /// to it and the kernel table alone: not on how they were split into calls, on the number of
  /// threads, or on whether earlier positions were shared from another cache. Throws kCancelled
  /// between blocks (the cache keeps its length), kTooLarge beyond the capacity of the cache and
  /// kInvalidArgument for an id outside the vocabulary.
  std::span<const float> Forward(std::span<const Token> tokens, std::size_t want, KvCache& cache,
                                 const CancelFlag& cancel);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::llm
