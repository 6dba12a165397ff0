#include "store/document_filter.h"

#include <algorithm>

namespace sworn::store {
namespace {

std::string ExtensionOf(const std::string& path) {
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] != '.') return {};
  std::string extension = path.substr(dot + 1);
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return extension;
}

}  // namespace

FilterMatcher::FilterMatcher(const DocumentFilter& filter) : filter_(filter) {
  for (const std::string& glob : filter.path_globs) globs_.emplace_back(glob);
}

bool FilterMatcher::Matches(const Candidate& document) const {
  if (filter_.since_ms && document.date_ms < *filter_.since_ms) return false;
  if (filter_.until_ms && document.date_ms >= *filter_.until_ms) return false;
  return MatchesType(document) && MatchesWhere(document) && MatchesPath(document);
}

bool FilterMatcher::MatchesType(const Candidate& document) const {
  if (filter_.media_types.empty()) return true;
  return std::any_of(
      filter_.media_types.begin(), filter_.media_types.end(), [&](const std::string& wanted) {
        return wanted.find('/') != std::string::npos ? wanted == document.media_type
                                                     : wanted == ExtensionOf(document.path);
      });
}

bool FilterMatcher::MatchesWhere(const Candidate& document) const {
  return std::all_of(filter_.where.begin(), filter_.where.end(), [&](const auto& pair) {
    const auto user = document.user_meta.find(pair.first);
    if (user != document.user_meta.end()) return user->second == pair.second;
    const auto own = document.metadata.find(pair.first);
    return own != document.metadata.end() && own->second == pair.second;
  });
}

bool FilterMatcher::MatchesPath(const Candidate& document) const {
  return globs_.empty() || std::any_of(globs_.begin(), globs_.end(), [&](const Glob& glob) {
           return glob.MatchesPathOrTail(document.path);
         });
}

}  // namespace sworn::store
