#include "retriever/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "core/error.h"

namespace sworn::retriever {
namespace {

int Grade(const Judgements& judgements, const std::string& id) {
  const auto found = judgements.find(id);
  return found == judgements.end() ? 0 : std::max(0, found->second);
}

double Discounted(int grade, std::size_t rank) {
  return grade / std::log2(static_cast<double>(rank) + 1);
}

/// Share of all sign patterns of `differences` whose sum is at least `extreme` away from 0.
double ExactShare(std::span<const double> differences, double extreme) {
  const std::uint64_t patterns = std::uint64_t{1} << differences.size();
  std::uint64_t as_extreme = 0;
  for (std::uint64_t pattern = 0; pattern < patterns; ++pattern) {
    double sum = 0;
    for (std::size_t i = 0; i < differences.size(); ++i) {
      sum += (pattern >> i & 1) != 0 ? differences[i] : -differences[i];
    }
    if (std::abs(sum) >= extreme) ++as_extreme;
  }
  return static_cast<double>(as_extreme) / static_cast<double>(patterns);
}

}  // namespace

double NdcgAt(std::span<const std::string> ranking, const Judgements& judgements,
              std::size_t depth) {
  std::vector<int> grades;
  for (const auto& [id, grade] : judgements) grades.push_back(std::max(0, grade));
  std::sort(grades.begin(), grades.end(), std::greater<>());
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(depth, grades.size()); ++i) {
    ideal += Discounted(grades[i], i + 1);
  }
  if (ideal <= 0) return 0;
  double gained = 0;
  for (std::size_t i = 0; i < std::min(depth, ranking.size()); ++i) {
    gained += Discounted(Grade(judgements, ranking[i]), i + 1);
  }
  return gained / ideal;
}

double RecallAt(std::span<const std::string> ranking, const Judgements& judgements,
                std::size_t depth) {
  const auto relevant = std::count_if(judgements.begin(), judgements.end(),
                                      [](const auto& judged) { return judged.second > 0; });
  if (relevant == 0) return 0;
  std::size_t found = 0;
  for (std::size_t i = 0; i < std::min(depth, ranking.size()); ++i) {
    if (Grade(judgements, ranking[i]) > 0) ++found;
  }
  return static_cast<double>(found) / static_cast<double>(relevant);
}

double ReciprocalRank(std::span<const std::string> ranking, const Judgements& judgements) {
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    if (Grade(judgements, ranking[i]) > 0) return 1 / (static_cast<double>(i) + 1);
  }
  return 0;
}

double Mean(std::span<const double> values) noexcept {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double Percentile(std::span<const double> values, double share) {
  if (values.empty()) return 0;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto at = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(at, sorted.size() - 1)];
}

double SignFlipPValue(std::span<const double> a, std::span<const double> b, std::uint32_t rounds,
                      std::uint64_t seed) {
  if (a.size() != b.size()) {
    throw Error(ErrorCode::kInvalidArgument, "a paired test needs two lists of one length");
  }
  // Equal pairs add nothing whatever their sign; without them the loop is shorter.
  std::vector<double> differences;
  double observed = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    differences.push_back(a[i] - b[i]);
    observed += differences.back();
  }
  if (differences.empty()) return 1;
  // A flip that gives the same sum in another order must count as equally extreme.
  const double extreme = std::abs(observed) * (1 - 1e-12) - 1e-12;
  if (differences.size() <= kMaxExactPairs) return ExactShare(differences, extreme);
  std::mt19937_64 random(seed);
  std::uint32_t as_extreme = 0;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    double sum = 0;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < differences.size(); ++i) {
      if (i % 64 == 0) bits = random();
      sum += (bits & 1) != 0 ? differences[i] : -differences[i];
      bits >>= 1;
    }
    if (std::abs(sum) >= extreme) ++as_extreme;
  }
  return (1.0 + as_extreme) / (1.0 + rounds);
}

}  // namespace sworn::retriever
