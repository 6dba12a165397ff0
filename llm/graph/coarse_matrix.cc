#include "llm/graph/coarse_matrix.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "llm/files/dequantize.h"

namespace sworn::llm {
namespace {

using kernels::kCoarseBlock;
using kernels::kCoarseRows;

constexpr std::size_t kHighBytes = kCoarseBlock * kCoarseRows / 2;  // of a block
constexpr std::size_t kLowBytes = kCoarseBlock * kCoarseRows / 4;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kReleaseRows = 2'048;  // read at most so many before their pages go

constexpr double kLevels = 64;  // of a weight; level = 2 code - 63
constexpr double kMaxMultiplier = 255;
constexpr std::int32_t kMaxPart = 127;
constexpr std::int32_t kMaxState = 256 * kMaxPart;

// The ranges in which nothing overflows and what underflows is below kAbsolute.
constexpr double kMinHidden = 0x1p-40;
constexpr double kMaxHidden = 0x1p+40;
constexpr double kMaxNorm = 0x1p+60;
constexpr float kAbsolute = 0x1p-100F;
// Covers every rounding of the few float operations and long double-precision sums of a bound.
constexpr double kSlack = 1 + 0x1p-20;

float RoundUp(double value) {
  if (!(value <= double{std::numeric_limits<float>::max()})) {
    return std::numeric_limits<float>::infinity();
  }
  const auto rounded = static_cast<float>(value);
  return static_cast<double>(rounded) < value
             ? std::nextafter(rounded, std::numeric_limits<float>::infinity())
             : rounded;
}

// The relative error of `count` float operations in a row.
double Gamma(std::size_t count) {
  const double error = static_cast<double>(count) * 0x1p-24;
  return error / (1 - error);
}

// The size of a block, or of what its copy loses.
struct Size {
  double squares = 0;
  double largest = 0;

  [[nodiscard]] double spread() const { return std::max(std::sqrt(squares), 4 * largest); }
};

// In lanes, which the compiler keeps in vectors; the order of a sum does not matter for a bound.
template <typename Value>
Size SizeOf(const Value& value_at) {
  constexpr std::size_t kLanes = 8;
  double squares[kLanes] = {};
  double largest[kLanes] = {};
  for (std::size_t i = 0; i < kCoarseBlock; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = value_at(i + lane);
      squares[lane] += value * value;
      largest[lane] = largest[lane] < std::abs(value) ? std::abs(value) : largest[lane];
    }
  }
  Size size;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    size.squares += squares[lane];
    size.largest = std::max(size.largest, largest[lane]);
  }
  return size;
}

// The threads' room to make panels in.
struct Scratch {
  std::vector<float> row;
  std::vector<std::uint8_t> codes;  // [16, 64 * blocks]
};

// Codes of one block, whose weights are finite and padded with zeros. What the padding seems to
// lose widens the bounds a little where the last block is not full.
void QuantizeBlock(const float (&weights)[kCoarseBlock], double unit, std::uint8_t* codes,
                   Size& high, Size& both) {
  const double inverse = 0.5 / unit;
  int found[kCoarseBlock];
  for (std::size_t i = 0; i < kCoarseBlock; ++i) {
    const double place = weights[i] * inverse + kLevels / 2;
    const double below = place < kLevels - 1 ? place : kLevels - 1;
    found[i] = static_cast<int>(below > 0 ? below : 0);
  }
  both = SizeOf([&](std::size_t i) { return weights[i] - unit * (2 * found[i] - 63); });
  high = SizeOf([&](std::size_t i) { return weights[i] - unit * (8 * (found[i] >> 2) - 60); });
  for (std::size_t i = 0; i < kCoarseBlock; ++i) codes[i] = static_cast<std::uint8_t>(found[i]);
}

void CopyBlock(std::span<const float> row, std::size_t begin, float (&block)[kCoarseBlock]) {
  const std::size_t count = std::min(kCoarseBlock, row.size() - begin);
  std::copy_n(row.data() + begin, count, block);
  std::fill(block + count, block + kCoarseBlock, 0.0F);
}

