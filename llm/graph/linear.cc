#include "llm/graph/linear.h"

#include <algorithm>

#include "kernels/panels.h"
#include "llm/files/dequantize.h"

namespace sworn::llm {
namespace {

using kernels::kPanelRows;

// The int8 activations that a work item goes over again for each tile of weights: they should stay
// in the second-level cache.
constexpr std::size_t kItemBytes = std::size_t{768} * 1024;

// Tokens of a work item: a multiple of kPanelTokens.
std::size_t ItemTokens(std::size_t padded_columns) {
  return std::max<std::size_t>(kItemBytes / padded_columns / kPanelTokens, 1) * kPanelTokens;
}

// out[t * stride + r] = row 64 * panel + r of W times token first + t, for the rows that W has.
void MultiplyPanel(const Linear& linear, std::size_t panel, const LinearInput& input,
                   std::size_t first, std::size_t tokens, const kernels::KernelTable& kernels,
                   PanelScratch& scratch, float* out, std::size_t stride) {
  const std::size_t first_row = panel * kPanelRows;
  const std::size_t rows = std::min(kPanelRows, linear.rows - first_row);
  if (!linear.ternary()) {
    for (std::size_t row = 0; row < rows; ++row) {
      WidenRow(*linear.tensor, linear.SourceRow(first_row + row), kernels, scratch.row());
      kernels.dot(scratch.row(), linear.columns, input.dense(first), linear.columns, tokens,
                  out + row, stride);
    }
    return;
  }
  kernels.ternary_panel(linear.panels + panel * kernels::TernaryPanelBytes(linear.columns),
                        input.padded(), input.quantized(first), input.padded(), input.sums(first),
                        tokens, scratch.products());
  for (std::size_t t = 0; t < tokens; ++t) {
    kernels.scale_int32(scratch.products() + t * kPanelRows, rows,
                        linear.scale / input.scale(first + t), out + t * stride);
  }
}

// Calls work(panel, first token, tokens, scratch) for every panel and every kPanelTokens of the
// tokens. Items of one piece of the tokens follow each other, so that its activations stay in the
// cache while the panels pass.
template <typename Work>
void ForEachPanel(std::size_t panels, std::size_t tokens, std::size_t padded_columns,
                  const LinearContext& context, const Work& work) {
  if (tokens == 0) return;
  const std::size_t item_tokens = ItemTokens(padded_columns);
  const std::size_t pieces = (tokens + item_tokens - 1) / item_tokens;
  context.team.For(pieces * panels, [&](std::size_t item, std::size_t thread) {
    const std::size_t begin = item / panels * item_tokens;
    const std::size_t end = std::min(begin + item_tokens, tokens);
    for (std::size_t first = begin; first < end; first += kPanelTokens) {
      work(item % panels, first, std::min(kPanelTokens, end - first), context.scratch[thread]);
    }
  });
}

auto GateOf(Activation activation, const kernels::KernelTable& kernels) {
  switch (activation) {
    case Activation::kRelu2:
      return kernels.relu2_gate;
    case Activation::kGelu:
      return kernels.gelu_gate;
    case Activation::kSilu:
      break;
  }
  return kernels.silu_gate;
}

}  // namespace

LinearInput::LinearInput(std::size_t tokens, std::size_t columns)
    : dense_(MakeAlignedArray<float>(tokens * columns)),
      quantized_(MakeAlignedArray<std::int8_t>(tokens * kernels::PaddedColumns(columns))),
      sums_(tokens),
      scales_(tokens) {}

void LinearInput::Begin(std::size_t columns, bool quantized, bool dense) {
  columns_ = columns;
  padded_ = kernels::PaddedColumns(columns);
  quantize_ = quantized;
  keep_dense_ = dense;
}

float* LinearInput::Row(std::size_t token, float* spare) noexcept {
  return keep_dense_ ? dense_.get() + token * columns_ : spare;
}

void LinearInput::Finish(std::size_t token, const float* row,
                         const kernels::KernelTable& kernels) noexcept {
  if (!quantize_) return;
  scales_[token] =
      kernels.quantize(row, columns_, padded_, quantized_.get() + token * padded_, &sums_[token]);
}

PanelScratch::PanelScratch(std::size_t columns)
    : products_(MakeAlignedArray<std::int32_t>(kPanelTokens * kPanelRows)),
      row_(MakeAlignedArray<float>(columns)),
      first_(MakeAlignedArray<float>(kPanelTokens * kPanelRows)),
      second_(MakeAlignedArray<float>(kPanelTokens * kPanelRows)) {}

void Multiply(std::span<const Product> products, std::size_t tokens, const LinearContext& context) {
  // The panels of all products as one sequence.
  std::size_t panels = 0;
  for (const Product& product : products) panels += product.linear->panel_count();
  ForEachPanel(panels, tokens, products.front().input->padded(), context,
               [&](std::size_t panel, std::size_t first, std::size_t count, PanelScratch& scratch) {
                 const Product* product = products.data();
                 while (panel >= product->linear->panel_count()) {
                   panel -= product->linear->panel_count();
                   ++product;
                 }
                 const Linear& linear = *product->linear;
                 MultiplyPanel(linear, panel, *product->input, first, count, context.kernels,
                               scratch, product->out + first * linear.rows + panel * kPanelRows,
                               linear.rows);
               });
}

void MultiplyAdd(const Product& product, std::size_t tokens, const LinearContext& context) {
  const Linear& linear = *product.linear;
  ForEachPanel(linear.panel_count(), tokens, product.input->padded(), context,
               [&](std::size_t panel, std::size_t first, std::size_t count, PanelScratch& scratch) {
                 const std::size_t row = panel * kPanelRows;
                 const std::size_t rows = std::min(kPanelRows, linear.rows - row);
                 MultiplyPanel(linear, panel, *product.input, first, count, context.kernels,
                               scratch, scratch.first(), kPanelRows);
                 for (std::size_t t = 0; t < count; ++t) {
                   context.kernels.add(product.out + (first + t) * linear.rows + row,
                                       scratch.first() + t * kPanelRows, rows);
                 }
               });
}

void MultiplyGated(const GatedProduct& product, std::size_t tokens, const LinearContext& context) {
  const Linear& gate = *product.gate;
  const auto combine = GateOf(product.activation, context.kernels);
  ForEachPanel(gate.panel_count(), tokens, product.gate_input->padded(), context,
               [&](std::size_t panel, std::size_t first, std::size_t count, PanelScratch& scratch) {
                 const std::size_t row = panel * kPanelRows;
                 const std::size_t rows = std::min(kPanelRows, gate.rows - row);
                 MultiplyPanel(gate, panel, *product.gate_input, first, count, context.kernels,
                               scratch, scratch.first(), kPanelRows);
                 MultiplyPanel(*product.up, panel, *product.up_input, first, count, context.kernels,
                               scratch, scratch.second(), kPanelRows);
                 for (std::size_t t = 0; t < count; ++t) {
                   combine(scratch.first() + t * kPanelRows, scratch.second() + t * kPanelRows,
                           rows, product.out + (first + t) * gate.rows + row);
                 }
               });
}

}  // namespace sworn::llm
