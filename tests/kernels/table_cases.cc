#include "tests/kernels/table_cases.h"

#include <bit>
#include <cstddef>
#include <limits>

#include "kernels/panels.h"
#include "tests/kernels/table_inputs.h"

namespace sworn::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Every length up to 70 (whole and partly filled lanes), and those of real models.
std::vector<std::size_t> Lengths() {
  std::vector<std::size_t> out;
  for (std::size_t n = 1; n <= 70; ++n) out.push_back(n);
  out.insert(out.end(), {100, 640, 2560, 6912});
  return out;
}

/// The start of an array for length n: every offset from an aligned address comes up.
std::size_t Offset(std::size_t n) { return n % 5; }

std::vector<std::uint8_t> Quantize(const KernelTable& table) {
  Random random(1);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    for (const float size : {1.0F, 0.0F, 1e-7F, 1e36F}) {
      std::vector<float> x = random.Floats(n + Offset(n));
      for (float& v : x) v *= size;
      const std::size_t padded = PaddedColumns(n);
      std::vector<std::int8_t> q(padded + Offset(n), 77);
      std::int32_t sum = 0;
      const float scale =
          table.quantize(x.data() + Offset(n), n, padded, q.data() + Offset(n), &sum);
      outputs.Add(q);
      outputs.Add(&sum, 1);
      outputs.Add(&scale, 1);
    }
    // Not finite: means nothing, but is the same everywhere.
    std::vector<float> infinite = random.Floats(n);
    infinite[n / 2] = n % 2 == 0 ? kInfinity : -kInfinity;
    std::vector<std::int8_t> codes(n);
    std::int32_t code_sum = 0;
    table.quantize(infinite.data(), n, n, codes.data(), &code_sum);
    outputs.Add(codes);
    // The scale is 1 and every value half an integer.
    std::vector<float> ties(n);
    for (float& v : ties) v = static_cast<float>(random.Below(254)) - 126.5F;
    ties[random.Below(static_cast<std::uint32_t>(n))] = -127.0F;
    std::vector<std::int8_t> q(n);
    std::int32_t sum = 0;
    table.quantize(ties.data(), n, n, q.data(), &sum);
    outputs.Add(q);
    outputs.Add(&sum, 1);
  }
  return outputs.Take();
}

std::vector<std::uint8_t> ScaleInt32(const KernelTable& table) {
  Random random(2);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<std::int32_t> in(n + Offset(n));
    for (std::int32_t& v : in) v = static_cast<std::int32_t>(random.Bits()) >> random.Below(28);
    in.back() = n % 2 == 0 ? std::numeric_limits<std::int32_t>::min() : 0x7FFFFFFF;
    std::vector<float> out(in.size());
    table.scale_int32(in.data() + Offset(n), n, random.Float(), out.data() + Offset(n));
    outputs.Add(out);
  }
  return outputs.Take();
}

/// The extreme codes and states come up often enough to stand side by side.
std::uint32_t ExtremeByte(Random& random) {
  const std::uint32_t kind = random.Below(4);
  return kind == 0 ? 0xFFU : kind == 1 ? 0U : random.Below(256);
}

/// Large of one sign, of the other, or mixed.
struct CoarseStates {
  CoarseStates(std::size_t blocks, std::size_t count, Random& random)
      : x(2 * blocks * count * kCoarseBlock),
        sums(blocks * count),
        norms(random.Floats(blocks * count)),
        state_count(count) {
    auto* const bytes = reinterpret_cast<std::int8_t*>(x.data());
    for (std::size_t t = 0; t < count; ++t) {
      const std::uint32_t kind = random.Below(3);
      for (std::size_t at = t; at < blocks * count; at += count) {
        std::int8_t* const high = bytes + 2 * at * kCoarseBlock;
        for (std::size_t i = 0; i < kCoarseBlock; ++i) {
          const auto value =
              static_cast<std::int8_t>(kind == 0   ? 127
                                       : kind == 1 ? -128
                                                   : static_cast<int>(ExtremeByte(random)) - 128);
          high[i] = value == -128 ? std::int8_t{-127} : value;
          high[kCoarseBlock + i] = value;
          sums[at] += 256 * high[i] + value;
        }
      }
    }
  }
  CoarseQueries queries() {
    return {reinterpret_cast<const std::int8_t*>(x.data()), sums.data(), norms.data(), state_count};
  }

  AlignedBytes x;
  std::vector<std::int32_t> sums;
  std::vector<float> norms;
  std::size_t state_count;
};

