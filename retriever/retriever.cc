#include "retriever/retriever.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "retriever/folded_text.h"

namespace sworn::retriever {
namespace {

std::unique_ptr<const store::ContentSet> SetOf(const std::vector<ContentId>& contents) {
  std::vector<bool> members;
  for (const ContentId id : contents) {
    if (id >= members.size()) members.resize(id + 1);
    members[id] = true;
  }
  return std::make_unique<store::ContentSet>(std::move(members));
}

double BestScore(const std::vector<store::KeywordHit>& hits) {
  double best = 0;
  for (const auto& hit : hits) best = std::max(best, hit.score);
  return best;
}

/// The keyword leg of one question.
class KeywordLeg {
 public:
  KeywordLeg(const store::Snapshot& snapshot, const Parameters& parameters,
             const text::KeywordQuery& query, std::size_t limit, const store::ContentSet* only)
      : snapshot_(snapshot), parameters_(parameters), query_(query), limit_(limit), only_(only) {}

  /// Chunks with (1 - share) * chunk / best chunk + share * document / best document.
  std::vector<LegCandidate> Run() {
    std::vector<store::KeywordHit> hits =
        snapshot_.SearchChunks(query_, parameters_.chunk_bm25, limit_, only_);
    const double best_chunk = BestScore(hits);
    const std::vector<ScoredContent> documents =
        snapshot_.SearchContents(query_, parameters_.document_bm25, limit_, only_);
    double best_document = 0;
    std::unordered_map<ContentId, double> document_scores;
    for (const ScoredContent& document : documents) {
      best_document = std::max(best_document, document.score);
      document_scores[document.content_id] = document.score;
    }
    AddBestChunks(documents, hits);
    std::vector<LegCandidate> candidates;
    candidates.reserve(hits.size());
    for (const store::KeywordHit& hit : hits) {
      const auto document = document_scores.find(snapshot_.ContentOf(hit.chunk_id));
      const double whole = document == document_scores.end() || best_document <= 0
                               ? 0
                               : document->second / best_document;
      const double part = best_chunk <= 0 ? 0 : hit.score / best_chunk;
      const double share = parameters_.document_share;
      candidates.push_back({hit.chunk_id, (1 - share) * part + share * whole, hit.tier});
    }
    return candidates;
  }

 private:
  /// Documents that no chunk found so far belongs to come in with their best chunk.
  void AddBestChunks(const std::vector<ScoredContent>& documents,
                     std::vector<store::KeywordHit>& hits) const {
    std::unordered_set<ContentId> present;
    for (const store::KeywordHit& hit : hits) present.insert(snapshot_.ContentOf(hit.chunk_id));
    std::vector<ContentId> missing;
    for (const ScoredContent& document : documents) {
      if (present.insert(document.content_id).second) missing.push_back(document.content_id);
    }
    if (missing.empty()) return;
    std::unordered_set<ContentId> open(missing.begin(), missing.end());
    const auto only_missing = SetOf(missing);
    for (const store::KeywordHit& hit : snapshot_.SearchChunks(
             query_, parameters_.chunk_bm25, limit_ + missing.size(), only_missing.get())) {
      if (open.erase(snapshot_.ContentOf(hit.chunk_id)) > 0) hits.push_back(hit);
    }
    for (const ContentId content : missing) {
      if (!open.contains(content)) continue;
      const std::vector<ChunkId> chunks = snapshot_.ChunksOf(content);
      if (!chunks.empty()) hits.push_back({chunks.front(), 0, 0});
    }
  }

