// An answer without a model: the best sentences of the best passages, verbatim, or a reason why
// there is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/analyzer.h"
#include "core/types.h"
#include "retriever/context.h"
#include "retriever/sentence_scorer.h"
#include "store/snapshot.h"

namespace sworn::retriever {

inline constexpr std::string_view kExtractiveModelId = "extractive/1";

/// Where an answer ends and an abstention begins; all shares are of the question's IDF mass.
/// Chosen on the half of data/eval/questions.jsonl whose split is "fit" (`sworn eval answers FILE
/// --split fit`) and reported on the other half. The optimum of balanced accuracy there
/// (FitThresholds: 0 and .46) refuses more of the unanswerable but loses right answers, which is no
/// trade we want; docs/retrieval.md has both halves.
struct AbstentionThresholds {
  double min_passage_share = 0.65;  // best passage: below, nothing here is about the question
  double min_sentence_share = 0.2;  // best sentence: below, no sentence answers it
  double full_share = 0.75;         // chosen sentences with their passages: below, partial
};

struct ExtractiveOptions {
  std::size_t max_sentences = 4;
  AbstentionThresholds thresholds;
};

enum class AnswerStatus { kAnswered, kPartial, kAbstained };

/// "answered", "partial" or "abstained".
std::string_view AnswerStatusName(AnswerStatus status) noexcept;

/// A sentence as it stands in the stored text.
struct Quotation {
  std::uint32_t passage_number = 0;  // Passage::number
  ByteRange range;                   // into the stored text of the passage's document version
  std::string text;                  // those bytes
  ChunkId chunk_id = 0;              // the passage's chunk that holds its first byte
  Location location;                 // of the sentence, narrower than the chunk's
  double score = 0;
};

/// What an answer stands on, and what the thresholds are compared with.
struct Support {
  double sentence_share = 0;  // best sentence
  double passage_share = 0;   // best passage
  double covered_share = 0;   // all chosen sentences with their passages
  double margin = 0;          // best score over the mean of the other sentences' (1: no spread)
};

struct ExtractiveAnswer {
  AnswerStatus status = AnswerStatus::kAbstained;
  std::string reason;                    // for kPartial and kAbstained; names question words only
  std::vector<Quotation> sentences;      // best first, at most max_sentences; empty if abstained
  std::vector<std::string> unsupported;  // words of the question that no chosen passage has
  bool contradiction = false;            // sources that differ in a number are both quoted
  Support support;
};

/// Deterministic; reads statistics from the snapshot only. `languages` as for ModelQuestion.
ExtractiveAnswer AnswerFromPassages(std::string_view question, const Context& context,
                                    std::span<const std::string> languages,
                                    const store::Snapshot& snapshot, text::Analyzer& analyzer,
                                    const ExtractiveOptions& options = {});

/// One question of the fitting half: what was measured and whether the passages answer it.
struct CalibrationCase {
  Support support;
  bool answerable = false;
};

/// The thresholds that maximise balanced accuracy (mean of the rates of answered answerables and of
/// abstained unanswerables); ties go to the lower thresholds. Keeps `start.full_share`.
AbstentionThresholds FitThresholds(std::span<const CalibrationCase> cases,
                                   const AbstentionThresholds& start = {});

}  // namespace sworn::retriever