std::vector<std::uint8_t> CoarsePanels(const KernelTable& table) {
  Random random(17);
  Outputs outputs;
  for (const std::size_t blocks : {1, 2, 3, 40}) {
    const std::size_t columns = blocks * kCoarseBlock;
    const auto plane = [&](AlignedBytes& bytes) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes.data()[i] = static_cast<std::uint8_t>(ExtremeByte(random));
      }
    };
    AlignedBytes high(columns * kCoarseRows / 2);
    AlignedBytes low(columns * kCoarseRows / 4);
    AlignedBytes scales(blocks * kCoarseRows);
    plane(high);
    plane(low);
    plane(scales);
    for (const std::size_t count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17}) {
      CoarseStates states(blocks, count, random);
      for (const bool both : {false, true}) {
        std::vector<float> out(2 * count * kCoarseRows, 5.0F);
        const CoarsePanel panel{high.data(), both ? low.data() : nullptr, scales.data()};
        table.coarse_panel(panel, blocks, states.queries(), out.data(),
                           out.data() + count * kCoarseRows);
        outputs.Add(out);
      }
    }
  }
  return outputs.Take();
}

std::vector<std::uint8_t> CoarseBounds(const KernelTable& table) {
  Random random(21);
  Outputs outputs;
  for (int run = 0; run < 200; ++run) {
    CoarseRows rows{};
    for (float* values : {rows.scale, rows.residual_high, rows.residual_both, rows.spread_high,
                          rows.spread_both, rows.norm}) {
      for (std::size_t r = 0; r < kCoarseRows; ++r) values[r] = random.Float();
    }
    const CoarseFactors factors{random.Float(), random.Float(), random.Float(), random.Float(),
                                0x1p-100F};
    const std::vector<float> sums = random.Floats(kCoarseRows);
    const std::vector<float> reach = random.Floats(kCoarseRows);
    for (const float floor : {random.Float(), 0.0F, -kInfinity}) {
      for (const bool both : {false, true}) {
        std::vector<float> out(2 * kCoarseRows);
        const std::size_t possible =
            table.coarse_bounds(rows, both, factors, sums.data(), reach.data(), floor, out.data(),
                                out.data() + kCoarseRows);
        outputs.Add(out);
        outputs.Add(&possible, 1);
      }
    }
  }
  return outputs.Take();
}

std::vector<std::uint8_t> Dot(const KernelTable& table) {
  Random random(3);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    for (const std::size_t tokens : {1, 2, 3, 4, 5, 6, 7, 13}) {
      const std::size_t stride = n + tokens % 3;
      const std::size_t out_stride = 1 + tokens % 4;
      const std::vector<float> row = random.Floats(n + Offset(n));
      const std::vector<float> x = random.Floats(tokens * stride);
      std::vector<float> out(tokens * out_stride, 5.0F);
      table.dot(row.data() + Offset(n), n, x.data(), stride, tokens, out.data(), out_stride);
      outputs.Add(out);
    }
  }
  return outputs.Take();
}

std::vector<std::uint16_t> EveryHalf() {
  std::vector<std::uint16_t> out(65'536);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint16_t>(i);
  return out;
}

using Widening = void (*)(const std::uint16_t*, std::size_t, float*) noexcept;
std::vector<std::uint8_t> Widen(Widening widen) {
  Outputs outputs;
  const std::vector<std::uint16_t> halves = EveryHalf();
  for (std::size_t n = 1; n <= 70; ++n) {
    std::vector<float> out(n + 1);
    widen(halves.data() + 15'300 + Offset(n), n, out.data() + n % 2);
    outputs.Add(out);
  }
  std::vector<float> all(halves.size());
  widen(halves.data(), halves.size(), all.data());
  outputs.Add(all);
  return outputs.Take();
}
std::vector<std::uint8_t> WidenF16(const KernelTable& table) { return Widen(table.widen_f16); }
std::vector<std::uint8_t> WidenBf16(const KernelTable& table) { return Widen(table.widen_bf16); }

std::vector<std::uint8_t> NarrowF16(const KernelTable& table) {
  Random random(4);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> in(n + Offset(n));
    for (float& v : in) v = std::bit_cast<float>(random.Bits());  // NaN and infinity too
    std::vector<std::uint16_t> out(in.size());
    table.narrow_f16(in.data() + Offset(n), n, out.data() + Offset(n));
    outputs.Add(out);
  }
  // The range of binary16, its subnormals and its edges, with all roundings.
  std::vector<float> in;
  for (std::uint32_t exponent = 127 - 27; exponent <= 127 + 17; ++exponent) {
    for (int i = 0; i < 512; ++i) {
      const std::uint32_t ties = i % 2 == 0 ? 0x7FF000U : 0x7FFFFFU;
      in.push_back(std::bit_cast<float>(exponent << 23 | (random.Bits() & (0x80000000U | ties))));
    }
  }
  std::vector<std::uint16_t> out(in.size());
  table.narrow_f16(in.data(), in.size(), out.data());
  outputs.Add(out);
  return outputs.Take();
}

std::vector<std::uint8_t> RmsNorm(const KernelTable& table) {
  Random random(5);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> x = random.Floats(n + Offset(n));
    const std::vector<float> weight = random.Floats(n);
    std::vector<float> out(n);
    table.rms_norm(x.data() + Offset(n), weight.data(), n, 1e-5F, out.data());
    outputs.Add(out);
    table.rms_norm(x.data() + Offset(n), weight.data(), n, 1e-5F, x.data() + Offset(n));
    outputs.Add(x);
  }
  return outputs.Take();
}

