#include "llm/graph/attention.h"

#include <algorithm>
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

std::vector<AttentionStep::Part> AttentionStep::PagesOf(const Block& block,
                                                        const Sequence& sequence,
                                                        std::size_t kv_head) const {
  std::vector<Part> parts;
  for (std::size_t begin = 0; begin < sequence.tokens;) {
    const std::size_t column = (block.first_position + begin) % kPagePositions;
    const std::size_t end = std::min(begin + kPagePositions - column, sequence.tokens);
    parts.push_back({&sequence, kv_head, begin, end});
    begin = end;
  }
  return parts;
}

void AttentionStep::Run(const Block& block, ThreadTeam& team) const {
  const std::size_t kv_heads = config_.kv_heads;
  const std::size_t tile = TileTokens(config_);
  const auto is_short = [tile](const Sequence& sequence) { return sequence.tokens <= tile; };
  if (std::all_of(block.sequences.begin(), block.sequences.end(), is_short)) {
    // Few tokens: each thread stores the keys and values of its heads just before it reads them.
    team.For(block.sequences.size() * kv_heads, [&](std::size_t item, std::size_t thread) {
      const Sequence& sequence = block.sequences[item / kv_heads];
      const std::size_t kv_head = item % kv_heads;
      for (const Part& part : PagesOf(block, sequence, kv_head)) {
        Store(block, part, scratch_[thread]);
      }
      Attend(block, {&sequence, kv_head, sequence.tokens - sequence.wanted, sequence.tokens},
             scratch_[thread]);
    });
    return;
  }
  std::vector<Part> pages;
  std::vector<Part> tiles;
  for (const Sequence& sequence : block.sequences) {
    for (std::size_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
      const std::vector<Part> parts = PagesOf(block, sequence, kv_head);
      pages.insert(pages.end(), parts.begin(), parts.end());
    }
    // The last tokens see most positions: they go first, so that no thread ends long after the
    // rest.
    const std::size_t first = sequence.tokens - sequence.wanted;
    for (std::size_t i = CeilDivide(sequence.wanted, tile); i-- > 0;) {
      const std::size_t begin = first + i * tile;
      const std::size_t end = std::min(begin + tile, sequence.tokens);
      for (std::size_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
        tiles.push_back({&sequence, kv_head, begin, end});
      }
    }
  }
  team.For(pages.size(), [&](std::size_t item, std::size_t thread) {
    Store(block, pages[item], scratch_[thread]);
  });
  team.For(tiles.size(), [&](std::size_t item, std::size_t thread) {
    Attend(block, tiles[item], scratch_[thread]);
  });
}

void AttentionStep::TurnHead(float* head, const std::vector<float>& norm, const RopeTable& rope,
                             std::size_t token) const {
  const std::size_t dim = config_.head_dim;
  if (!norm.empty()) kernels_.rms_norm(head, norm.data(), dim, config_.norm_epsilon, head);
  kernels_.rotate(head, dim / 2, rope.cosines(token), rope.sines(token));
}

// The tokens are all on one page.
void AttentionStep::Store(const Block& block, const Part& part, AttentionScratch& scratch) const {
  const std::size_t dim = config_.head_dim;
  const std::size_t width = config_.kv_width();
  const std::size_t position = block.first_position + part.begin;
  const std::size_t column = position % kPagePositions;
  KvPage& page = part.sequence->cache->writable_page(position / kPagePositions);
  for (std::size_t t = part.begin; t < part.end; ++t) {
    const std::size_t offset = (part.sequence->first_token + t) * width + part.kv_head * dim;
    float* key = block.keys + offset;
    TurnHead(key, block.weights->key_norm, *block.rope, t);
    kernels_.narrow_f16(key, dim, scratch.narrow_.data() + (t - part.begin) * dim);
    kernels_.narrow_f16(
        block.values + offset, dim,
        page.values(block.cache_layer, part.kv_head) + (column + t - part.begin) * dim);
  }
  std::uint16_t* keys = page.keys(block.cache_layer, part.kv_head) + column;
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t t = 0; t < part.end - part.begin; ++t) {
      keys[d * kPagePositions + t] = scratch.narrow_[t * dim + d];
    }
  }
}

// At most a tile of tokens. The heads that share keys and values stand side by side in `queries`
// and `out`, so a token's rows are one run of numbers there.
void AttentionStep::Attend(const Block& block, const Part& part, AttentionScratch& scratch) const {
  if (part.begin >= part.end) return;
  const Sequence& sequence = *part.sequence;
  const std::size_t dim = config_.head_dim;
  const std::size_t group = GroupSize(config_);
  const std::size_t rows = (part.end - part.begin) * group;
  const std::size_t width = config_.attention_width();
  const std::size_t first_row =
      sequence.first_row + part.begin - (sequence.tokens - sequence.wanted);
  float* queries = scratch.queries_.get();
  for (std::size_t t = part.begin; t < part.end; ++t) {
    const std::size_t i = t - part.begin;
    float* token_rows = queries + i * group * dim;
    std::copy_n(block.queries + (first_row + i) * width + part.kv_head * group * dim, group * dim,
                token_rows);
    for (std::size_t head = 0; head < group; ++head) {
      TurnHead(token_rows + head * dim, block.weights->query_norm, *block.rope, t);
    }
  }
  std::fill_n(scratch.max_.data(), rows, -std::numeric_limits<float>::infinity());
  std::fill_n(scratch.sum_.data(), rows, 0.0F);
  std::fill_n(scratch.accumulator_.get(), rows * dim, 0.0F);

  const std::size_t positions = block.first_position + part.end;
  for (std::size_t page = 0; page * kPagePositions < positions; ++page) {
    const KvPage& cached = sequence.cache->page(page);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t sees = block.first_position + part.begin + row / group + 1;
      const std::size_t before = page * kPagePositions;
      scratch.visible_[row] =
          static_cast<std::uint32_t>(sees > before ? std::min(sees - before, kPagePositions) : 0);
    }
    kernels_.attend({.queries = queries,
                     .rows = rows,
                     .head_dim = dim,
                     .keys = cached.keys(block.cache_layer, part.kv_head),
                     .values = cached.values(block.cache_layer, part.kv_head),
                     .visible = scratch.visible_.data(),
                     .scale = config_.attention_scale,
                     .max = scratch.max_.data(),
                     .sum = scratch.sum_.data(),
                     .accumulator = scratch.accumulator_.get()});
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const float share = 1.0F / scratch.sum_[row];
    float* out =
        block.out + (first_row + row / group) * width + (part.kv_head * group + row % group) * dim;
    for (std::size_t d = 0; d < dim; ++d) out[d] = scratch.accumulator_[row * dim + d] * share;
  }
}

}  // namespace sworn::llm
