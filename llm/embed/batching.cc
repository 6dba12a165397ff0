#include "llm/embed/batching.h"

#include <algorithm>
#include <numeric>

namespace sworn::llm {

std::vector<std::vector<std::size_t>> PackBatches(std::span<const std::size_t> lengths,
                                                  std::size_t max_tokens, std::size_t max_texts) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::size_t>> batches;
  std::size_t tokens = 0;
  for (const std::size_t text : order) {
    const bool full = batches.empty() || tokens + lengths[text] > max_tokens ||
                      (max_texts != 0 && batches.back().size() == max_texts);
    if (full) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(text);
    tokens += lengths[text];
  }
  return batches;
}

}  // namespace sworn::llm
