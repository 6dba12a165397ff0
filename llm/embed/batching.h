// Which texts go through a model together: batches of texts of like length, packed without padding.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sworn::llm {

/// Sorts texts of `lengths` tokens from the longest to the shortest (equal ones keep their order)
/// and cuts them into batches of at most `max_tokens` tokens and, where it is not 0, `max_texts`
/// texts; a text that is longer than `max_tokens` is a batch of its own. Each batch holds indices
/// into `lengths`; every index is in one of them. `max_tokens` is at least 1.
std::vector<std::vector<std::size_t>> PackBatches(std::span<const std::size_t> lengths,
                                                  std::size_t max_tokens,
                                                  std::size_t max_texts = 0);

}  // namespace sworn::llm
