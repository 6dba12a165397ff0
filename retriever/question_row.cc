#include "retriever/question_row.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace sworn::retriever {
namespace {

void AddWords(std::span<const text::TermAlternatives> words, std::vector<TermCount>& row) {
  for (const text::TermAlternatives& word : words) {
    const auto count = static_cast<std::uint32_t>(std::lround(word.weight));
    if (count == 0) continue;  // asked for with a small weight only
    for (const std::string& term : word.terms) row.push_back({TermKeyOf(term), count});
  }
}

}  // namespace

TermRows QuestionRow(const text::KeywordQuery& query) {
  std::vector<TermCount> row;
  AddWords(query.words, row);
  for (const std::string& identifier : query.identifiers) row.push_back({TermKeyOf(identifier), 1});
  for (const text::Phrase& phrase : query.phrases) AddWords(phrase.words, row);
  TermRows rows;
  rows.Add(std::move(row));
  return rows;
}

}  // namespace sworn::retriever
