// Many texts through the layers at once: the hidden state of each one's last token.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/cancel.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

/// The buffers of one batch at a time over a shared model; not thread-safe.
class SequenceEncoder {
 public:
  /// For batches of at most `batch_tokens` tokens. Both must outlive it.
  SequenceEncoder(const Model& model, ThreadTeam& team, std::size_t batch_tokens);
  ~SequenceEncoder();

  /// The hidden state, after the output norm, of the last token of each sequence: row-major
  /// [sequences, hidden], valid until the next call. The tokens are packed without padding and see
  /// only those of their own sequence, so the bits of a row depend on its sequence alone: not on
  /// what else is in the batch, its order or the number of threads. Throws kCancelled between
  /// layers, kTooLarge for more tokens than a batch holds, and kInvalidArgument for an empty
  /// sequence or an id outside the vocabulary.
  std::span<const float> LastStates(std::span<const std::span<const Token>> sequences,
                                    const CancelFlag& cancel);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::llm
