// The arithmetic of the engine, as one table of functions per instruction set.
//
// Every table returns the same bits. Integer sums are exact; float operations have one order of
// rounding that the scalar table specifies: fused multiply-add where this file says "fma", sixteen
// lanes where it says "lane sum", and no other contraction or reassociation. So the logits do not
// depend on the processor, the number of threads or how a prompt was split.
//
// All functions are pure on the memory they are given, may run in several threads at once, and
// require only the alignments stated here. Pointers never alias unless a function says "in place".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sworn::kernels {

/// Weight matrices are cut into panels of this many output rows (kernels/panels.h).
inline constexpr std::size_t kPanelRows = 64;
/// Columns of a panel are padded to a multiple of this with weights of value 0; activations with 0.
inline constexpr std::size_t kColumnMultiple = 64;
/// Positions of one block of keys and values, and the step of the online softmax.
inline constexpr std::size_t kAttentionBlock = 64;
/// Lanes of a lane sum: element i goes to lane i mod 16 by fma (products) or addition (plain sums)
/// in ascending order of i; then lane l += lane l+8, l+4, l+2, l+1.
inline constexpr std::size_t kSumLanes = 16;
/// Largest number of columns: keeps every int32 sum exact (127 * 128 * columns < 2^31).
inline constexpr std::size_t kMaxColumns = 131'072;

/// One block of keys and values against some query rows of one key/value head.
struct AttentionBlock {
  const float* queries;  // [rows, head_dim]
  std::size_t rows;
  std::size_t head_dim;         // a multiple of 4, at most 256
  const std::uint16_t* keys;    // binary16, [head_dim, kAttentionBlock]: a position per column
  const std::uint16_t* values;  // binary16, [kAttentionBlock, head_dim]
  const std::uint32_t*
      visible;  // [rows]: the first so many positions; no other counts; 0 skips the row
  float scale;  // of the scores
  // State of the online softmax, in and out; before the first block -inf, 0 and zeros.
  float* max;          // [rows]
  float* sum;          // [rows]
  float* accumulator;  // [rows, head_dim]; divided by `sum` it is the attention's output
};

/// Rows of one panel of a coarse copy of a matrix (llm/graph/coarse_matrix.h).
inline constexpr std::size_t kCoarseRows = 16;
/// Columns with one scale in a coarse copy; its rows are padded to a multiple of this.
inline constexpr std::size_t kCoarseBlock = 64;

/// 16 rows of a matrix in 6 bits: weight = scale * (2 code - 63), code = 4 high + low; without the
/// low plane 4 * scale * (2 high - 15). All pointers 64-byte aligned, except `scales`: 16-byte.
struct CoarsePanel {
  /// 64 bytes for 8 columns: byte 4r + j of group g holds row r, columns 8g + j (low nibble) and
  /// 8g + 4 + j.
  const std::uint8_t* high;
  /// 64 bytes for 16 columns: byte 4r + j of group g holds row r, column 16g + 4s + j in bits
  /// 2s+1..2s. Null: the low plane is not read.
  const std::uint8_t* low;
  const std::uint8_t* scales;  // [blocks, 16]
};

/// Hidden states in 16 bits, x = 256 * high + low, block by block.
struct CoarseQueries {
  const std::int8_t* x;      // [blocks, count, 2, 64]: high, then low; 64-byte aligned
  const std::int32_t* sums;  // [blocks, count]: of x
  const float* norms;        // [blocks, count]
  std::size_t count;
};

/// What is known of the 16 rows of a coarse panel; "high" is the copy without its low plane.
struct CoarseRows {
  float scale[kCoarseRows];          // weight = scale * multiplier * level
  float residual_high[kCoarseRows];  // norm of row minus copy
  float residual_both[kCoarseRows];
  float spread_high[kCoarseRows];  // largest of a block's residual norms and 4 times its
  float spread_both[kCoarseRows];  // largest residual, divided by the block's multiplier
  float norm[kCoarseRows];         // at least the norms of the row and its residuals
};

