// Measures of a ranking and of the difference between two. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace sworn::retriever {

/// Grades of the judged documents of one query; 0 or missing is not relevant.
using Judgements = std::map<std::string, int>;

/// Graded, gain = grade, discount log2(rank + 1), ideal over all judgements (as trec_eval's
/// ndcg_cut). 0 if nothing is relevant.
double NdcgAt(std::span<const std::string> ranking, const Judgements& judgements,
              std::size_t depth);

/// Share of the relevant documents among the first `depth`. 0 if nothing is relevant.
double RecallAt(std::span<const std::string> ranking, const Judgements& judgements,
                std::size_t depth);

/// 1 / rank of the first relevant document of the whole ranking, 0 without one.
double ReciprocalRank(std::span<const std::string> ranking, const Judgements& judgements);

double Mean(std::span<const double> values) noexcept;

/// The smallest value that `share` (0 to 1) of the values do not exceed; 0 without values.
double Percentile(std::span<const double> values, double share);

/// Pairs that differ, up to which all sign patterns are counted.
inline constexpr std::size_t kMaxExactPairs = 18;

inline constexpr std::uint32_t kSignFlipRounds = 100'000;

/// Two-sided p of a paired sign-flip (permutation) test of the mean difference: the share of the
/// sign patterns whose sum is at least as far from 0 as the one observed. Up to kMaxExactPairs
/// pairs that differ it counts all 2^n patterns and is exact; beyond, it draws `rounds` patterns
/// and gives (1 + extreme) / (1 + rounds), which is exact as a test (Phipson and Smyth 2010) and
/// has a standard error below .0016; std::mt19937_64 gives the same value everywhere for a seed. 1
/// when no pair differs. Sizes must agree (kInvalidArgument).
double SignFlipPValue(std::span<const double> a, std::span<const double> b,
                      std::uint32_t rounds = kSignFlipRounds, std::uint64_t seed = 20260101);

}  // namespace sworn::retriever
