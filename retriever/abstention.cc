#include "retriever/abstention.h"

#include <iterator>
#include <set>
#include <vector>

namespace sworn::retriever {
namespace {

double BalancedAccuracy(std::span<const CalibrationCase> cases,
                        const AbstentionThresholds& thresholds) {
  double answerable = 0;
  double answered = 0;
  double unanswerable = 0;
  double abstained = 0;
  for (const CalibrationCase& one : cases) {
    const bool answers = one.support.passage_share >= thresholds.min_passage_share &&
                         one.support.sentence_share >= thresholds.min_sentence_share;
    (one.answerable ? answerable : unanswerable) += 1;
    if (one.answerable && answers) answered += 1;
    if (!one.answerable && !answers) abstained += 1;
  }
  const double hit_rate = answerable > 0 ? answered / answerable : 1;
  const double reject_rate = unanswerable > 0 ? abstained / unanswerable : 1;
  return (hit_rate + reject_rate) / 2;
}

}  // namespace

AbstentionThresholds FitThresholds(std::span<const CalibrationCase> cases,
                                   const AbstentionThresholds& start) {
  // Halfway between neighbouring measurements: the same decisions, and room on both sides.
  const auto candidates = [&cases](double Support::*share) {
    std::set<double> seen{0};
    for (const CalibrationCase& one : cases) seen.insert(one.support.*share);
    std::vector<double> values{0};
    for (auto it = seen.begin(); std::next(it) != seen.end(); ++it) {
      values.push_back((*it + *std::next(it)) / 2);
    }
    return values;
  };
  AbstentionThresholds best = start;
  double best_accuracy = -1;
  for (const double passage_share : candidates(&Support::passage_share)) {
    for (const double sentence_share : candidates(&Support::sentence_share)) {
      AbstentionThresholds thresholds = start;
      thresholds.min_passage_share = passage_share;
      thresholds.min_sentence_share = sentence_share;
      const double accuracy = BalancedAccuracy(cases, thresholds);
      if (accuracy > best_accuracy) {
        best_accuracy = accuracy;
        best = thresholds;
      }
    }
  }
  return best;
}

}  // namespace sworn::retriever
