// A question as a row of term counts, to be compared with the rows of passages.
#pragma once

#include "core/term_rows.h"
#include "core/text/keyword_query.h"

namespace sworn::retriever {

/// One row (empty if the question has no word): every alternative of a word, each as often as the
/// word occurs; identifiers and the words of phrases too.
TermRows QuestionRow(const text::KeywordQuery& query);

}  // namespace sworn::retriever
