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

inline constexpr std::uint32_t kSignFlipRounds = 10000;

/// Two-sided p of a paired sign-flip test of the mean difference, (1 + extreme) / (1 + rounds),
/// with a generator seeded by `seed`. 1 when no pair differs. Sizes must agree (kInvalidArgument).
double SignFlipPValue(std::span<const double> a, std::span<const double> b,
                      std::uint32_t rounds = kSignFlipRounds, std::uint64_t seed = 20260101);

}  // namespace sworn::retriever
