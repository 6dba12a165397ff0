#include "api/service/answer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"

namespace sworn::service {
namespace {

const retriever::Passage& PassageNumber(const retriever::Context& context, std::uint32_t number) {
  const auto found =
      std::find_if(context.passages.begin(), context.passages.end(),
                   [&](const retriever::Passage& passage) { return passage.number == number; });
  if (found == context.passages.end()) {
    throw Error(ErrorCode::kInternal, "a sentence refers to a passage that was not given");
  }
  return *found;
}

// One line: the stored text keeps its line breaks, the answer does not need them.
std::string OneLine(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == '\n' || c == '\t' || c == '\f' || c == ' ';
    if (!space) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  return line;
}

bool QuoteStands(const std::optional<std::string>& text, const Citation& citation) {
  return text && !citation.quote.empty() && citation.range.end <= text->size() &&
         citation.range.begin < citation.range.end &&
         text->compare(citation.range.begin, citation.range.end - citation.range.begin,
                       citation.quote) == 0;
}

}  // namespace

std::string MarkedText(const AnswerSentence& sentence) {
  std::string text = sentence.text;
  for (const std::uint32_t number : sentence.citations) {
    text += " [" + std::to_string(number) + "]";
  }
  if (sentence.citations.empty() && !sentence.verified) text += " [unverified]";
  return text;
}

void WriteAnswer(const retriever::ExtractiveAnswer& extracted, const retriever::Context& context,
                 AskResponse& response) {
  response.status = extracted.status;
  response.reason = extracted.reason;
  response.support = extracted.support;
  for (const retriever::Quotation& quotation : extracted.sentences) {
    Citation citation;
    citation.number = static_cast<std::uint32_t>(response.citations.size() + 1);
    citation.quote = quotation.text;
    citation.range = quotation.range;
    citation.chunk =
        retriever::ChunkAt(PassageNumber(context, quotation.passage_number), quotation.range.begin);
    citation.chunk.location = quotation.location;
    AnswerSentence sentence;
    sentence.text = OneLine(quotation.text);
    sentence.citations.push_back(citation.number);
    if (!response.answer.empty()) response.answer.push_back('\n');
    response.answer += MarkedText(sentence);
    response.sentences.push_back(std::move(sentence));
    response.citations.push_back(std::move(citation));
  }
}

QuoteVerifier::QuoteVerifier(store::KnowledgeStore& store)
    : load_([&store](const std::string& document,
                     std::uint32_t version) -> std::optional<std::string> {
        try {
          return store.LoadText(document, version);
        } catch (const Error& error) {
          if (error.code() != ErrorCode::kIntegrity) throw;
          return std::nullopt;
        }
      }) {}

bool QuoteVerifier::Stands(const Citation& citation) {
  const std::pair version{citation.chunk.document_id, citation.chunk.version};
  auto text = texts_.find(version);
  if (text == texts_.end()) {
    text = texts_.emplace(version, load_(version.first, version.second)).first;
  }
  return QuoteStands(text->second, citation);
}

void VerifyQuotes(store::KnowledgeStore& store, AskResponse& response) {
  QuoteVerifier verifier(store);
  for (Citation& citation : response.citations) citation.verified = verifier.Stands(citation);
  for (AnswerSentence& sentence : response.sentences) {
    sentence.verified =
        std::all_of(sentence.citations.begin(), sentence.citations.end(),
                    [&](std::uint32_t n) { return response.citations[n - 1].verified; });
    if (!sentence.verified) {
      response.status = AnswerStatus::kPartial;
      response.reason = "a quotation does not equal the stored text: run `sworn fsck`";
    }
  }
}

}  // namespace sworn::service
