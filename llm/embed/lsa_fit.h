// The fitting of an LSA space: weighted rows, then a randomised truncated SVD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/term_rows.h"
#include "llm/embed/lsa_state.h"

namespace sworn::llm {

/// Dimension of the space of so many passages: a quarter of them below 100, then an eighth, from 16
/// to kMaxLsaDimension.
std::size_t LsaDimension(std::size_t passages) noexcept;

/// Terms of one passage only are left out, as are the rarest beyond kMaxLsaTerms. Nothing if no
/// term is left, or no passage has one of weight. The same bits for any number of threads on one
/// machine. OpenBLAS is set to one thread.
std::optional<LsaState> FitLsa(const TermRows& rows, std::uint64_t seed, std::size_t threads);

}  // namespace sworn::llm