std::vector<std::uint8_t> LayerNorm(const KernelTable& table) {
  Random random(18);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> x = random.Floats(n + Offset(n));
    const std::vector<float> weight = random.Floats(n);
    const std::vector<float> bias = random.Floats(n);
    std::vector<float> out(n);
    table.layer_norm(x.data() + Offset(n), weight.data(), bias.data(), n, 1e-12F, out.data());
    outputs.Add(out);
    float* const place = x.data() + Offset(n);
    table.layer_norm(place, weight.data(), bias.data(), n, 1e-12F, place);
    outputs.Add(x);
  }
  return outputs.Take();
}

std::vector<std::uint8_t> ScaleRows(const KernelTable& table) {
  Random random(19);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<std::int32_t> in(n + Offset(n));
    for (std::int32_t& v : in) v = static_cast<std::int32_t>(random.Bits()) >> random.Below(28);
    const std::vector<float> scales = random.Floats(n);
    const std::vector<float> bias = random.Floats(n);
    std::vector<float> out(n);
    table.scale_rows(in.data() + Offset(n), n, random.Float(), scales.data(), bias.data(),
                     out.data());
    outputs.Add(out);
  }
  return outputs.Take();
}

std::vector<std::uint8_t> Add(const KernelTable& table) {
  Random random(6);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> x = random.Floats(n + Offset(n));
    table.add(x.data() + Offset(n), random.Floats(n).data(), n);
    outputs.Add(x);
  }
  return outputs.Take();
}

std::vector<std::uint8_t> Rotate(const KernelTable& table) {
  Random random(7);
  Outputs outputs;
  for (const std::size_t half : Lengths()) {
    std::vector<float> x = random.Floats(2 * half + Offset(half));
    const std::vector<float> cosines = random.Floats(half);
    const std::vector<float> sines = random.Floats(half);
    table.rotate(x.data() + Offset(half), half, cosines.data(), sines.data());
    outputs.Add(x);
  }
  return outputs.Take();
}

using Gating = void (*)(const float*, const float*, std::size_t, float*) noexcept;
std::vector<std::uint8_t> Gate(Gating gate_function) {
  Random random(8);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> gate = random.Floats(n + Offset(n));
    std::vector<float> up = random.Floats(n);
    for (std::size_t i = 0; i < n; i += 7) gate[i + Offset(n)] *= 40.0F;
    gate.back() = n % 2 == 0 ? 0.0F : -0.0F;
    std::vector<float> out(n);
    gate_function(gate.data() + Offset(n), up.data(), n, out.data());
    outputs.Add(out);
    std::vector<float> gate_copy = gate;
    gate_function(gate_copy.data() + Offset(n), up.data(), n, gate_copy.data() + Offset(n));
    outputs.Add(gate_copy);
    gate_function(gate.data() + Offset(n), up.data(), n, up.data());
    outputs.Add(up);
  }
  return outputs.Take();
}
std::vector<std::uint8_t> Relu2Gate(const KernelTable& table) { return Gate(table.relu2_gate); }
std::vector<std::uint8_t> SiluGate(const KernelTable& table) { return Gate(table.silu_gate); }
std::vector<std::uint8_t> GeluGate(const KernelTable& table) { return Gate(table.gelu_gate); }

