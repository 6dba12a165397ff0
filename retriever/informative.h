// Whether a sentence says anything that the question does not say itself.
#pragma once

#include <string>
#include <string_view>

#include "retriever/sentence_scorer.h"

namespace sworn::retriever {

/// The question asks for something it does not name ("how long", "cuándo", "wer"), so that a
/// sentence of its own words alone, a heading mostly, cannot answer it. Knows en, es and de.
bool AsksForMore(std::string_view question);

/// Whether the sentence has a word or number that is neither a word of the question nor a function
/// word of `language`; the number that a heading or list item begins with does not count.
bool BringsMore(const QuestionModel& question, std::string_view sentence,
                std::string_view language);

}  // namespace sworn::retriever
