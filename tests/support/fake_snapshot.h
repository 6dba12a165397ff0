// A Snapshot in memory: a plain BM25 over the analyzer's postings, the model that the read path is
// tested against.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/embedder.h"
#include "core/error.h"
#include "core/term_rows.h"
#include "core/text/analyzer.h"
#include "store/snapshot.h"

namespace sworn::test {

class FakeSnapshot : public store::Snapshot {
 public:
  /// One collection "c", its vectors from `embedder` (may be null: no vectors).
  explicit FakeSnapshot(const Embedder* embedder = nullptr) : embedder_(embedder) {
    store::CollectionInfo info;
    info.name = "c";
    info.generation = 1;
    if (embedder != nullptr) info.embedder_id = embedder->identity().Digest();
    info.embedder_name = embedder != nullptr ? embedder->identity().name : "";
    collections_.push_back(info);
  }

  /// A document whose stored text is `chunks` joined by a blank line. Returns its content id.
  ContentId Add(const std::string& title, const std::vector<std::string>& chunks,
                const std::string& language = "en") {
    const auto content_id = static_cast<ContentId>(texts_.size() + 1);
    store::StoredChunk chunk;
    chunk.content_id = content_id;
    chunk.collection = "c";
    chunk.document_id = "d_" + std::to_string(content_id);
    chunk.version = 1;
    chunk.path = "/docs/" + std::to_string(content_id) + ".txt";
    chunk.title = title;
    chunk.language = language;
    std::string text;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) text += "\n\n";
      chunk.chunk_id = static_cast<ChunkId>(chunks_.size() + 1);
      chunk.ordinal = static_cast<std::uint32_t>(i);
      chunk.range = {text.size(), text.size() + chunks[i].size()};
      chunk.text = chunks[i];
      text += chunks[i];
      chunks_.push_back(chunk);
      const auto postings = analyzer_.AnalyzePassage({title, "", chunk.text, language});
      AddTo(chunk_index_, postings);
      AddRow(postings);
    }
    AddTo(content_index_, analyzer_.AnalyzeDocument({title, "", text, language}));
    texts_.push_back(text);
    collections_[0].chunks += chunks.size();
    auto& languages = collections_[0].languages;
    if (std::find(languages.begin(), languages.end(), language) == languages.end()) {
      languages.push_back(language);
    }
    ++collections_[0].documents;
    return content_id;
  }

  /// From now on the collection's vectors are those that `embedder`, which outlives this, makes of
  /// its rows.
  void UseFitted(const TermEmbedder& embedder) {
    fitted_ = &embedder;
    collections_[0].vectors = store::VectorsKind::kFitted;
    collections_[0].embedder_id = embedder.identity().Digest();
    collections_[0].embedder_name = embedder.identity().name;
  }

  /// Rows of all chunks, by chunk id.
  [[nodiscard]] const TermRows& rows() const { return rows_; }

  store::CollectionInfo& collection() { return collections_[0]; }
  store::StoredChunk& chunk(ChunkId id) { return chunks_.at(id - 1); }

  [[nodiscard]] const std::vector<store::CollectionInfo>& collections() const override {
    return collections_;
  }

  [[nodiscard]] std::unique_ptr<const store::ContentSet> Resolve(
      const store::DocumentFilter& filter) const override {
    if (filter.empty()) return nullptr;
    std::vector<bool> members(texts_.size() + 1);
    for (const auto& chunk : chunks_) {
      for (const std::string& path : filter.path_globs) {
        if (chunk.path == path) members[chunk.content_id] = true;
      }
    }
    return std::make_unique<store::ContentSet>(std::move(members));
  }

  [[nodiscard]] std::vector<store::KeywordHit> SearchChunks(
      const text::KeywordQuery& query, const store::Bm25& bm25, std::size_t limit,
      const store::ContentSet* only) const override {
    std::vector<store::KeywordHit> hits;
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      if (only != nullptr && !only->Contains(chunks_[i].content_id)) continue;
      store::KeywordHit hit{static_cast<ChunkId>(i + 1), 0, 0};
      hit.score = Score(chunk_index_, i, query, bm25);
      for (const std::string& identifier : query.identifiers) {
        if (Wdf(chunk_index_, i, identifier) > 0) ++hit.tier;
      }
      for (const text::Phrase& phrase : query.phrases) {
        if (HasPhrase(i, phrase)) ++hit.tier;
      }
      if (hit.score > 0 || hit.tier > 0) hits.push_back(hit);
    }
    std::sort(hits.begin(), hits.end(), [](const auto& a, const auto& b) {
      if (a.tier != b.tier) return a.tier > b.tier;
      if (a.score != b.score) return a.score > b.score;
      return a.chunk_id < b.chunk_id;
    });
    hits.resize(std::min(hits.size(), limit));
    return hits;
  }

  [[nodiscard]] std::vector<ScoredContent> SearchContents(
      const text::KeywordQuery& query, const store::Bm25& bm25, std::size_t limit,
      const store::ContentSet* only) const override {
    std::vector<ScoredContent> hits;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const auto id = static_cast<ContentId>(i + 1);
      if (only != nullptr && !only->Contains(id)) continue;
      const double score = Score(content_index_, i, query, bm25);
      if (score > 0) hits.push_back({id, score});
    }
    std::stable_sort(hits.begin(), hits.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    hits.resize(std::min(hits.size(), limit));
    return hits;
  }

  [[nodiscard]] std::vector<ScoredChunk> SearchVectors(
      std::string_view embedder_id, std::span<const float> query, std::size_t limit,
      const store::ContentSet* only) const override {
    std::vector<ScoredChunk> hits;
    if (embedder_ == nullptr || embedder_id != collections_[0].embedder_id) return hits;
    for (const auto& chunk : chunks_) {
      if (only != nullptr && !only->Contains(chunk.content_id)) continue;
      const std::string_view text = chunk.text;
      const std::vector<float> vector = embedder_->EmbedPassages({&text, 1});
      double sum = 0;
      for (std::size_t i = 0; i < vector.size(); ++i) sum += vector[i] * query[i];
      hits.push_back({chunk.chunk_id, sum});
    }
    std::stable_sort(hits.begin(), hits.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    hits.resize(std::min(hits.size(), limit));
    return hits;
  }

  [[nodiscard]] std::vector<ScoredChunk> SearchFitted(
      const TermRows& query, std::span<const ChunkId> feedback, std::size_t limit,
      const store::ContentSet* only) const override {
    if (fitted_ == nullptr) return {};
    std::vector<float> target = fitted_->Embed(query);
    if (std::all_of(target.begin(), target.end(), [](float x) { return x == 0; })) return {};
    const std::vector<float> vectors = fitted_->Embed(rows_);
    const std::size_t dimension = target.size();
    for (const ChunkId id : feedback) {
      for (std::size_t i = 0; i < dimension; ++i) {
        target[i] += vectors[(id - 1) * dimension + i] / (2 * static_cast<float>(feedback.size()));
      }
    }
    double norm = 0;
    for (const float x : target) norm += static_cast<double>(x) * x;
    std::vector<ScoredChunk> hits;
    for (const auto& chunk : chunks_) {
      if (only != nullptr && !only->Contains(chunk.content_id)) continue;
      double sum = 0;
      for (std::size_t i = 0; i < dimension; ++i) {
        sum += static_cast<double>(vectors[(chunk.chunk_id - 1) * dimension + i]) * target[i];
      }
      hits.push_back({chunk.chunk_id, sum / std::sqrt(norm)});
    }
    std::stable_sort(hits.begin(), hits.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    hits.resize(std::min(hits.size(), limit));
    return hits;
  }

  [[nodiscard]] TermRows LoadTermRows(std::span<const ChunkId> chunk_ids) const override {
    TermRows rows;
    for (const ChunkId id : chunk_ids) {
      if (ContentOf(id) == 0) throw Error(ErrorCode::kNotFound, "no such chunk");
      const auto row = rows_[id - 1];
      rows.Add({row.begin(), row.end()});
    }
    return rows;
  }

  [[nodiscard]] std::vector<double> TermWeights(std::span<const TermKey> terms) const override {
    std::vector<double> weights;
    for (const TermKey term : terms) {
      const auto spread = spreads_.find(term);
      weights.push_back(spread == spreads_.end() ? 0 : spread->second.EntropyWeight(rows_.size()));
    }
    return weights;
  }

  [[nodiscard]] store::TermStatistics Statistics(std::string_view term) const override {
    return {chunks_.size(), Frequency(chunk_index_, std::string(term))};
  }

  [[nodiscard]] ContentId ContentOf(ChunkId chunk_id) const override {
    return chunk_id == 0 || chunk_id > chunks_.size() ? 0 : chunks_[chunk_id - 1].content_id;
  }

  [[nodiscard]] std::vector<store::StoredChunk> LoadChunks(
      std::span<const ChunkId> chunk_ids) const override {
    std::vector<store::StoredChunk> result;
    for (const ChunkId id : chunk_ids) {
      if (ContentOf(id) == 0) throw Error(ErrorCode::kNotFound, "no such chunk");
      result.push_back(chunks_[id - 1]);
    }
    return result;
  }

  [[nodiscard]] std::vector<ChunkId> ChunksOf(ContentId content_id) const override {
    std::vector<ChunkId> result;
    for (const auto& chunk : chunks_) {
      if (chunk.content_id == content_id) result.push_back(chunk.chunk_id);
    }
    return result;
  }

  [[nodiscard]] std::optional<std::string> LoadText(const std::string& document_id,
                                                    std::uint32_t /*version*/) const override {
    for (const auto& chunk : chunks_) {
      if (chunk.document_id == document_id) return texts_[chunk.content_id - 1];
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<store::UnreadableFile> Unreadable() const override { return {}; }

 private:
  struct Index {
    std::vector<std::map<std::string, std::uint32_t>> passages;  // term to wdf
    std::vector<double> lengths;
    double total_length = 0;
  };

  static void AddTo(Index& index, const std::vector<text::Posting>& postings) {
    auto& terms = index.passages.emplace_back();
    double length = 0;
    for (const auto& posting : postings) {
      terms[posting.term] = posting.wdf;
      length += posting.wdf;
    }
    index.lengths.push_back(length);
    index.total_length += length;
  }

  void AddRow(const std::vector<text::Posting>& postings) {
    std::vector<TermCount> row;
    for (const auto& posting : postings) row.push_back({TermKeyOf(posting.term), posting.wdf});
    rows_.Add(row);
    for (const TermCount& entry : rows_[rows_.size() - 1]) spreads_[entry.term].Add(entry.count);
  }

  static std::uint32_t Wdf(const Index& index, std::size_t passage, const std::string& term) {
    const auto found = index.passages[passage].find(term);
    return found == index.passages[passage].end() ? 0 : found->second;
  }

  static std::uint64_t Frequency(const Index& index, const std::string& term) {
    std::uint64_t count = 0;
    for (const auto& terms : index.passages) count += terms.count(term);
    return count;
  }

  static double Score(const Index& index, std::size_t passage, const text::KeywordQuery& query,
                      const store::Bm25& bm25) {
    const double total = static_cast<double>(index.passages.size());
    const double length = index.lengths[passage] / (index.total_length / total);
    const auto score_of = [&](const text::TermAlternatives& word) {
      double best = 0;
      for (const std::string& term : word.terms) {
        const double wdf = Wdf(index, passage, term);
        if (wdf == 0) continue;
        const double with = static_cast<double>(Frequency(index, term));
        const double idf = std::log1p((total - with + 0.5) / (with + 0.5));
        best = std::max(
            best, idf * wdf * (bm25.k1 + 1) / (wdf + bm25.k1 * (1 - bm25.b + bm25.b * length)));
      }
      return best * word.weight * (bm25.k3 + 1) / (word.weight + bm25.k3);
    };
    double score = 0;
    for (const auto& word : query.words) score += score_of(word);
    for (const auto& identifier : query.identifiers) score += score_of({{identifier}, 1});
    for (const auto& phrase : query.phrases) {
      for (const auto& word : phrase.words) score += score_of(word);
    }
    return score;
  }

  // Stemmed words in order within the phrase's window, as the index sees it: the exact check is not
  // its business.
  bool HasPhrase(std::size_t chunk, const text::Phrase& phrase) const {
    const auto tokens = analyzer_.Tokenize(chunks_[chunk].text, chunks_[chunk].language);
    const auto is = [](const text::TermAlternatives& word, const std::string& term) {
      return std::find(word.terms.begin(), word.terms.end(), term) != word.terms.end();
    };
    for (std::size_t begin = 0; begin < tokens.size(); ++begin) {
      const std::size_t end = std::min<std::size_t>(tokens.size(), begin + phrase.window);
      std::size_t matched = 0;
      for (std::size_t i = begin; i < end && matched < phrase.words.size(); ++i) {
        if (is(phrase.words[matched], tokens[i].term)) ++matched;
      }
      if (matched == phrase.words.size()) return true;
    }
    return false;
  }

  const Embedder* embedder_;
  const TermEmbedder* fitted_ = nullptr;
  TermRows rows_;
  std::map<TermKey, TermSpread> spreads_;
  mutable text::Analyzer analyzer_;
  std::vector<store::CollectionInfo> collections_;
  std::vector<store::StoredChunk> chunks_;
  std::vector<std::string> texts_;
  Index chunk_index_;
  Index content_index_;
};

}  // namespace sworn::test