std::vector<std::uint8_t> Gelu(const KernelTable& table) {
  Random random(20);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> x = random.Floats(n + Offset(n));
    table.gelu(x.data() + Offset(n), n, x.data() + Offset(n));
    outputs.Add(x);
  }
  std::vector<float> x = {0.0F, -0.0F, 1e-45F, -1e-45F, 3e38F, -3e38F, kInfinity, -kInfinity};
  for (int i = -15'000; i < 15'000; i += 7) x.push_back(static_cast<float>(i) * 1e-3F);
  std::vector<float> out(x.size());
  table.gelu(x.data(), x.size(), out.data());
  outputs.Add(out);
  return outputs.Take();
}

std::vector<std::uint8_t> Exp(const KernelTable& table) {
  Random random(9);
  Outputs outputs;
  for (const std::size_t n : Lengths()) {
    std::vector<float> x = random.Floats(n + Offset(n));
    table.exp(x.data() + Offset(n), n, x.data() + Offset(n));
    outputs.Add(x);
  }
  std::vector<float> x = {0.0F,   -0.0F,     kInfinity, -kInfinity, -87.3F, -87.30001F,
                          88.7F,  88.70001F, 1e-45F,    -1e-45F,    3e38F,  -3e38F,
                          -88.0F, -103.5F,   1e-8F,     -1e-8F};
  for (int i = -90'000; i < 90'000; i += 11) x.push_back(static_cast<float>(i) * 1e-3F);
  std::vector<float> out(x.size());
  table.exp(x.data(), x.size(), out.data());
  outputs.Add(out);
  return outputs.Take();
}

/// `blocks` blocks one after the other. What no row sees is NaN.
void AttendCase(const KernelTable& table, std::size_t rows, std::size_t head_dim, Random& random,
                Outputs& outputs) {
  constexpr std::uint16_t kNan = 0x7E01;
  std::vector<float> max(rows, -kInfinity);
  std::vector<float> sum(rows);
  std::vector<float> accumulator(rows * head_dim);
  const std::vector<float> queries = random.Floats(rows * head_dim);
  for (const std::uint32_t longest : {64U, 1 + random.Below(64), 1 + random.Below(64)}) {
    std::vector<std::uint32_t> visible(rows);
    for (std::uint32_t& n : visible) n = random.Below(4) == 0 ? random.Below(longest + 1) : longest;
    if (rows >= 24 && longest < 64) {  // causal: each position sees one more, some see nothing
      for (std::size_t r = 0; r < rows; ++r) {
        visible[r] = static_cast<std::uint32_t>(r / 4 < longest ? r / 4 : longest);
      }
    }
    std::vector<std::uint16_t> keys(head_dim * kAttentionBlock, kNan);
    std::vector<std::uint16_t> values(head_dim * kAttentionBlock, kNan);
    for (std::size_t d = 0; d < head_dim; ++d) {
      for (std::size_t j = 0; j < longest; ++j) {
        // Finite, either sign, 2^-11 to 8.
        const auto half = [&random] {
          const std::uint32_t sign_and_mantissa = random.Bits() & 0x83FFU;
          return static_cast<std::uint16_t>(sign_and_mantissa | (4 + random.Below(14)) << 10);
        };
        keys[d * kAttentionBlock + j] = half();
        values[j * head_dim + d] = half();
      }
    }
    table.attend({.queries = queries.data(),
                  .rows = rows,
                  .head_dim = head_dim,
                  .keys = keys.data(),
                  .values = values.data(),
                  .visible = visible.data(),
                  .scale = 0.125F,
                  .max = max.data(),
                  .sum = sum.data(),
                  .accumulator = accumulator.data()});
    outputs.Add(max);
    outputs.Add(sum);
    outputs.Add(accumulator);
  }
}

std::vector<std::uint8_t> Attend(const KernelTable& table) {
  Random random(10);
  Outputs outputs;
  for (const std::size_t head_dim : {4, 12, 16, 80, 100, 128}) {
    for (const std::size_t rows : {1, 2, 3, 4, 5, 6, 7, 24, 55}) {
      AttendCase(table, rows, head_dim, random, outputs);
    }
  }
  AttendCase(table, 8, 256, random, outputs);
  AttendCase(table, 101, 32, random, outputs);
  return outputs.Take();
}

