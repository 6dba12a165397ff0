// A TermEmbedderFactory whose embedder knows the terms that it was fitted to, and gives each a
// direction by its key.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/crypto.h"
#include "core/embedder.h"
#include "core/error.h"

namespace sworn::test {

class FakeTermEmbedder : public TermEmbedder {
 public:
  FakeTermEmbedder(EmbedderIdentity identity, std::vector<TermKey> known)
      : identity_(std::move(identity)), known_(std::move(known)) {}

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }

  [[nodiscard]] std::vector<float> Embed(const TermRows& rows) const override {
    std::vector<float> values;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      std::vector<double> sums(identity_.dimension);
      for (const TermCount& entry : rows[row]) {
        if (!std::binary_search(known_.begin(), known_.end(), entry.term)) continue;
        for (std::size_t i = 0; i < sums.size(); ++i) {
          TermKey mixed = (entry.term + i + 1) * 0x9E3779B97F4A7C15U;
          mixed = (mixed ^ mixed >> 31U) * 0xBF58476D1CE4E5B9U;
          sums[i] += ((mixed >> 60U & 1U) != 0 ? 1.0 : -1.0) * entry.count;
        }
      }
      double norm = 0;
      for (const double sum : sums) norm += sum * sum;
      for (const double sum : sums) {
        values.push_back(norm > 0 ? static_cast<float>(sum / std::sqrt(norm)) : 0);
      }
    }
    return values;
  }

 private:
  EmbedderIdentity identity_;
  std::vector<TermKey> known_;  // ascending
};

/// The state is the known terms' keys behind the number of rows.
class FakeTermEmbedderFactory : public TermEmbedderFactory {
 public:
  static constexpr std::size_t kMinRows = 20;

  explicit FakeTermEmbedderFactory(std::string version = "1") {
    identity_.name = "fake fitted";
    identity_.version = std::move(version);
    identity_.dimension = 64;
  }

  [[nodiscard]] const EmbedderIdentity& identity() const override { return identity_; }

  [[nodiscard]] std::optional<std::string> Fit(const TermRows& rows,
                                               std::uint64_t /*seed*/) const override {
    std::vector<std::uint64_t> numbers = {rows.size()};
    for (const TermCount& entry : rows.counts()) numbers.push_back(entry.term);
    if (rows.size() < kMinRows || numbers.size() == 1) return std::nullopt;
    std::sort(numbers.begin() + 1, numbers.end());
    numbers.erase(std::unique(numbers.begin() + 1, numbers.end()), numbers.end());
    return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * 8);
  }

  [[nodiscard]] std::unique_ptr<const TermEmbedder> Load(std::string_view state) const override {
    if (state.size() < 16 || state.size() % 8 != 0) {
      throw Error(ErrorCode::kIntegrity, "no state of the fake");
    }
    std::vector<TermKey> known(state.size() / 8 - 1);
    std::memcpy(known.data(), state.data() + 8, state.size() - 8);
    EmbedderIdentity identity = identity_;
    identity.state_sha256 = ToHex(Sha256(state));
    return std::make_unique<FakeTermEmbedder>(std::move(identity), std::move(known));
  }

 private:
  EmbedderIdentity identity_;
};

}  // namespace sworn::test