// Row r of a panel: its codes, multipliers (with a stride of kCoarseRows) and CoarseRows.
// Returns the norm of the row, infinite if a value is not finite.
double QuantizeRow(std::span<const float> row, std::size_t r, std::uint8_t* codes,
                   std::uint8_t* multipliers, CoarseRows& rows) {
  float block[kCoarseBlock];
  const auto size_of = [&](std::size_t begin) {
    CopyBlock(row, begin, block);
    return SizeOf([&](std::size_t i) { return double{block[i]}; });
  };
  double squares = 0;
  double largest = 0;
  for (std::size_t begin = 0; begin < row.size(); begin += kCoarseBlock) {
    const Size size = size_of(begin);
    squares += size.squares;
    largest = std::max(largest, size.largest);
  }
  if (!std::isfinite(squares)) return std::numeric_limits<double>::infinity();
  const float scale = RoundUp(largest / (kLevels * kMaxMultiplier));
  double squares_high = 0;
  double squares_both = 0;
  double spread_high = 0;
  double spread_both = 0;
  for (std::size_t begin = 0; begin < row.size(); begin += kCoarseBlock) {
    const double peak = size_of(begin).largest;
    if (peak == 0) continue;  // multiplier 0: the copy is exact
    const double multiplier = std::min(kMaxMultiplier, std::ceil(peak / (kLevels * scale)));
    multipliers[begin / kCoarseBlock * kCoarseRows] = static_cast<std::uint8_t>(multiplier);
    Size high;
    Size both;
    QuantizeBlock(block, scale * multiplier, codes + begin, high, both);
    squares_high += high.squares;
    squares_both += both.squares;
    spread_high = std::max(spread_high, high.spread() / multiplier);
    spread_both = std::max(spread_both, both.spread() / multiplier);
  }
  const double norm = std::sqrt(squares);
  const double residual_high = std::sqrt(squares_high);
  const double residual_both = std::sqrt(squares_both);
  rows.scale[r] = scale;
  rows.residual_high[r] = RoundUp(residual_high * kSlack);
  rows.residual_both[r] = RoundUp(residual_both * kSlack);
  rows.spread_high[r] = RoundUp(spread_high * kSlack);
  rows.spread_both[r] = RoundUp(spread_both * kSlack);
  rows.norm[r] = RoundUp(std::max({norm, residual_high, residual_both}) * kSlack);
  return norm;
}

// Four codes at a time: the columns of a group of 4 lie side by side in all three layouts.
void PackPlanes(std::span<const std::uint8_t> codes, std::size_t columns, std::uint8_t* high,
                std::uint8_t* low) {
  constexpr std::uint32_t kLowBits = 0x03030303;
  constexpr std::uint32_t kLowNibbles = 0x0F0F0F0F;
  const auto nibbles = [](std::uint32_t first, std::uint32_t second) {
    return (first >> 2U & kLowNibbles) | (second << 2U & ~kLowNibbles);
  };
  for (std::size_t r = 0; r < kCoarseRows; ++r) {
    for (std::size_t group = 0; group < columns / 16; ++group) {
      std::uint32_t four[4];
      std::memcpy(four, codes.data() + r * columns + 16 * group, sizeof four);
      const std::uint32_t highs[2] = {nibbles(four[0], four[1]), nibbles(four[2], four[3])};
      const std::uint32_t lows = (four[0] & kLowBits) | (four[1] & kLowBits) << 2U |
                                 (four[2] & kLowBits) << 4U | (four[3] & kLowBits) << 6U;
      std::memcpy(high + 128 * group + 4 * r, &highs[0], 4);
      std::memcpy(high + 128 * group + 64 + 4 * r, &highs[1], 4);
      std::memcpy(low + 64 * group + 4 * r, &lows, 4);
    }
  }
}

// The rows first.. of a matrix as a matrix of their own.
TensorView Slice(const TensorView& matrix, std::size_t first, std::size_t count) {
  const std::size_t row_bytes = matrix.bytes.size() / matrix.rows();
  return {matrix.name,
          matrix.dtype,
          {count, matrix.columns()},
          matrix.bytes.subspan(first * row_bytes, count * row_bytes)};
}

// N_b + O_b / 4 of the bound, of integers whose squares add up to `squares`: single large ones
// count by their size, the others by their norm.
double BlockNorm(std::array<double, kCoarseBlock> magnitudes, double squares) {
  double single = 0;
  double least = std::sqrt(squares);
  for (;;) {
    const auto peak = std::max_element(magnitudes.begin(), magnitudes.end());
    squares -= *peak * *peak;  // of integers: exact
    single += *peak;
    const double bound = std::sqrt(squares) + single / 4;
    if (bound >= least) return least;
    least = bound;
    *peak = 0;
  }
}

}  // namespace

CoarseStates::CoarseStates(std::span<const float> hidden, std::size_t count, std::size_t blocks)
    : x_(MakeAlignedArray<std::int8_t>(blocks * count * 2 * kCoarseBlock)),
      sums_(blocks * count),
      norms_(blocks * count),
      factors_(count) {
  const std::size_t columns = hidden.size() / count;
  std::fill_n(x_.get(), blocks * count * 2 * kCoarseBlock, std::int8_t{0});
  for (std::size_t t = 0; t < count; ++t) {
    usable_ = Set(t, hidden.subspan(t * columns, columns), blocks) && usable_;
  }
}

