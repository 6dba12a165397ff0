#include "retriever/informative.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "core/text/stop_words.h"
#include "retriever/folded_text.h"

namespace sworn::retriever {
namespace {

// Without the German "was": "Was the fee paid?" is answered by its own words.
constexpr std::string_view kInterrogatives[] = {
    "how",     "what",  "when",    "where",   "which",   "who",     "whom",    "whose",   "why",
    "cómo",    "cuál",  "cuáles",  "cuándo",  "cuánta",  "cuántas", "cuánto",  "cuántos", "dónde",
    "qué",     "quién", "quiénes", "wann",    "warum",   "welche",  "welchem", "welchen", "welcher",
    "welches", "wer",   "wem",     "wen",     "weshalb", "wessen",  "wie",     "wieso",   "wieviel",
    "wo",      "wofür", "wohin",   "worüber", "wozu"};

bool IsNumber(const std::string& word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool AsksForMore(std::string_view question) {
  const std::vector<std::string> words = FoldedWords(question);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return std::find(std::begin(kInterrogatives), std::end(kInterrogatives), word) !=
           std::end(kInterrogatives);
  });
}

bool BringsMore(const QuestionModel& question, std::string_view sentence,
                std::string_view language) {
  const std::set<std::string> asked(question.gram_sources.begin(), question.gram_sources.end());
  bool at_begin = true;
  for (const std::string& word : FoldedWords(sentence)) {
    if (at_begin && IsNumber(word)) continue;
    at_begin = false;
    if (!asked.contains(word) && !text::IsStopWord(word, language)) return true;
  }
  return false;
}

}  // namespace sworn::retriever
