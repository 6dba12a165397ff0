#include "retriever/retriever.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "retriever/folded_text.h"
#include "retriever/keyword_leg.h"
#include "retriever/local_lsa.h"
#include "retriever/question_row.h"
#include "retriever/vector_reach.h"

namespace sworn::retriever {
namespace {

// Ranks whose keyword scores say how far words alone single out the best passage.
constexpr std::size_t kContrastRanks = 10;

std::string NotAsked(Mode mode) { return "mode is " + std::string(ModeName(mode)); }

bool Better(const LegCandidate& a, const LegCandidate& b) {
  if (a.tier != b.tier) return a.tier > b.tier;
  if (a.score != b.score) return a.score > b.score;
  return a.chunk_id < b.chunk_id;
}

/// Share of their weight that the fitted and the local leg have for this question, 0 to 1. Only the
/// best passage of each document counts: its neighbours share the document's score.
double TrustInCompany(const store::Snapshot& snapshot, const std::vector<LegCandidate>& keyword,
                      const Parameters& parameters) {
  std::unordered_map<ContentId, double> best_of;
  for (const LegCandidate& candidate : keyword) {
    double& best = best_of[snapshot.ContentOf(candidate.chunk_id)];
    best = std::max(best, candidate.score);
  }
  std::vector<double> scores;
  scores.reserve(best_of.size());
  for (const auto& [content, score] : best_of) scores.push_back(score);
  const std::size_t count = std::min(kContrastRanks, scores.size());
  if (count < 2) return 1;
  const auto end = scores.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(scores.begin(), end, scores.end(), std::greater<>());
  if (scores.front() <= 0) return 1;
  double mean = 0;
  for (std::size_t i = 1; i < count; ++i) mean += scores[i];
  mean /= static_cast<double>(count - 1) * scores.front();
  return std::clamp((mean - parameters.sharp) / (parameters.diffuse - parameters.sharp), 0.0, 1.0);
}

/// The local leg of one question over the best hits of the keyword leg.
class LocalLeg {
 public:
  LocalLeg(const store::Snapshot& snapshot, std::vector<LegCandidate> keyword,
           const TermRows& question) {
    std::sort(keyword.begin(), keyword.end(), Better);
    if (keyword.size() > kMaxLocalHits) keyword.resize(kMaxLocalHits);
    for (const LegCandidate& candidate : keyword) {
      tiers_.push_back(candidate.tier);
      hits_.push_back(candidate.chunk_id);
    }
    if (hits_.size() >= kMinLocalHits) space_.emplace(snapshot, hits_, question);
  }

  [[nodiscard]] bool has_space() const { return space_.has_value(); }

  [[nodiscard]] std::vector<LegCandidate> Candidates(std::span<const ChunkId> feedback) const {
    std::vector<std::size_t> indices;
    for (const ChunkId id : feedback) {
      const auto at = std::find(hits_.begin(), hits_.end(), id);
      if (at != hits_.end()) indices.push_back(static_cast<std::size_t>(at - hits_.begin()));
    }
    const std::vector<double> scores = space_->Scores(indices);
    std::vector<LegCandidate> candidates;
    candidates.reserve(hits_.size());
    for (std::size_t i = 0; i < hits_.size(); ++i) {
      candidates.push_back({hits_[i], scores[i], tiers_[i]});
    }
    return candidates;
  }

 private:
  std::vector<ChunkId> hits_;
  std::vector<std::uint32_t> tiers_;
  std::optional<LocalSpace> space_;
};

void Append(std::string& reasons, const std::string& reason) {
  if (!reasons.empty()) reasons += "; ";
  reasons += reason;
}

}  // namespace

/// A question as every leg needs it.
struct Retriever::Question {
  const Query& query;
  text::KeywordQuery words;
  TermRows row;
  std::size_t limit;
  const store::ContentSet* only;
  VectorReach reach;
};

struct Retriever::Legs {
  std::vector<LegCandidate> keyword;
  std::vector<LegCandidate> text;    // vectors of the embedder
  std::vector<LegCandidate> fitted;  // vectors fitted to a collection
  std::vector<LegCandidate> local;
  double keyword_weight = 0;
  double text_weight = 0;
  double fitted_weight = 0;
  double local_weight = 0;
  LegReport keyword_report;
  LegReport vector_report;
  LegReport local_report;

