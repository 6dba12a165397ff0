#include "retriever/extractive.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "retriever/folded_text.h"
#include "retriever/informative.h"

namespace sworn::retriever {
namespace {

// A further sentence is quoted if it is nearly as good as the best, or if it is good and brings
// words of the question that nothing quoted has.
constexpr double kNearlyAsGood = 0.92;
constexpr double kGoodEnough = 0.6;
constexpr double kNewShare = 0.12;  // of the question's IDF mass

// Two sentences say the same of different numbers if they share this much of their other words.
constexpr double kSameStatement = 0.75;
constexpr std::size_t kMinStatementWords = 4;
constexpr double kRivalScore = 0.7;  // of the best sentence's

constexpr std::size_t kMaxNamedWords = 4;

bool HasDigit(const std::string& word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What a sentence says, its numbers apart.
struct Statement {
  std::set<std::string> words;
  std::multiset<std::string> numbers;
};

Statement StatementOf(std::string_view text) {
  Statement statement;
  for (std::string& word : FoldedWords(text)) {
    if (HasDigit(word)) {
      statement.numbers.insert(std::move(word));
    } else {
      statement.words.insert(std::move(word));
    }
  }
  return statement;
}

double Jaccard(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::size_t common = 0;
  for (const std::string& word : a) common += b.count(word);
  const std::size_t all = a.size() + b.size() - common;
  return all == 0 ? 1 : static_cast<double>(common) / static_cast<double>(all);
}

bool SameStatement(const Statement& a, const Statement& b) {
  return std::min(a.words.size(), b.words.size()) >= kMinStatementWords &&
         Jaccard(a.words, b.words) >= kSameStatement;
}

std::string Listed(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t i = 0; i < std::min(words.size(), kMaxNamedWords); ++i) {
    if (i > 0) list += ", ";
    list += "'" + words[i] + "'";
  }
  if (words.size() > kMaxNamedWords) list += ", ...";
  return list;
}

/// Chooses sentences and explains what is missing, for one question.
class Answerer {
 public:
  Answerer(const QuestionModel& question, const Context& context, const SentenceScores& scores,
           const ExtractiveOptions& options)
      : question_(question), context_(context), scores_(scores), options_(options) {}

  ExtractiveAnswer Answer() {
    MeasureBest();
    const AbstentionThresholds& thresholds = options_.thresholds;
    if (answer_.support.passage_share < thresholds.min_passage_share) {
      answer_.reason = MissingWords();
      return std::move(answer_);
    }
    if (answer_.support.sentence_share < thresholds.min_sentence_share) {
      answer_.reason =
          "the passages contain words of the question, but no sentence brings enough "
          "of them together";
      return std::move(answer_);
    }
    Choose();
    MeasureCovered();
    answer_.status = AnswerStatus::kAnswered;
    if (answer_.support.covered_share < thresholds.full_share && !answer_.unsupported.empty()) {
      answer_.status = AnswerStatus::kPartial;
      answer_.reason = "no quoted passage contains " + Listed(answer_.unsupported);
    } else {
      answer_.unsupported.clear();
    }
    if (answer_.contradiction) {
      if (!answer_.reason.empty()) answer_.reason += "; ";
      answer_.reason += "the sources differ in a number, both are quoted";
    }
    return std::move(answer_);
  }

 private:
  const ScoredSentence& Best() const { return scores_.sentences.front(); }

  std::string_view TextOf(const ScoredSentence& sentence) const {
    const std::string_view text = context_.passages[sentence.passage].text;
    return text.substr(sentence.range.begin, sentence.range.end - sentence.range.begin);
  }

  void MeasureBest() {
    Support& support = answer_.support;
    double others = 0;
    for (const ScoredSentence& sentence : scores_.sentences) {
      support.passage_share = std::max(support.passage_share, sentence.passage_share);
      others += sentence.score;
    }
    support.sentence_share = Best().word_share;
    others -= Best().score;
    const auto count = static_cast<double>(scores_.sentences.size() - 1);
    support.margin = others > 0 ? Best().score / (others / count) : 1;
  }

  std::string MissingWords() const {
    std::vector<std::string> present;
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < question_.words.size(); ++i) {
      const bool found = std::any_of(scores_.passage_words.begin(), scores_.passage_words.end(),
                                     [i](const std::vector<bool>& words) { return words[i]; });
      (found ? present : missing).push_back(question_.words[i].surface);
    }
    if (missing.empty()) return "no passage contains enough of the question's words together";
    if (present.empty()) return "no passage contains " + Listed(missing);
    return "the passages mention " + Listed(present) + ", but not " + Listed(missing);
  }

  double NewShare(const ScoredSentence& sentence, const std::vector<bool>& covered) const {
    double mass = 0;
    for (std::size_t i = 0; i < covered.size(); ++i) {
      if (sentence.words[i] && !covered[i]) mass += question_.words[i].idf;
    }
    return question_.total_idf > 0 ? mass / question_.total_idf : 0;
  }

