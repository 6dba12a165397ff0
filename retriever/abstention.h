// How much support a question needs to be answered, and how those thresholds are chosen.
#pragma once

#include <span>

namespace sworn::retriever {

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

/// What an answer stands on, and what the thresholds are compared with.
struct Support {
  double sentence_share = 0;  // best sentence
  double passage_share = 0;   // best passage
  double covered_share = 0;   // all chosen sentences with their passages
  double margin = 0;          // best score over the mean of the other sentences' (1: no spread)
};

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
