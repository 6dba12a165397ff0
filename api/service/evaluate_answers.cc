#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/service/knowledge_base.h"
#include "core/error.h"
#include "retriever/extractive.h"

namespace sworn::service {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLineBytes = 1 << 20;
constexpr std::size_t kMaxQuestions = 100'000;

struct ExpectedQuote {
  std::string path;   // the end of the document's path
  std::string quote;  // white space does not matter
};

struct Question {
  std::string id;
  std::string text;
  std::string split;
  bool answerable = false;
  std::vector<ExpectedQuote> expected;
};

Question ParseQuestion(const json& record) {
  Question question;
  question.id = record.at("id").get<std::string>();
  question.text = record.at("question").get<std::string>();
  question.split = record.value("split", "");
  question.answerable = record.at("answerable").get<bool>();
  for (const json& expected : record.value("expected", json::array())) {
    question.expected.push_back(
        {expected.at("path").get<std::string>(), expected.at("quote").get<std::string>()});
  }
  return question;
}

std::vector<Question> ReadQuestions(const std::filesystem::path& file, const std::string& split) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ErrorCode::kNotFound, "cannot read '" + file.native() + "'");
  std::vector<Question> questions;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    const std::string where = "'" + file.native() + "', line " + std::to_string(number);
    if (line.size() > kMaxLineBytes || questions.size() >= kMaxQuestions) {
      throw Error(ErrorCode::kTooLarge, where + ": too long, or too many questions");
    }
    try {
      Question question = ParseQuestion(json::parse(line));
      if (split.empty() || question.split == split) questions.push_back(std::move(question));
    } catch (const json::exception& error) {
      throw Error(ErrorCode::kInvalidArgument, where + ": " + error.what());
    }
  }
  if (questions.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "'" + file.native() + "' holds no such question");
  }
  return questions;
}

std::string CollapseSpaces(std::string_view text) {
  std::string collapsed;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\f';
    if (!space) {
      collapsed.push_back(c);
    } else if (!collapsed.empty() && collapsed.back() != ' ') {
      collapsed.push_back(' ');
    }
  }
  if (!collapsed.empty() && collapsed.back() == ' ') collapsed.pop_back();
  return collapsed;
}

// Compares citations with expected quotes by where both stand in the document.
class QuoteMatcher {
 public:
  explicit QuoteMatcher(KnowledgeBase& kb) : kb_(kb) {}

  bool Overlaps(const Citation& citation, const ExpectedQuote& expected) {
    const std::string& path = citation.chunk.path;
    if (!path.ends_with(expected.path)) return false;
    const std::string& text = TextOf(citation);
    const std::string quote = CollapseSpaces(expected.quote);
    const std::string cited = CollapseSpaces(citation.quote);
    const std::size_t cited_at = text.find(cited);
    for (std::size_t at = text.find(quote); at != std::string::npos;
         at = text.find(quote, at + 1)) {
      if (at < cited_at + cited.size() && cited_at < at + quote.size()) return true;
    }
    return false;
  }

 private:
  const std::string& TextOf(const Citation& citation) {
    const std::pair key{citation.chunk.document_id, citation.chunk.version};
    auto text = texts_.find(key);
    if (text == texts_.end()) {
      text = texts_.emplace(key, CollapseSpaces(kb_.ShowText(key.first, key.second))).first;
    }
    return text->second;
  }

  KnowledgeBase& kb_;
  std::map<std::pair<std::string, std::uint32_t>, std::string> texts_;
};

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

struct Tally {
  std::uint64_t right = 0;            // answerable, with an expected quotation
  std::uint64_t citations = 0;        // given for answerable questions
  std::uint64_t right_citations = 0;  // of those, with an expected quotation
  std::uint64_t abstained = 0;
  std::uint64_t rightly_abstained = 0;
  std::vector<double> latencies_ms;
  std::vector<retriever::CalibrationCase> cases;
};

void Score(const Question& question, const AskResponse& response, QuoteMatcher& matcher,
           Tally& tally, AnswerEvaluation& evaluation) {
  const bool abstained = response.status == AnswerStatus::kAbstained;
  tally.latencies_ms.push_back(response.timing.total);
  tally.cases.push_back({response.support, question.answerable});
  ++evaluation.questions;
  evaluation.answerable += question.answerable ? 1 : 0;
  evaluation.answered += abstained ? 0 : 1;
  tally.abstained += abstained ? 1 : 0;
  if (!question.answerable) {
    tally.rightly_abstained += abstained ? 1 : 0;
    if (!abstained) evaluation.mistakes.push_back(question.id + ": answered, but cannot be");
    return;
  }
  bool found = false;
  for (const Citation& citation : response.citations) {
    const bool right = std::any_of(
        question.expected.begin(), question.expected.end(),
        [&](const ExpectedQuote& expected) { return matcher.Overlaps(citation, expected); });
    ++tally.citations;
    tally.right_citations += right ? 1 : 0;
    found = found || right;
  }
  tally.right += found ? 1 : 0;
  if (!found) {
    evaluation.mistakes.push_back(question.id + (abstained ? ": abstained" : ": wrong passage"));
  }
}

}  // namespace

AnswerEvaluation EvaluateAnswers(KnowledgeBase& kb, const std::filesystem::path& file,
                                 const std::string& split, const CancelFlag& cancel) {
  AnswerEvaluation evaluation;
  QuoteMatcher matcher(kb);
  Tally tally;
  for (const Question& question : ReadQuestions(file, split)) {
    cancel.ThrowIfCancelled();
    AskRequest request;
    request.text = question.text;
    Score(question, kb.Ask(request), matcher, tally, evaluation);
  }
  evaluation.sentence_accuracy = Share(tally.right, evaluation.answerable);
  evaluation.citation_precision = Share(tally.right_citations, tally.citations);
  evaluation.abstention_precision = Share(tally.rightly_abstained, tally.abstained);
  evaluation.abstention_recall =
      Share(tally.rightly_abstained, evaluation.questions - evaluation.answerable);
  const retriever::AbstentionThresholds fitted = retriever::FitThresholds(tally.cases);
  evaluation.fitted_min_passage_share = fitted.min_passage_share;
  evaluation.fitted_min_sentence_share = fitted.min_sentence_share;
  std::sort(tally.latencies_ms.begin(), tally.latencies_ms.end());
  evaluation.latency_p50_ms = tally.latencies_ms[tally.latencies_ms.size() / 2];
  return evaluation;
}

}  // namespace sworn::service