  const store::Snapshot& snapshot_;
  const Parameters& parameters_;
  const text::KeywordQuery& query_;
  std::size_t limit_;
  const store::ContentSet* only_;
};

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
}

/// Whether `text` has `phrase` with no word going on at either end; both in comparison form.
bool HasWords(const std::string& text, const std::string& phrase) {
  for (std::size_t at = text.find(phrase); at != std::string::npos;
       at = text.find(phrase, at + 1)) {
    const std::size_t end = at + phrase.size();
    const bool begins = at == 0 || !IsWordByte(text[at - 1]) || !IsWordByte(phrase.front());
    const bool ends = end == text.size() || !IsWordByte(text[end]) || !IsWordByte(phrase.back());
    if (begins && ends) return true;
  }
  return false;
}

/// The index matches stemmed words side by side; a quotation means these very words. Recounts the
/// tier of candidates that have one.
void VerifyPhrases(const store::Snapshot& snapshot, const text::KeywordQuery& query,
                   text::Analyzer& analyzer, std::vector<LegCandidate>& candidates) {
  std::vector<std::string> wanted;
  for (const text::Phrase& phrase : query.phrases) wanted.push_back(ComparisonForm(phrase.folded));
  for (LegCandidate& candidate : candidates) {
    if (candidate.tier == 0) continue;
    const store::StoredChunk chunk = snapshot.LoadChunks({&candidate.chunk_id, 1}).front();
    std::uint32_t tier = 0;
    if (!query.identifiers.empty()) {
      const auto postings =
          analyzer.AnalyzePassage({chunk.title, chunk.heading, chunk.text, chunk.language});
      for (const std::string& identifier : query.identifiers) {
        const auto at = std::lower_bound(postings.begin(), postings.end(), identifier,
                                         [](const text::Posting& posting, const std::string& term) {
                                           return posting.term < term;
                                         });
        if (at != postings.end() && at->term == identifier) ++tier;
      }
    }
    const std::string fields[] = {ComparisonForm(chunk.text), ComparisonForm(chunk.title),
                                  ComparisonForm(chunk.heading)};
    for (const std::string& phrase : wanted) {
      const bool found =
          std::any_of(std::begin(fields), std::end(fields),
                      [&phrase](const std::string& field) { return HasWords(field, phrase); });
      if (found) ++tier;
    }
    candidate.tier = tier;
  }
}

/// Which collections the embedder can search, and a reason for those it cannot.
LegReport VectorReach(const store::Snapshot& snapshot, const Embedder* embedder) {
  LegReport report;
  if (embedder == nullptr) {
    report.reason = "no embedder is configured";
    return report;
  }
  const std::string id = embedder->identity().Digest();
  for (const store::CollectionInfo& collection : snapshot.collections()) {
    if (collection.embedder_id.empty()) continue;  // nothing indexed yet
    if (collection.embedder_id == id) {
      report.ran = true;
      continue;
    }
    if (!report.reason.empty()) report.reason += "; ";
    report.reason += "collection '" + collection.name + "' was indexed with another embedder ('" +
                     collection.embedder_name + "'): index it again";
  }
  if (!report.ran && report.reason.empty()) report.reason = "nothing is indexed";
  return report;
}

LegReport NotAsked(Mode mode) {
  LegReport report;
  report.reason = "mode is " + std::string(ModeName(mode));
  return report;
}

}  // namespace

std::vector<std::string> QuestionLanguages(const store::Snapshot& snapshot) {
  std::vector<std::string> languages;
  for (const store::CollectionInfo& collection : snapshot.collections()) {
    for (const std::string& language : collection.languages) {
      if (std::find(languages.begin(), languages.end(), language) == languages.end()) {
        languages.push_back(language);
      }
    }
  }
  return languages;
}

Retriever::Retriever(const store::Snapshot& snapshot, const Embedder* embedder,
                     Parameters parameters)
    : snapshot_(snapshot),
      embedder_(embedder),
      parameters_(parameters),
      languages_(QuestionLanguages(snapshot)) {}

std::vector<LegCandidate> Retriever::RunKeyword(const Query& query, std::size_t limit,
                                                const store::ContentSet* only, LegReport& report) {
  if (query.mode == Mode::kVector) {
    report = NotAsked(query.mode);
    return {};
  }
  report.ran = true;
  const text::KeywordQuery analyzed = analyzer_.AnalyzeQuestion(query.text, languages_);
  if (analyzed.empty()) {
    report.reason = "the question has no word to search for";
    return {};
  }
  std::vector<LegCandidate> candidates =
      KeywordLeg(snapshot_, parameters_, analyzed, limit, only).Run();
  if (!analyzed.phrases.empty()) VerifyPhrases(snapshot_, analyzed, analyzer_, candidates);
  report.candidates = candidates.size();
  return candidates;
}

