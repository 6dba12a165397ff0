#include "llm/decode/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>

namespace sworn::llm {
namespace {

struct Scored {
  Token token = 0;
  double value = 0;  // logit after the penalty; later the weight of the token
};

// The standard library's exp may round differently on another processor; this one does not. Within
// 2e-16 of exp(x) for x <= 0: exp(x) = 2^n * exp(r), |r| <= ln(2) / 2, by the Taylor polynomial.
double Exp(double x) {
  constexpr double kLowest = -700;
  constexpr double kLog2E = 1.4426950408889634;
  constexpr double kLn2High = 0.6931471803691238;  // 21 zero bits at its end: n * it is exact
  constexpr double kLn2Low = 1.9082149292705877e-10;
  constexpr int kDegree = 13;
  if (!(x >= kLowest)) return 0;
  const double n = std::floor(x * kLog2E + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1;
  for (int i = kDegree; i >= 1; --i) sum = 1 + sum * (r / i);
  return std::ldexp(sum, static_cast<int>(n));
}

std::uint64_t SplitMix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// xoshiro256** 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
std::uint64_t NextRandom(std::uint64_t (&state)[4]) {
  const std::uint64_t result = std::rotl(state[1] * 5, 7) * 9;
  const std::uint64_t shifted = state[1] << 17U;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = std::rotl(state[3], 45);
  return result;
}

// Largest first, ties to the smaller id.
bool Before(const Scored& a, const Scored& b) {
  return a.value != b.value ? a.value > b.value : a.token < b.token;
}

std::vector<Scored> Penalised(std::span<const TokenLogit> logits, const std::deque<Token>& window,
                              double penalty) {
  const std::set<Token> recent =
      penalty > 1 ? std::set<Token>(window.begin(), window.end()) : std::set<Token>();
  std::vector<Scored> scored;
  scored.reserve(logits.size());
  for (const TokenLogit& entry : logits) {
    // What is no number can only come from a damaged model; it must not decide anything.
    double value =
        std::isnan(entry.logit) ? -std::numeric_limits<double>::infinity() : double{entry.logit};
    if (recent.contains(entry.token)) value = value > 0 ? value / penalty : value * penalty;
    scored.push_back({entry.token, value});
  }
  return scored;
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options) {
  CheckSampler(options);
  std::uint64_t state = options.seed;
  for (std::uint64_t& word : random_) word = SplitMix64(state);
}

std::size_t Sampler::candidates() const {
  const std::size_t kept = options_.temperature > 0 ? options_.top_k : 1;
  if (options_.repeat_penalty <= 1) return kept;
  return kept + std::set<Token>(window_.begin(), window_.end()).size();
}

Token Sampler::Choose(std::span<const TokenLogit> logits) {
  std::vector<Scored> scored = Penalised(logits, window_, options_.repeat_penalty);
  if (options_.temperature <= 0) {
    return std::min_element(scored.begin(), scored.end(), Before)->token;
  }
  const std::size_t kept = std::min(options_.top_k, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(kept),
                    scored.end(), Before);
  scored.resize(kept);

  // Weights relative to the best token's, which is 1. Where that is infinite, so is their
  // difference, and only its equals have a weight.
  const double best = scored.front().value;
  double total = 0;
  for (Scored& entry : scored) {
    entry.value = entry.value == best ? 1 : Exp((entry.value - best) / options_.temperature);
    total += entry.value;
  }
  double kept_total = 0;
  std::size_t count = 0;
  do {
    kept_total += scored[count].value;
    ++count;
  } while (count < scored.size() && kept_total < options_.top_p * total);
  while (count > 1 && scored[count - 1].value < options_.min_p) --count;

  kept_total = 0;
  for (std::size_t i = 0; i < count; ++i) kept_total += scored[i].value;
  const double draw = static_cast<double>(NextRandom(random_) >> 11U) * 0x1p-53 * kept_total;
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += scored[i].value;
    if (draw < sum) return scored[i].token;
  }
  return scored[count - 1].token;
}

void Sampler::Accept(Token token) {
  if (options_.repeat_window == 0) return;
  if (window_.size() == options_.repeat_window) window_.pop_front();
  window_.push_back(token);
}

}  // namespace sworn::llm
