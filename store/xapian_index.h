// Keyword indexes: Xapian behind our own types. Xapian's exceptions become sworn::Error here.
//
// A posting index is a folder with one Xapian database whose docids are ours (chunk or content
// ids). It is written once and then only read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/text/analyzer.h"
#include "core/text/keyword_query.h"
#include "store/snapshot.h"

namespace sworn::store {

/// More words than this in one question are refused; it also keeps BM25 sums below a tier.
inline constexpr std::size_t kMaxQueryTerms = 1024;

/// Writes one index. One thread at a time.
class PostingWriter {
 public:
  /// The database will stand in `folder`, which must not exist.
  explicit PostingWriter(const std::filesystem::path& folder);
  ~PostingWriter();
  PostingWriter(const PostingWriter&) = delete;
  PostingWriter& operator=(const PostingWriter&) = delete;

  /// Ids above 0 and ascending.
  void Add(std::uint32_t id, std::span<const text::Posting> postings);

  /// The files are complete but not yet fsynced.
  void Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Joins finished parts, whose id ranges ascend in the order given, to one index in `target` and
/// deletes them. At most kMaxJoined are open at once.
inline constexpr std::size_t kMaxJoined = 32;
void JoinPostings(std::vector<std::filesystem::path> parts, const std::filesystem::path& target);

/// Joins indexes with disjoint ascending id ranges into the new folder `target`, without the ids
/// that `dead` names.
void MergePostings(std::span<const std::filesystem::path> sources,
                   const std::filesystem::path& target, std::span<const std::uint32_t> dead);

/// Ids present in one index, ascending.
std::vector<std::uint32_t> PostingIds(const std::filesystem::path& folder);

struct PostingHit {
  std::uint32_t id = 0;
  std::uint32_t tier = 0;
  double score = 0;
};

/// Several indexes searched as one, with statistics over all of them. One thread at a time.
class PostingReader {
 public:
  explicit PostingReader(std::span<const std::filesystem::path> folders);
  ~PostingReader();
  PostingReader(const PostingReader&) = delete;
  PostingReader& operator=(const PostingReader&) = delete;

  /// Best `limit` ids that `accept` lets through, by tier, score and ascending id. With
  /// `with_tiers`, each identifier and phrase found raises the tier by one; without, they only
  /// score as words.
  [[nodiscard]] std::vector<PostingHit> Search(
      const text::KeywordQuery& query, const Bm25& bm25, std::size_t limit, bool with_tiers,
      const std::function<bool(std::uint32_t)>& accept) const;

  [[nodiscard]] TermStatistics Statistics(std::string_view term) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::store
