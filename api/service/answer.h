// From chosen sentences to an answer whose every quotation was compared with the stored text.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "api/service/requests.h"
#include "retriever/context.h"
#include "retriever/extractive.h"
#include "store/knowledge_store.h"

namespace sworn::service {

/// Fills status, reason, answer, sentences and citations of `response` from what the extractive
/// answerer chose. Citations are numbered in the order of the answer; sentences of one passage and
/// the same bytes share a number.
void WriteAnswer(const retriever::ExtractiveAnswer& extracted, const retriever::Context& context,
                 AskResponse& response);

/// "The fee is 500 euros. [1] [2]"; a sentence without support ends with "[unverified]".
std::string MarkedText(const AnswerSentence& sentence);

/// Compares quotations with what the catalog holds now. One thread at a time.
class QuoteVerifier {
 public:
  /// The text of a document version, or nothing if it is missing or damaged.
  using Loader =
      std::function<std::optional<std::string>(const std::string& document, std::uint32_t version)>;

  explicit QuoteVerifier(store::KnowledgeStore& store);
  explicit QuoteVerifier(Loader load) : load_(std::move(load)) {}

  /// The bytes of the citation's range are its quote.
  bool Stands(const Citation& citation);

 private:
  Loader load_;
  std::map<std::pair<std::string, std::uint32_t>, std::optional<std::string>> texts_;
};

/// Reads the stored text of each cited version from the catalog anew and sets `verified` of each
/// citation and sentence: true only if the bytes of the range equal the quote. A version that is
/// missing or damaged leaves them false and makes the answer partial.
void VerifyQuotes(store::KnowledgeStore& store, AskResponse& response);

}  // namespace sworn::service
