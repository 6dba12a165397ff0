#include "llm/graph/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sworn::llm {
namespace {

// Query rows that share one pass over keys and values: enough to pay for widening them, few enough
// that their state stays in the first-level cache.
constexpr std::size_t kTileRows = 64;

std::size_t GroupSize(const ModelConfig& config) { return config.heads / config.kv_heads; }

std::size_t TileTokens(const ModelConfig& config) {
  return std::max<std::size_t>(kTileRows / GroupSize(config), 1);
}

std::size_t CeilDivide(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

AttentionScratch::AttentionScratch(const ModelConfig& config) {
  const std::size_t rows = TileTokens(config) * GroupSize(config);
  queries_ = MakeAlignedArray<float>(rows * config.head_dim);
  accumulator_ = MakeAlignedArray<float>(rows * config.head_dim);
  max_.resize(rows);
  sum_.resize(rows);
  visible_.resize(rows);
  narrow_.resize(kPagePositions * config.head_dim);
}

void AttentionStep::Run(const Block& block, KvCache& cache, ThreadTeam& team) const {
  const std::size_t kv_heads = config_.kv_heads;
  const std::size_t tile = TileTokens(config_);
  const std::size_t first_page = block.first_position / kPagePositions;
  const std::size_t end_position = block.first_position + block.tokens;
  const std::size_t pages = CeilDivide(end_position, kPagePositions) - first_page;
  const auto store_page = [&](std::size_t kv_head, std::size_t page, std::size_t thread) {
    const std::size_t page_begin = (first_page + page) * kPagePositions;
    const std::size_t begin = std::max(page_begin, block.first_position) - block.first_position;
    const std::size_t end =
        std::min(page_begin + kPagePositions, end_position) - block.first_position;
    Store(block, kv_head, begin, end, cache, scratch_[thread]);
  };
  if (block.tokens <= tile) {
    // Few tokens: each thread stores the keys and values of its heads just before it reads them.
    team.For(kv_heads, [&](std::size_t kv_head, std::size_t thread) {
      for (std::size_t page = 0; page < pages; ++page) store_page(kv_head, page, thread);
      Attend(block, kv_head, block.first_query, block.tokens, cache, scratch_[thread]);
    });
    return;
  }
  team.For(kv_heads * pages, [&](std::size_t item, std::size_t thread) {
    store_page(item % kv_heads, item / kv_heads, thread);
  });
  const std::size_t tiles = CeilDivide(block.tokens - block.first_query, tile);
  // The last tokens see most positions: they go first, so that no thread ends long after the rest.
  team.For(kv_heads * tiles, [&](std::size_t item, std::size_t thread) {
    const std::size_t begin = block.first_query + (tiles - 1 - item / kv_heads) * tile;
    Attend(block, item % kv_heads, begin, std::min(begin + tile, block.tokens), cache,
           scratch_[thread]);
  });
}

// Tokens begin to end - 1 of the block, all on one page.
void AttentionStep::Store(const Block& block, std::size_t kv_head, std::size_t begin,
                          std::size_t end, KvCache& cache, AttentionScratch& scratch) const {
  const std::size_t dim = config_.head_dim;
  const std::size_t width = config_.kv_width();
  const std::size_t position = block.first_position + begin;
  const std::size_t column = position % kPagePositions;
  KvPage& page = cache.writable_page(position / kPagePositions);
  for (std::size_t t = begin; t < end; ++t) {
    float* key = block.keys + t * width + kv_head * dim;
    kernels_.rotate(key, dim / 2, rope_.cosines(t), rope_.sines(t));
    kernels_.narrow_f16(key, dim, scratch.narrow_.data() + (t - begin) * dim);
    kernels_.narrow_f16(block.values + t * width + kv_head * dim, dim,
                        page.values(block.layer, kv_head) + (column + t - begin) * dim);
  }
  std::uint16_t* keys = page.keys(block.layer, kv_head) + column;
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t t = 0; t < end - begin; ++t) {
      keys[d * kPagePositions + t] = scratch.narrow_[t * dim + d];
    }
  }
}

// Tokens begin to end - 1 of the block, at most a tile. The heads that share keys and values stand
// side by side in `queries` and `out`, so a token's rows are one run of numbers there.
void AttentionStep::Attend(const Block& block, std::size_t kv_head, std::size_t begin,
                           std::size_t end, const KvCache& cache, AttentionScratch& scratch) const {
  if (begin >= end) return;
  const std::size_t dim = config_.head_dim;
  const std::size_t group = GroupSize(config_);
  const std::size_t rows = (end - begin) * group;
  const std::size_t width = config_.attention_width();
  float* queries = scratch.queries_.get();
  for (std::size_t t = begin; t < end; ++t) {
    float* token_rows = queries + (t - begin) * group * dim;
    std::copy_n(block.queries + t * width + kv_head * group * dim, group * dim, token_rows);
    for (std::size_t head = 0; head < group; ++head) {
      kernels_.rotate(token_rows + head * dim, dim / 2, rope_.cosines(t), rope_.sines(t));
    }
  }
  std::fill_n(scratch.max_.data(), rows, -std::numeric_limits<float>::infinity());
  std::fill_n(scratch.sum_.data(), rows, 0.0F);
  std::fill_n(scratch.accumulator_.get(), rows * dim, 0.0F);

  const std::size_t positions = block.first_position + end;
  for (std::size_t page = 0; page * kPagePositions < positions; ++page) {
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t sees = block.first_position + begin + row / group + 1;
      const std::size_t before = page * kPagePositions;
      scratch.visible_[row] =
          static_cast<std::uint32_t>(sees > before ? std::min(sees - before, kPagePositions) : 0);
    }
    kernels_.attend({.queries = queries,
                     .rows = rows,
                     .head_dim = dim,
                     .keys = cache.page(page).keys(block.layer, kv_head),
                     .values = cache.page(page).values(block.layer, kv_head),
                     .visible = scratch.visible_.data(),
                     .scale = 1.0F / std::sqrt(static_cast<float>(dim)),
                     .max = scratch.max_.data(),
                     .sum = scratch.sum_.data(),
                     .accumulator = scratch.accumulator_.get()});
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const float share = 1.0F / scratch.sum_[row];
    float* out = block.out + (begin + row / group) * width + (kv_head * group + row % group) * dim;
    for (std::size_t d = 0; d < dim; ++d) out[d] = scratch.accumulator_[row * dim + d] * share;
  }
}

}  // namespace sworn::llm
