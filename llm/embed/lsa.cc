#include "llm/embed/lsa.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "core/crypto.h"
#include "llm/embed/lsa_fit.h"
#include "llm/embed/lsa_state.h"
#include "llm/embed/term_index.h"

namespace sworn::llm {
namespace {

static_assert(LsaFactory::kDimension == kMaxLsaDimension);

/// Adds up in the order of the terms' keys, each component by itself: vectorised or not, batch or
/// not, the bits are the same.
class LsaEmbedder : public TermEmbedder {
 public:
  LsaEmbedder(LsaState state, EmbedderIdentity identity)
      : identity_(std::move(identity)),
        dimension_(state.dimension),
        index_(std::move(state.terms)),
        weights_(std::move(state.weights)),
        scales_(std::move(state.scales)),
        directions_(std::move(state.directions)) {}

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }

  [[nodiscard]] std::vector<float> Embed(const TermRows& rows) const override {
    std::vector<float> vectors(rows.size() * kMaxLsaDimension);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EmbedRow(rows[i], std::span(vectors).subspan(i * kMaxLsaDimension, kMaxLsaDimension));
    }
    return vectors;
  }

 private:
  void EmbedRow(std::span<const TermCount> row, std::span<float> vector) const {
    std::array<float, kMaxLsaDimension> sums{};
    for (const TermCount& entry : row) {
      const auto term = index_.Find(entry.term);
      if (!term) continue;
      const float factor = CountWeight(entry.count) * weights_[*term] * scales_[*term];
      const std::int8_t* direction = &directions_[std::size_t{*term} * dimension_];
      for (std::size_t j = 0; j < dimension_; ++j) {
        sums[j] += factor * static_cast<float>(direction[j]);
      }
    }
    double square = 0;
    for (const float sum : sums) square += static_cast<double>(sum) * sum;
    if (!(square > 0)) return;
    const double scale = 1 / std::sqrt(square);
    std::transform(sums.begin(), sums.end(), vector.begin(),
                   [scale](float sum) { return static_cast<float>(scale * sum); });
  }

  EmbedderIdentity identity_;
  std::size_t dimension_;
  TermIndex index_;
  std::vector<float> weights_;
  std::vector<float> scales_;
  std::vector<std::int8_t> directions_;
};

}  // namespace

LsaFactory::LsaFactory(std::size_t threads) : threads_(std::max<std::size_t>(threads, 1)) {
  identity_.name = "lsa";
  identity_.version = "1";
  identity_.dimension = kDimension;
  identity_.pooling = "none";
  identity_.storage = "f32";
  identity_.fusion_weight = 0.15;
}

std::optional<std::string> LsaFactory::Fit(const TermRows& rows, std::uint64_t seed) const {
  if (rows.size() < kMinPassages) return std::nullopt;
  const std::optional<LsaState> state = FitLsa(rows, seed, threads_);
  if (!state) return std::nullopt;
  return EncodeLsaState(*state);
}

std::unique_ptr<const TermEmbedder> LsaFactory::Load(std::string_view state) const {
  LsaState decoded = DecodeLsaState(state);
  EmbedderIdentity identity = identity_;
  identity.state_sha256 = ToHex(Sha256(state));
  return std::make_unique<LsaEmbedder>(std::move(decoded), std::move(identity));
}

}  // namespace sworn::llm