/// What is known of a hidden state, for the bounds of its logits.
struct CoarseFactors {
  float step;      // hidden state = step * x, nearly
  float residual;  // of a row's residual
  float spread;    // of spread * reach
  float norm;      // of a row's norm
  float absolute;
};

/// A query of a scan in 16 bits: x = 256 * high + low, within int16.
struct ScanQuery {
  const std::int8_t* high;  // [columns]
  const std::int8_t* low;   // [columns]
};

struct KernelTable {
  std::string_view name;  // as SWORN_KERNELS takes it and as the audit log records it

  /// out[t * kPanelRows + r] = sum over k of w[r][k] * x[t][k], exact in int32, for one panel of
  /// ternary weights. `panel` is 64-byte aligned and in the layout of kernels/panels.h; `columns`
  /// is padded; x is [tokens, x_stride], any int8 value; x_sums[t] is the sum of x[t].
  void (*ternary_panel)(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
                        std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
                        std::int32_t* out) noexcept;
  /// The same for one panel of int8 weights (stored as value + 128).
  void (*int8_panel)(const std::uint8_t* panel, std::size_t columns, const std::int8_t* x,
                     std::size_t x_stride, const std::int32_t* x_sums, std::size_t tokens,
                     std::int32_t* out) noexcept;
  /// For each of 16 rows r and each query t: estimates[16 t + r] = chain of fma of scale[b] * d[b]
  /// over the blocks in ascending order, from 0, where d[b] is the exact int32 sum over the block
  /// of (2 code - 63) * x (without the low plane (2 high - 15) * x), rounded to float;
  /// reach[16 t + r] = the same chain of scale[b] * norms[b].
  void (*coarse_panel)(const CoarsePanel& panel, std::size_t blocks, const CoarseQueries& queries,
                       float* estimates, float* reach) noexcept;
  /// From what coarse_panel returned for one query, for each of 16 rows (`both`: with the low
  /// plane): estimates[r] = sums[r] * (scale[r] * step), the step being 4 times as large without
  /// the low plane; uppers[r] = estimates[r] + ((min(residual[r] * f.residual, spread[r] *
  /// (reach[r] * f.spread)) + norm[r] * f.norm) + f.absolute), no fma. Returns how many uppers are
  /// not below `floor`.
  std::size_t (*coarse_bounds)(const CoarseRows& rows, bool both, const CoarseFactors& factors,
                               const float* sums, const float* reach, float floor, float* estimates,
                               float* uppers) noexcept;
  /// out[r] = sum over k of codes[r * columns + k] * x[k], exact in int32: 255 * the sum of |x| is
  /// below 2^31. Nothing needs alignment, and no byte beyond the rows is read.
  void (*scan_codes)(const std::uint8_t* codes, std::size_t rows, std::size_t columns,
                     const ScanQuery& query, std::int32_t* out) noexcept;
  /// q[i] = clamp(round_half_even(x[i] * s), -128, 127) with s = 127 / max(1e-5, max |x|); zeros
  /// from n to padded. Returns s; *sum = sum of q. The quantisation of BitNet b1.58.
  float (*quantize)(const float* x, std::size_t n, std::size_t padded, std::int8_t* q,
                    std::int32_t* sum) noexcept;
  /// out[i] = float(in[i]) * scale.
  void (*scale_int32)(const std::int32_t* in, std::size_t n, float scale, float* out) noexcept;

  /// out[t * out_stride] = lane sum by fma of row[i] * x[t * x_stride + i].
  void (*dot)(const float* row, std::size_t n, const float* x, std::size_t x_stride,
              std::size_t tokens, float* out, std::size_t out_stride) noexcept;
  /// Exact conversions to binary32.
  void (*widen_f16)(const std::uint16_t* in, std::size_t n, float* out) noexcept;
  void (*widen_bf16)(const std::uint16_t* in, std::size_t n, float* out) noexcept;
  /// To binary16, round half to even; beyond its range to infinity.
  void (*narrow_f16)(const float* in, std::size_t n, std::uint16_t* out) noexcept;