std::vector<std::uint8_t> Panel(const KernelTable& table, bool ternary) {
  struct alignas(64) Line {
    std::uint8_t bytes[64];
  };
  Random random(ternary ? 11 : 12);
  Outputs outputs;
  for (const std::size_t columns : {64, 128, 640, 2560}) {
    for (const bool extreme : {false, true}) {
      std::vector<std::int8_t> weights(kPanelRows * columns);
      for (std::int8_t& w : weights) {
        const auto any = static_cast<std::int8_t>(extreme ? -128 : random.Bits() & 0xFFU);
        w = ternary ? static_cast<std::int8_t>(static_cast<int>(random.Below(3)) - 1) : any;
      }
      std::vector<Line> panel(Int8PanelBytes(columns) / sizeof(Line));
      (ternary ? PackTernaryPanel : PackInt8Panel)(weights, kPanelRows, columns, panel[0].bytes);
      constexpr std::size_t kMaxTokens = 13;
      const std::size_t stride = columns + 3;
      std::vector<std::int8_t> x(kMaxTokens * stride);
      for (std::int8_t& v : x) v = static_cast<std::int8_t>(extreme ? -128 : random.Bits() & 0xFFU);
      std::vector<std::int32_t> sums(kMaxTokens);
      for (std::size_t t = 0; t < kMaxTokens; ++t) {
        for (std::size_t k = 0; k < columns; ++k) sums[t] += x[t * stride + k];
      }
      for (const std::size_t tokens : {1, 2, 3, 4, 5, 6, 7, 13}) {
        std::vector<std::int32_t> out(tokens * kPanelRows);
        (ternary ? table.ternary_panel : table.int8_panel)(panel[0].bytes, columns, x.data(),
                                                           stride, sums.data(), tokens, out.data());
        outputs.Add(out);
      }
    }
  }
  return outputs.Take();
}
std::vector<std::uint8_t> TernaryPanel(const KernelTable& table) { return Panel(table, true); }
std::vector<std::uint8_t> Int8Panel(const KernelTable& table) { return Panel(table, false); }

/// Every sum at its largest comes up: 255 * sum of |x| just below 2^31.
std::vector<std::uint8_t> ScanCodes(const KernelTable& table) {
  Random random(18);
  Outputs outputs;
  for (const std::size_t columns : Lengths()) {
    const std::uint32_t reach = 8'421'504 / static_cast<std::uint32_t>(columns);
    const auto largest = static_cast<std::int32_t>(reach < 32'639 ? reach : 32'639);
    for (const bool extreme : {false, true}) {
      std::vector<std::int8_t> high(columns + 1);
      std::vector<std::int8_t> low(columns + 1);
      for (std::size_t k = 1; k <= columns; ++k) {
        const auto any =
            static_cast<std::int32_t>(random.Below(2 * static_cast<std::uint32_t>(largest) + 1));
        const std::int32_t x = extreme ? (columns % 2 == 0 ? largest : -largest) : any - largest;
        low[k] = static_cast<std::int8_t>(x);
        high[k] = static_cast<std::int8_t>((x - low[k]) / 256);
      }
      for (const std::size_t rows : {1, 2, 3, 4, 5, 8, 11}) {
        std::vector<std::uint8_t> codes(rows * columns + Offset(columns));
        for (std::uint8_t& c : codes) {
          c = static_cast<std::uint8_t>(extreme ? 255 : random.Below(256));
        }
        std::vector<std::int32_t> out(rows + 2, 0x5A5A5A5A);
        table.scan_codes(codes.data() + Offset(columns), rows, columns,
                         {high.data() + 1, low.data() + 1}, out.data() + 1);
        outputs.Add(out);
      }
    }
  }
  return outputs.Take();
}

constexpr TableCase kCases[] = {
    {"ternary_panel", TernaryPanel},
    {"int8_panel", Int8Panel},
    {"coarse_panel", CoarsePanels},
    {"coarse_bounds", CoarseBounds},
    {"scan_codes", ScanCodes},
    {"quantize", Quantize},
    {"scale_int32", ScaleInt32},
    {"dot", Dot},
    {"widen_f16", WidenF16},
    {"widen_bf16", WidenBf16},
    {"narrow_f16", NarrowF16},
    {"rms_norm", RmsNorm},
    {"layer_norm", LayerNorm},
    {"scale_rows", ScaleRows},
    {"add", Add},
    {"rotate", Rotate},
    {"relu2_gate", Relu2Gate},
    {"silu_gate", SiluGate},
    {"gelu_gate", GeluGate},
    {"gelu", Gelu},
    {"exp", Exp},
    {"attend", Attend},
};

}  // namespace

std::span<const TableCase> TableCases() { return kCases; }

}  // namespace sworn::kernels
