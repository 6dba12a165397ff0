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
    response.answer += sentence.text + " [" + std::to_string(citation.number) + "]";
    response.sentences.push_back(std::move(sentence));
    response.citations.push_back(std::move(citation));
  }
}

void VerifyQuotes(store::KnowledgeStore& store, AskResponse& response) {
  std::map<std::pair<std::string, std::uint32_t>, std::optional<std::string>> texts;
  for (Citation& citation : response.citations) {
    const std::pair version{citation.chunk.document_id, citation.chunk.version};
    auto text = texts.find(version);
    if (text == texts.end()) {
      std::optional<std::string> stored;
      try {
        stored = store.LoadText(version.first, version.second);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kIntegrity) throw;
      }
      text = texts.emplace(version, std::move(stored)).first;
    }
    citation.verified = QuoteStands(text->second, citation);
  }
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
