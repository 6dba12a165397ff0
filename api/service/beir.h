// Reader of a retrieval collection in BEIR's layout (Thakur et al., 2021): corpus.jsonl,
// queries.jsonl and qrels/test.tsv below one folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sworn::service {

inline constexpr std::uint64_t kMaxBeirFileBytes = std::uint64_t{4} << 30;
inline constexpr std::size_t kMaxBeirLineBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxBeirRecords = 20'000'000;

struct BeirDocument {
  std::string id;
  std::string title;
  std::string text;
};

struct BeirQuery {
  std::string id;
  std::string text;
  std::map<std::string, int> judgements;  // document id to grade; at least one grade above 0
};

struct BeirCollection {
  std::string name;  // of the folder
  std::vector<BeirDocument> documents;
  std::vector<BeirQuery> queries;  // those with a relevant document, in the order of the file
};

/// Strict: a missing file is kNotFound; an empty one, a line that is no record, a doubled id, bad
/// UTF-8 or a judgement for an unknown query is kInvalidArgument and names file and line; bounds
/// are kTooLarge. A judgement of a document that the corpus lacks stays (it cannot be found).
BeirCollection ReadBeir(const std::filesystem::path& folder);

}  // namespace sworn::service
