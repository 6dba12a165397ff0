#include "llm/graph/output_head.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/error.h"
#include "llm/files/dequantize.h"
#include "llm/graph/coarse_matrix.h"
#include "llm/graph/head_search.h"

namespace sworn::llm {
namespace {

// What is no number counts as the smallest.
float Rank(float logit) noexcept {
  if (std::isnan(logit)) return -std::numeric_limits<float>::infinity();
  return logit;
}

constexpr std::size_t kLogitChunk = 256;  // rows that a thread takes at a time
constexpr std::size_t kMaxVocabulary = 4'194'304;
// Below these sizes all logits take no longer than the search.
constexpr std::size_t kMinSearchRows = 4'096;
constexpr std::size_t kMinSearchColumns = 256;
constexpr std::size_t kMinRowsPerBest = 16;  // of the vocabulary for each logit asked for

void CheckMatrix(const TensorView& matrix) {
  const std::string name = "the output matrix '" + matrix.name + "' ";
  if (matrix.shape.size() != 2) throw Error(ErrorCode::kIntegrity, name + "is no matrix");
  if (matrix.rows() == 0 || matrix.rows() > kMaxVocabulary) {
    throw Error(ErrorCode::kIntegrity, name + "has " + std::to_string(matrix.rows()) +
                                           " rows; 1 to " + std::to_string(kMaxVocabulary) +
                                           " are possible");
  }
  if (matrix.columns() == 0 || matrix.columns() > kernels::kMaxColumns) {
    throw Error(ErrorCode::kIntegrity, name + "has " + std::to_string(matrix.columns()) +
                                           " columns; 1 to " +
                                           std::to_string(kernels::kMaxColumns) + " are possible");
  }
  if (!CanWiden(matrix.dtype)) {
    throw Error(
        ErrorCode::kUnsupportedMedia,
        name + "is stored as " + std::string(DTypeName(matrix.dtype)) + ", which is not read here");
  }
}

}  // namespace

bool Precedes(const TokenLogit& a, const TokenLogit& b) noexcept {
  const float x = Rank(a.logit);
  const float y = Rank(b.logit);
  return x != y ? x > y : a.token < b.token;
}

namespace {

std::vector<TokenLogit> Sorted(std::span<const float> logits, std::size_t count) {
  std::vector<TokenLogit> best(logits.size());
  for (std::size_t i = 0; i < best.size(); ++i) best[i] = {static_cast<Token>(i), logits[i]};
  const auto end = best.begin() + static_cast<std::ptrdiff_t>(std::min(count, best.size()));
  std::partial_sort(best.begin(), end, best.end(), Precedes);
  best.erase(end, best.end());
  return best;
}

}  // namespace

struct OutputHead::Impl {
  Impl(const ModelFile& model, const TensorView& tensor, const kernels::KernelTable& table,
       ThreadTeam& team)
      : file(model), matrix(tensor), kernels(table) {
    CheckMatrix(matrix);
    if (matrix.rows() < kMinSearchRows || matrix.columns() < kMinSearchColumns) return;
    coarse.emplace(file, matrix, kernels, team);
    if (!coarse->usable()) coarse.reset();
  }

  const ModelFile& file;
  TensorView matrix;
  const kernels::KernelTable& kernels;
  std::optional<CoarseMatrix> coarse;
};

OutputHead::OutputHead(const ModelFile& file, const TensorView& matrix,
                       const kernels::KernelTable& kernels, ThreadTeam& team)
    : impl_(std::make_unique<const Impl>(file, matrix, kernels, team)) {}

OutputHead::~OutputHead() = default;

std::size_t OutputHead::vocabulary() const noexcept { return impl_->matrix.rows(); }

std::size_t OutputHead::coarse_bytes() const noexcept {
  return impl_->coarse ? impl_->coarse->bytes() : 0;
}

void OutputHead::Logits(std::span<const float> hidden, std::size_t rows, ThreadTeam& team,
                        float* out) const {
  const std::size_t vocabulary = impl_->matrix.rows();
  const std::size_t columns = impl_->matrix.columns();
  std::vector<std::vector<float>> weights(team.size(), std::vector<float>(columns));
  const std::size_t chunks = (vocabulary + kLogitChunk - 1) / kLogitChunk;
  team.For(chunks, [&](std::size_t chunk, std::size_t thread) {
    float* row = weights[thread].data();
    const std::size_t end = std::min(vocabulary, (chunk + 1) * kLogitChunk);
    for (std::size_t r = chunk * kLogitChunk; r < end; ++r) {
      WidenRow(impl_->matrix, r, impl_->kernels, row);
      impl_->kernels.dot(row, columns, hidden.data(), columns, rows, out + r, vocabulary);
    }
  });
}

void OutputHead::LogitsOf(std::span<const float> hidden, std::span<const Token> tokens,
                          float* out) const {
  const std::size_t columns = impl_->matrix.columns();
  std::vector<float> row(columns);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    WidenRow(impl_->matrix, static_cast<std::size_t>(tokens[i]), impl_->kernels, row.data());
    impl_->kernels.dot(row.data(), columns, hidden.data(), columns, 1, out + i, 1);
  }
}

std::vector<std::vector<TokenLogit>> OutputHead::Best(std::span<const float> hidden,
                                                      std::size_t rows, std::size_t count,
                                                      ThreadTeam& team) const {
  if (impl_->coarse && count > 0 && count <= vocabulary() / kMinRowsPerBest) {
    HeadSearch search(impl_->file, impl_->matrix, impl_->kernels, *impl_->coarse, hidden, rows,
                      count, team);
    if (search.usable()) return search.Run();
  }
  std::vector<float> logits(rows * vocabulary());
  Logits(hidden, rows, team, logits.data());
  std::vector<std::vector<TokenLogit>> best;
  best.reserve(rows);
  for (std::size_t t = 0; t < rows; ++t) {
    best.push_back(Sorted(std::span(logits).subspan(t * vocabulary(), vocabulary()), count));
  }
  return best;
}

}  // namespace sworn::llm
