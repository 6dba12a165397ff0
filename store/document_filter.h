// Which documents a DocumentFilter lets through.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/glob.h"
#include "store/records.h"

namespace sworn::store {

/// What one live document offers to a filter.
struct Candidate {
  std::string path;
  std::string media_type;
  std::int64_t date_ms = 0;
  std::map<std::string, std::string> user_meta;
  std::map<std::string, std::string> metadata;
};

/// The filter outlives it.
class FilterMatcher {
 public:
  explicit FilterMatcher(const DocumentFilter& filter);

  [[nodiscard]] bool Matches(const Candidate& document) const;

 private:
  [[nodiscard]] bool MatchesType(const Candidate& document) const;
  [[nodiscard]] bool MatchesWhere(const Candidate& document) const;
  [[nodiscard]] bool MatchesPath(const Candidate& document) const;

  const DocumentFilter& filter_;
  std::vector<Glob> globs_;
};

}  // namespace sworn::store