  enum class Relation { kUnrelated, kRepeats, kContradicts };
  Relation ToQuoted(const ScoredSentence& sentence, const Statement& statement) const {
    const store::StoredChunk& source = context_.passages[sentence.passage].chunks.front();
    Relation relation = Relation::kUnrelated;
    for (const auto& [quoted, other] : quoted_) {
      if (ComparisonForm(TextOf(sentence)) == ComparisonForm(TextOf(*quoted))) {
        return Relation::kRepeats;
      }
      if (!SameStatement(statement, other)) continue;
      if (statement.numbers == other.numbers) return Relation::kRepeats;
      const bool other_document =
          context_.passages[quoted->passage].chunks.front().document_id != source.document_id;
      if (other_document && !statement.numbers.empty() && !other.numbers.empty()) {
        relation = Relation::kContradicts;
      }
    }
    return relation;
  }

  void Choose() {
    std::vector<bool> covered(question_.words.size());
    for (const ScoredSentence& sentence : scores_.sentences) {
      if (quoted_.size() == options_.max_sentences) break;
      const double relative = Best().score > 0 ? sentence.score / Best().score : 0;
      Statement statement = StatementOf(TextOf(sentence));
      const Relation relation = ToQuoted(sentence, statement);
      if (relation == Relation::kRepeats) continue;
      const bool rival = relation == Relation::kContradicts && relative >= kRivalScore;
      const bool helps = relative >= kNearlyAsGood ||
                         (relative >= kGoodEnough && NewShare(sentence, covered) >= kNewShare);
      if (!quoted_.empty() && !rival && !helps) continue;
      answer_.contradiction = answer_.contradiction || rival;
      for (std::size_t i = 0; i < covered.size(); ++i) {
        if (sentence.words[i]) covered[i] = true;
      }
      quoted_.emplace_back(&sentence, std::move(statement));
      Quote(sentence);
    }
  }

  void Quote(const ScoredSentence& sentence) {
    const Passage& passage = context_.passages[sentence.passage];
    Quotation quotation;
    quotation.passage_number = passage.number;
    quotation.range = {passage.range.begin + sentence.range.begin,
                       passage.range.begin + sentence.range.end};
    quotation.text = TextOf(sentence);
    quotation.chunk_id = ChunkAt(passage, quotation.range.begin).chunk_id;
    quotation.location = LocateSpan(passage, quotation.range);
    quotation.score = sentence.score;
    answer_.sentences.push_back(std::move(quotation));
  }

  void MeasureCovered() {
    double mass = 0;
    for (std::size_t i = 0; i < question_.words.size(); ++i) {
      const bool found = std::any_of(quoted_.begin(), quoted_.end(), [&](const auto& quoted) {
        return scores_.passage_words[quoted.first->passage][i];
      });
      if (found) {
        mass += question_.words[i].idf;
      } else {
        answer_.unsupported.push_back(question_.words[i].surface);
      }
    }
    answer_.support.covered_share = question_.total_idf > 0 ? mass / question_.total_idf : 0;
  }

