// From chosen sentences to an answer whose every quotation was compared with the stored text.
#pragma once

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

/// Reads the stored text of each cited version from the catalog anew and sets `verified` of each
/// citation and sentence: true only if the bytes of the range equal the quote. A version that is
/// missing or damaged leaves them false and makes the answer partial.
void VerifyQuotes(store::KnowledgeStore& store, AskResponse& response);

}  // namespace sworn::service
