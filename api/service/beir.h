// Retrieval collections in BEIR form: corpus.jsonl, queries.jsonl, qrels/test.tsv.
// Source: Thakur et al., "BEIR" (2021), and the layout of its published data sets.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "indexer/source.h"

namespace sworn::service {

struct BeirCollection {
  struct Document {
    std::string id;
    std::string title;
    std::string text;
  };
  struct Query {
    std::string id;
    std::string text;
    std::map<std::string, int> judgements;  // document id to grade
  };
  std::string name;
  std::vector<Document> documents;
  std::vector<Query> queries;  // those with a judgement, in the order of queries.jsonl
};

/// Throws kNotFound for a missing file and kInvalidArgument, naming file and line, for anything
/// that does not parse, and for a collection without documents, queries or judgements.
BeirCollection ReadBeir(const std::filesystem::path& folder);

/// Puts "NAME/" before every document id, so that collections can share an index.
void TagDocuments(BeirCollection& collection);

/// Offers the documents of collections as uploads under their BEIR ids, which must be distinct.
class BeirSource : public indexer::Source {
 public:
  explicit BeirSource(std::span<const BeirCollection> collections) : collections_(collections) {}

  indexer::SourceListing List() override;
  indexer::SourceBytes Read(const indexer::SourceItem& item, std::uint64_t max_bytes) override;

 private:
  std::span<const BeirCollection> collections_;
  std::map<std::string, const BeirCollection::Document*> by_id_;
};

}  // namespace sworn::service