  /// out[i] = (x[i] * r) * weight[i], r = 1 / sqrt(s / n + epsilon), s = lane sum by fma of x[i]^2.
  /// May be in place.
  void (*rms_norm)(const float* x, const float* weight, std::size_t n, float epsilon,
                   float* out) noexcept;
  /// out[i] = fma((x[i] - m) * r, weight[i], bias[i]), m = lane sum of x / n, r = 1 / sqrt(s / n +
  /// epsilon), s = lane sum by fma of (x[i] - m)^2. May be in place.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, std::size_t n,
                     float epsilon, float* out) noexcept;
  /// out[i] = fma(float(in[i]) * scale, scales[i], bias[i]).
  void (*scale_rows)(const std::int32_t* in, std::size_t n, float scale, const float* scales,
                     const float* bias, float* out) noexcept;
  /// x[i] += y[i].
  void (*add)(float* x, const float* y, std::size_t n) noexcept;
  /// Rotates the pairs (i, i + half) of x, in place: a' = fma(a, cos, -(b * sin)),
  /// b' = fma(b, cos, a * sin). cos and sin are [half].
  void (*rotate)(float* x, std::size_t half, const float* cos, const float* sin) noexcept;
  /// out[i] = (g * g) * up[i], g = max(gate[i], 0). May be in place on either input.
  void (*relu2_gate)(const float* gate, const float* up, std::size_t n, float* out) noexcept;
  /// out[i] = (gate[i] / (1 + exp(-gate[i]))) * up[i]. May be in place on either input.
  void (*silu_gate)(const float* gate, const float* up, std::size_t n, float* out) noexcept;
  /// out[i] = (gate[i] / (1 + exp(gate[i] * fma(gate[i]^2, -0x1.2444f2p-4, -0x1.988454p+0)))) *
  /// up[i]: GELU in its tanh form, 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), by the
  /// identity (1 + tanh u) / 2 = 1 / (1 + exp(-2u)). May be in place on either input.
  void (*gelu_gate)(const float* gate, const float* up, std::size_t n, float* out) noexcept;
  /// out[i] = x[i] / 2 * (1 + erf(x[i] / sqrt(2))) by the polynomial of kernels/float_ops.inc:
  /// within 3e-7 * |x[i]|. May be in place.
  void (*gelu)(const float* x, std::size_t n, float* out) noexcept;
  /// out[i] = exp(x[i]) by the polynomial of kernels/vector_math.inc: within 2 ulp, 0 below -87.3,
  /// inf above 88.7. May be in place.
  void (*exp)(const float* x, std::size_t n, float* out) noexcept;
  /// One step of attention. For each row with n = visible > 0: score j = (chain of fma over d of
  /// q[d] * k[d][j], from 0) * scale; m = max(old max, scores); c = exp(old max - m); p[j] =
  /// exp(score - m); sum = fma(sum, c, lane sum of p); accumulator[d] = accumulator[d] * c, then
  /// fma of p[j] * v[j][d] in ascending j.
  void (*attend)(const AttentionBlock& block) noexcept;
};

/// The tables that this processor and operating system can run, best first; "scalar" is the last.
/// Asked of the processor once; thread-safe.
std::span<const KernelTable* const> RunnableKernels() noexcept;

/// The table called `name`, or the best one for an empty name. Null if there is none of that name
/// or it cannot run here; KnownKernelNames() tells the two apart.
const KernelTable* FindKernels(std::string_view name) noexcept;

/// Every table of this build, for error messages.
std::span<const std::string_view> KnownKernelNames() noexcept;

}  // namespace sworn::kernels