bool CoarseStates::Set(std::size_t state, std::span<const float> hidden, std::size_t blocks) {
  double largest = 0;
  double squares = 0;
  for (const float x : hidden) {
    largest = std::max(largest, std::abs(double{x}));
    squares += double{x} * x;
  }
  if (!(squares <= kMaxHidden * kMaxHidden && largest >= kMinHidden)) return false;
  const float step = RoundUp(largest / kMaxState);
  double kept_squares = 0;
  double lost_squares = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t at = block * count() + state;
    std::int8_t* const high = x_.get() + 2 * at * kCoarseBlock;
    const auto values = hidden.subspan(
        block * kCoarseBlock, std::min(kCoarseBlock, hidden.size() - block * kCoarseBlock));
    double rest = 0;
    std::array<double, kCoarseBlock> magnitudes{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto value = static_cast<std::int32_t>(std::nearbyint(double{values[i]} / step));
      const std::int32_t part = (value + 128) >> 8;
      high[i] = static_cast<std::int8_t>(part);
      high[kCoarseBlock + i] = static_cast<std::int8_t>(value - 256 * part);
      sums_[at] += value;
      const double kept = double{step} * value;
      kept_squares += kept * kept;
      lost_squares += (values[i] - kept) * (values[i] - kept);
      magnitudes[i] = std::abs(value);
      rest += magnitudes[i] * magnitudes[i];
    }
    norms_[at] = RoundUp(BlockNorm(magnitudes, rest) * kSlack);
  }
  const std::size_t dot_steps = (hidden.size() + kernels::kSumLanes - 1) / kernels::kSumLanes + 4;
  const double kept_norm = std::sqrt(kept_squares);
  const double norm_factor = (2 * Gamma(blocks + 3) + 0x1p-21) * kept_norm +
                             std::sqrt(lost_squares) + Gamma(dot_steps) * std::sqrt(squares);
  factors_[state] = {.step = step,
                     .residual = RoundUp(kept_norm * kSlack),
                     .spread = RoundUp(double{step} * (1 + Gamma(blocks + 2)) * kSlack),
                     .norm = RoundUp(norm_factor * kSlack),
                     .absolute = kAbsolute};
  return true;
}

CoarseMatrix::CoarseMatrix(const ModelFile& file, const TensorView& matrix,
                           const kernels::KernelTable& kernels, ThreadTeam& team)
    : panels_((matrix.rows() + kCoarseRows - 1) / kCoarseRows),
      blocks_((matrix.columns() + kCoarseBlock - 1) / kCoarseBlock),
      panel_bytes_(
          (blocks_ * (kHighBytes + kLowBytes + kCoarseRows) + sizeof(CoarseRows) + kAlignment - 1) /
          kAlignment * kAlignment),
      memory_(bytes()) {
  const std::size_t columns = blocks_ * kCoarseBlock;
  std::vector<Scratch> scratch(team.size());
  for (Scratch& own : scratch) {
    own.row.resize(matrix.columns());
    own.codes.resize(kCoarseRows * columns);
  }
  std::atomic<bool> usable = true;
  constexpr std::size_t kSlicePanels = kReleaseRows / kCoarseRows;
  for (std::size_t first = 0; first < panels_; first += kSlicePanels) {
    team.For(std::min(kSlicePanels, panels_ - first), [&](std::size_t index, std::size_t thread) {
      Scratch& own = scratch[thread];
      const kernels::CoarsePanel to = panel(first + index, true);
      std::uint8_t* base = at(first + index);
      std::uint8_t* multipliers = base + (to.scales - base);
      std::fill(own.codes.begin(), own.codes.end(), std::uint8_t{0});
      const std::size_t begin = (first + index) * kCoarseRows;
      for (std::size_t r = 0; r < std::min(kCoarseRows, matrix.rows() - begin); ++r) {
        WidenRow(matrix, begin + r, kernels, own.row.data());
        const double norm = QuantizeRow(own.row, r, own.codes.data() + r * columns, multipliers + r,
                                        *rows_at(first + index));
        if (!(norm <= kMaxNorm)) usable.store(false, std::memory_order_relaxed);
      }
      PackPlanes(own.codes, columns, base, base + blocks_ * kHighBytes);
    });
    const std::size_t row = first * kCoarseRows;
    file.Release(Slice(matrix, row, std::min(kReleaseRows, matrix.rows() - row)));
  }
  usable_ = usable;
}

kernels::CoarsePanel CoarseMatrix::panel(std::size_t index, bool both) const noexcept {
  const std::uint8_t* base = at(index);
  const std::uint8_t* low = base + blocks_ * kHighBytes;
  return {base, both ? low : nullptr, low + blocks_ * kLowBytes + sizeof(CoarseRows)};
}

const CoarseRows& CoarseMatrix::rows(std::size_t index) const noexcept { return *rows_at(index); }

CoarseRows* CoarseMatrix::rows_at(std::size_t index) const noexcept {
  return reinterpret_cast<CoarseRows*>(at(index) + blocks_ * (kHighBytes + kLowBytes));
}

}  // namespace sworn::llm
