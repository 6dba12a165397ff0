// A checked question to the read path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "store/records.h"

namespace sworn::retriever {

inline constexpr std::size_t kMaxQuestionBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxTopK = 1000;

enum class Mode { kHybrid, kKeyword, kVector };

/// "hybrid", "keyword" or "vector".
std::string_view ModeName(Mode mode) noexcept;

/// Throws kInvalidArgument for any other name.
Mode ParseMode(std::string_view name);

struct Query {
  std::string text;
  std::size_t top_k = 10;
  Mode mode = Mode::kHybrid;
  store::DocumentFilter filter;
  std::vector<std::string> collections;  // for the caller who opens the snapshot; empty: all
};

/// Throws kTooLarge for more than kMaxQuestionBytes, kInvalidArgument for an empty or blank
/// question, for bytes that are no UTF-8, for top_k outside 1 to kMaxTopK and for since >= until.
void CheckQuery(const Query& query);

}  // namespace sworn::retriever