  [[nodiscard]] std::vector<FusedChunk> Fuse() const {
    const Leg legs[] = {{keyword_weight, keyword},
                        {text_weight, text},
                        {fitted_weight, fitted},
                        {local_weight, local}};
    return FuseConvex(legs);
  }
};

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

void Retriever::RunKeyword(const Question& question, Legs& legs) {
  LegReport& report = legs.keyword_report;
  report.ran = true;
  if (question.words.empty()) {
    report.reason = "the question has no word to search for";
    return;
  }
  legs.keyword =
      KeywordLeg(snapshot_, parameters_, question.words, question.limit, question.only).Run();
  if (!question.words.phrases.empty()) {
    VerifyPhrases(snapshot_, question.words, analyzer_, legs.keyword);
  }
  report.candidates = legs.keyword.size();
}

void Retriever::RunTextVectors(const Question& question, Legs& legs) const {
  if (!question.reach.text) return;
  const std::vector<float> vector = embedder_->EmbedQuery(question.query.text);
  if (std::all_of(vector.begin(), vector.end(), [](float x) { return x == 0; })) {
    Append(legs.vector_report.reason, "the embedder finds no feature in the question");
    return;
  }
  for (const ScoredChunk& hit : snapshot_.SearchVectors(embedder_->identity().Digest(), vector,
                                                        question.limit, question.only)) {
    legs.text.push_back({hit.chunk_id, hit.score, 0});
  }
}

void Retriever::RunFitted(const Question& question, std::span<const ChunkId> feedback,
                          Legs& legs) const {
  if (!question.reach.fitted) return;
  for (const ScoredChunk& hit :
       snapshot_.SearchFitted(question.row, feedback, question.limit, question.only)) {
    legs.fitted.push_back({hit.chunk_id, hit.score, 0});
  }
  if (legs.fitted.empty()) {
    Append(legs.vector_report.reason, "the fitted vectors know no word of the question");
  }
}

void Retriever::RunHybrid(const Question& question, Legs& legs) {
  RunKeyword(question, legs);
  RunTextVectors(question, legs);
  const LocalLeg local(snapshot_, legs.keyword, question.row);
  legs.local_report.ran = local.has_space();
  if (!local.has_space()) {
    legs.local_report.reason =
        "fewer than " + std::to_string(kMinLocalHits) + " passages were found by words";
  }

  const double trust = TrustInCompany(snapshot_, legs.keyword, parameters_);
  const double text_share =
      question.reach.text ? std::clamp(embedder_->identity().fusion_weight, 0.0, 1.0) : 0;
  const double fitted_share = question.reach.fitted ? parameters_.fitted_weight : 0;
  const double rest = 1 - std::max(text_share, fitted_share);
  legs.text_weight = text_share;
  legs.fitted_weight = fitted_share * trust;
  legs.local_weight = local.has_space() ? rest * parameters_.local_share * trust : 0;
  legs.keyword_weight = local.has_space() ? rest * (1 - parameters_.local_share) : rest;

  // What stands first by words, text vectors and the local space moves the question.
  if (local.has_space()) legs.local = local.Candidates({});
  std::vector<ChunkId> feedback;
  for (const FusedChunk& chunk : legs.Fuse()) {
    if (feedback.size() == parameters_.feedback_passages) break;
    feedback.push_back(chunk.chunk_id);
  }
  RunFitted(question, feedback, legs);
  if (local.has_space()) legs.local = local.Candidates(feedback);
  legs.local_report.candidates = legs.local.size();
}

Ranking Retriever::Rank(const Query& query) {
  CheckQuery(query);
  const auto only = snapshot_.Resolve(query.filter);
  Question question{query,      analyzer_.AnalyzeQuestion(query.text, languages_),
                    {},         std::max(parameters_.min_candidates, 2 * query.top_k),
                    only.get(), ReachOf(snapshot_, embedder_)};
  question.row = QuestionRow(question.words);
  Legs legs;
  legs.vector_report.ran = question.reach.text || question.reach.fitted;
  legs.vector_report.reason = question.reach.reason;
  switch (query.mode) {
    case Mode::kHybrid:
      RunHybrid(question, legs);
      break;
    case Mode::kKeyword:
      RunKeyword(question, legs);
      legs.keyword_weight = 1;
      legs.vector_report = {false, 0, NotAsked(query.mode)};
      legs.local_report.reason = NotAsked(query.mode);
      break;
    case Mode::kVector:
      RunTextVectors(question, legs);
      RunFitted(question, {}, legs);
      legs.text_weight = question.reach.text ? 1 : 0;
      legs.fitted_weight = question.reach.fitted ? 1 : 0;
      legs.keyword_report.reason = NotAsked(query.mode);
      legs.local_report.reason = NotAsked(query.mode);
      break;
  }
  legs.vector_report.candidates = legs.text.size() + legs.fitted.size();

  Ranking ranking;
  for (const FusedChunk& fused : legs.Fuse()) {
    RankedChunk chunk;
    chunk.chunk_id = fused.chunk_id;
    chunk.content_id = snapshot_.ContentOf(fused.chunk_id);
    chunk.tier = fused.tier;
    chunk.score = fused.score;
    const auto show = [](const LegPlace& place, std::optional<std::uint32_t>& rank,
                         std::optional<double>& score) {
      if (place.rank == 0) return;
      rank = place.rank;
      score = place.score;
    };
    show(fused.legs[0], chunk.keyword_rank, chunk.keyword_score);
    show(fused.legs[1], chunk.vector_rank, chunk.vector_score);
    show(fused.legs[2], chunk.vector_rank, chunk.vector_score);
    show(fused.legs[3], chunk.local_rank, chunk.local_score);
    ranking.chunks.push_back(chunk);
  }
  ranking.keyword = std::move(legs.keyword_report);
  ranking.vector = std::move(legs.vector_report);
  ranking.local = std::move(legs.local_report);
  return ranking;
}

SearchResult Retriever::Search(const Query& query) {
  Ranking ranking = Rank(query);
  SearchResult result;
  result.keyword = std::move(ranking.keyword);
  result.vector = std::move(ranking.vector);
  result.local = std::move(ranking.local);
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