  const QuestionModel& question_;
  const Context& context_;
  const SentenceScores& scores_;
  const ExtractiveOptions& options_;
  ExtractiveAnswer answer_;
  std::vector<std::pair<const ScoredSentence*, Statement>> quoted_;
};

/// Titles and headings that a passage stands under, a folded word list each.
std::vector<std::vector<std::string>> HeadingsOf(const Passage& passage) {
  constexpr std::string_view kSeparator = " > ";
  std::vector<std::vector<std::string>> headings;
  for (const store::StoredChunk& chunk : passage.chunks) {
    headings.push_back(FoldedWords(chunk.title));
    std::string_view path = chunk.heading;
    while (!path.empty()) {
      const std::size_t end = path.find(kSeparator);
      headings.push_back(FoldedWords(path.substr(0, end)));
      path.remove_prefix(end == std::string_view::npos ? path.size() : end + kSeparator.size());
    }
  }
  return headings;
}

/// Takes out headings, whole or their first words (a broken line), unless nothing else is there:
/// they say what a passage is about, not what it says.
void DropHeadings(const Context& context, std::vector<ScoredSentence>& sentences) {
  std::vector<std::vector<std::vector<std::string>>> headings;
  for (const Passage& passage : context.passages) headings.push_back(HeadingsOf(passage));
  const auto is_heading = [&](const ScoredSentence& sentence) {
    const std::string_view text = context.passages[sentence.passage].text;
    const std::vector<std::string> words =
        FoldedWords(text.substr(sentence.range.begin, sentence.range.end - sentence.range.begin));
    const auto& known = headings[sentence.passage];
    return std::any_of(known.begin(), known.end(), [&](const std::vector<std::string>& heading) {
      return words.size() <= heading.size() &&
             std::equal(words.begin(), words.end(), heading.begin());
    });
  };
  if (std::all_of(sentences.begin(), sentences.end(), is_heading)) return;
  sentences.erase(std::remove_if(sentences.begin(), sentences.end(), is_heading), sentences.end());
}

/// Takes out sentences that only repeat the question, unless all do.
void DropUninformative(const QuestionModel& question, std::span<const PassageView> passages,
                       std::vector<ScoredSentence>& sentences) {
  const auto informative = [&](const ScoredSentence& sentence) {
    const PassageView& passage = passages[sentence.passage];
    const auto& [begin, end] = sentence.range;
    return BringsMore(question, passage.text.substr(begin, end - begin), passage.language);
  };
  if (std::none_of(sentences.begin(), sentences.end(), informative)) return;
  sentences.erase(std::remove_if(sentences.begin(), sentences.end(),
                                 [&](const ScoredSentence& one) { return !informative(one); }),
                  sentences.end());
}

/// A number or code of the question that a source has to have. One and two digits are amounts and
/// list numbers, which stand everywhere.
bool NamesOneThing(const QuestionWord& word) {
  constexpr std::size_t kMinDigits = 3;
  const auto digits = std::count_if(word.surface.begin(), word.surface.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
  return digits >= static_cast<std::ptrdiff_t>(word.identifier ? 1 : kMinDigits);
}

std::unique_ptr<const store::ContentSet> ContentsOf(const Context& context) {
  std::vector<bool> members;
  for (const Passage& passage : context.passages) {
    const ContentId id = passage.chunks.front().content_id;
    if (id >= members.size()) members.resize(id + 1);
    members[id] = true;
  }
  return std::make_unique<store::ContentSet>(std::move(members));
}

/// Keeps the sentences of documents that contain a number or code of the question, anywhere in
/// them. Returns the first such word that none of the documents has: then nothing here is about it.
std::optional<std::string> KeepNamedSources(const QuestionModel& question, const Context& context,
                                            const store::Snapshot& snapshot,
                                            std::vector<ScoredSentence>& sentences) {
  const auto candidates = ContentsOf(context);
  std::set<ContentId> named;
  bool names_any = false;
  for (const QuestionWord& word : question.words) {
    if (!NamesOneThing(word)) continue;
    names_any = true;
    text::KeywordQuery query;
    query.words.push_back({word.terms, 1});
    const auto found =
        snapshot.SearchContents(query, {}, context.passages.size(), candidates.get());
    if (found.empty()) return word.surface;
    for (const ScoredContent& content : found) named.insert(content.content_id);
  }
  if (!names_any) return std::nullopt;
  sentences.erase(std::remove_if(sentences.begin(), sentences.end(),
                                 [&](const ScoredSentence& sentence) {
                                   const auto& passage = context.passages[sentence.passage];
                                   return !named.contains(passage.chunks.front().content_id);
                                 }),
                  sentences.end());
  return std::nullopt;
}

ExtractiveAnswer Abstain(std::string reason) {
  ExtractiveAnswer answer;
  answer.reason = std::move(reason);
  return answer;
}

}  // namespace

std::string_view AnswerStatusName(AnswerStatus status) noexcept {
  switch (status) {
    case AnswerStatus::kAnswered:
      return "answered";
    case AnswerStatus::kPartial:
      return "partial";
    case AnswerStatus::kAbstained:
      return "abstained";
  }
  return "abstained";
}

ExtractiveAnswer AnswerFromPassages(std::string_view question, const Context& context,
                                    std::span<const std::string> languages,
                                    const store::Snapshot& snapshot, text::Analyzer& analyzer,
                                    const ExtractiveOptions& options) {
  if (context.passages.empty()) return Abstain("no passage was found");
  const QuestionModel model = ModelQuestion(question, languages, snapshot, analyzer);
  if (model.words.empty()) return Abstain("the question has no word to search for");
  std::vector<std::string> contexts;
  for (const Passage& passage : context.passages) {
    const store::StoredChunk& chunk = passage.chunks[passage.best];
    contexts.push_back(chunk.title + '\n' + chunk.heading);
  }
  std::vector<PassageView> views;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const Passage& passage = context.passages[i];
    views.push_back({passage.text, passage.chunks[passage.best].language, contexts[i]});
  }
  SentenceScores scores = ScoreSentences(model, views, analyzer);
  if (const auto missing = KeepNamedSources(model, context, snapshot, scores.sentences)) {
    return Abstain("no document found contains '" + *missing + "'");
  }
  DropHeadings(context, scores.sentences);
  if (AsksForMore(question)) DropUninformative(model, views, scores.sentences);
  if (scores.sentences.empty()) return Abstain("the passages hold no sentence");
  return Answerer(model, context, scores, options).Answer();
}

}  // namespace sworn::retriever
