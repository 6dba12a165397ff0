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
#include "retriever/abstention.h"
#include "retriever/context.h"
#include "retriever/sentence_scorer.h"
#include "store/snapshot.h"

namespace sworn::retriever {

inline constexpr std::string_view kExtractiveModelId = "extractive/1";

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

}  // namespace sworn::retriever
