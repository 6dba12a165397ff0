#include "retriever/query.h"

#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::retriever {

std::string_view ModeName(Mode mode) noexcept {
  switch (mode) {
    case Mode::kHybrid:
      return "hybrid";
    case Mode::kKeyword:
      return "keyword";
    case Mode::kVector:
      return "vector";
  }
  return "hybrid";
}

Mode ParseMode(std::string_view name) {
  for (const Mode mode : {Mode::kHybrid, Mode::kKeyword, Mode::kVector}) {
    if (name == ModeName(mode)) return mode;
  }
  throw Error(ErrorCode::kInvalidArgument, "mode must be hybrid, keyword or vector");
}

void CheckQuery(const Query& query) {
  if (query.text.size() > kMaxQuestionBytes) {
    throw Error(ErrorCode::kTooLarge, "the question has " + std::to_string(query.text.size()) +
                                          " bytes; at most " + std::to_string(kMaxQuestionBytes) +
                                          " are taken");
  }
  if (!text::IsValidUtf8(query.text)) {
    throw Error(ErrorCode::kInvalidArgument, "the question is not valid UTF-8");
  }
  if (query.text.find_first_not_of(" \t\r\n\f\v") == std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, "the question is empty");
  }
  if (query.top_k < 1 || query.top_k > kMaxTopK) {
    throw Error(ErrorCode::kInvalidArgument,
                "the number of results must be 1 to " + std::to_string(kMaxTopK));
  }
  if (query.filter.since_ms && query.filter.until_ms &&
      *query.filter.since_ms >= *query.filter.until_ms) {
    throw Error(ErrorCode::kInvalidArgument, "'since' must be before 'until'");
  }
}

}  // namespace sworn::retriever