std::vector<LegCandidate> Retriever::RunVector(const Query& query, std::size_t limit,
                                               const store::ContentSet* only,
                                               LegReport& report) const {
  if (query.mode == Mode::kKeyword) {
    report = NotAsked(query.mode);
    return {};
  }
  report = VectorReach(snapshot_, embedder_);
  if (!report.ran) return {};
  const std::vector<float> vector = embedder_->EmbedQuery(query.text);
  if (std::all_of(vector.begin(), vector.end(), [](float x) { return x == 0; })) {
    report.reason = "the embedder finds no feature in the question";
    return {};
  }
  std::vector<LegCandidate> candidates;
  for (const ScoredChunk& hit :
       snapshot_.SearchVectors(embedder_->identity().Digest(), vector, limit, only)) {
    candidates.push_back({hit.chunk_id, hit.score, 0});
  }
  report.candidates = candidates.size();
  return candidates;
}

Ranking Retriever::Rank(const Query& query) {
  CheckQuery(query);
  const auto only = snapshot_.Resolve(query.filter);
  const std::size_t limit = std::max(parameters_.min_candidates, 2 * query.top_k);
  Ranking ranking;
  const auto keyword = RunKeyword(query, limit, only.get(), ranking.keyword);
  const auto vector = RunVector(query, limit, only.get(), ranking.vector);
  // Alone, a leg has all the weight.
  const double share =
      ranking.vector.ran && embedder_ != nullptr
          ? (ranking.keyword.ran ? std::clamp(embedder_->identity().fusion_weight, 0.0, 1.0) : 1.0)
          : 0.0;
  const Leg legs[] = {{1 - share, keyword}, {share, vector}};
  for (const FusedChunk& fused : FuseConvex(legs)) {
    RankedChunk chunk;
    chunk.chunk_id = fused.chunk_id;
    chunk.content_id = snapshot_.ContentOf(fused.chunk_id);
    chunk.tier = fused.tier;
    chunk.score = fused.score;
    if (const LegPlace& place = fused.legs[0]; place.rank > 0) {
      chunk.keyword_rank = place.rank;
      chunk.keyword_score = place.score;
    }
    if (const LegPlace& place = fused.legs[1]; place.rank > 0) {
      chunk.vector_rank = place.rank;
      chunk.vector_score = place.score;
    }
    ranking.chunks.push_back(chunk);
  }
  return ranking;
}

SearchResult Retriever::Search(const Query& query) {
  Ranking ranking = Rank(query);
  SearchResult result;
  result.keyword = std::move(ranking.keyword);
  result.vector = std::move(ranking.vector);
  std::unordered_map<std::string, std::size_t> hit_by_text;
  std::size_t next = 0;
  while (result.hits.size() < query.top_k && next < ranking.chunks.size()) {
    const std::size_t count =
        std::min(query.top_k - result.hits.size(), ranking.chunks.size() - next);
    std::vector<ChunkId> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(ranking.chunks[next + i].chunk_id);
    std::vector<store::StoredChunk> chunks = snapshot_.LoadChunks(ids);
    for (std::size_t i = 0; i < count; ++i) {
      const auto [known, is_new] =
          hit_by_text.try_emplace(ComparisonForm(chunks[i].text), result.hits.size());
      if (!is_new) {
        result.hits[known->second].duplicates.push_back(std::move(chunks[i]));
        continue;
      }
      const auto rank = static_cast<std::uint32_t>(result.hits.size() + 1);
      result.hits.push_back({rank, ranking.chunks[next + i], std::move(chunks[i]), {}});
    }
    next += count;
  }
  return result;
}

}  // namespace sworn::retriever
