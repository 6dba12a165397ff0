#include "retriever/sentence_scorer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/text/sentences.h"
#include "retriever/folded_text.h"

namespace sworn::retriever {
namespace {

// The mix that quoted the right sentence most often on parallel English and Spanish questions;
// docs/retrieval.md has the table.
constexpr double kGramWeight = 1.0;
constexpr double kPassageWeight = 0.5;
constexpr std::size_t kGramCodePoints = 4;

using GramSet = std::unordered_set<std::string>;

/// BM25's IDF, never negative: ln(1 + (N - n + .5) / (n + .5)).
double Idf(double total, double with) { return std::log1p((total - with + 0.5) / (with + 0.5)); }

double IdfOf(const std::vector<std::string>& terms, const store::Snapshot& snapshot) {
  // A word is as common as its commonest form: "die" asked in English may be a German article.
  store::TermStatistics statistics;
  for (const std::string& term : terms) {
    const store::TermStatistics one = snapshot.Statistics(term);
    statistics.passages = std::max(statistics.passages, one.passages);
    statistics.passages_with_term = std::max(statistics.passages_with_term, one.passages_with_term);
  }
  return Idf(static_cast<double>(statistics.passages),
             static_cast<double>(statistics.passages_with_term));
}

/// Adds the 4-grams of " word ", counted in code points.
void AddGrams(const std::string& word, GramSet& grams) {
  const std::string padded = " " + word + " ";
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < padded.size(); ++i) {
    if ((static_cast<unsigned char>(padded[i]) & 0xC0U) != 0x80U) starts.push_back(i);
  }
  starts.push_back(padded.size());
  if (starts.size() <= kGramCodePoints) {
    grams.insert(padded);
    return;
  }
  for (std::size_t i = 0; i + kGramCodePoints < starts.size(); ++i) {
    grams.insert(padded.substr(starts[i], starts[i + kGramCodePoints] - starts[i]));
  }
}

GramSet GramsOf(const std::vector<std::string>& words) {
  GramSet grams;
  for (const std::string& word : words) AddGrams(word, grams);
  return grams;
}

/// A sentence or a passage, reduced to what of the question is in it.
struct Evidence {
  std::vector<bool> words;
  std::vector<std::size_t> grams;  // indexes into the question's grams
};

class Scorer {
 public:
  Scorer(const QuestionModel& question, text::Analyzer& analyzer)
      : question_(question), analyzer_(analyzer) {
    const GramSet grams = GramsOf(question.gram_sources);
    grams_.assign(grams.begin(), grams.end());
    std::sort(grams_.begin(), grams_.end());  // sums in one order, whatever the hash
    gram_passages_.resize(grams_.size());
  }

  Evidence Read(std::string_view text, std::string_view language) {
    Evidence evidence;
    evidence.words.resize(question_.words.size());
    const auto postings = analyzer_.AnalyzePassage({{}, {}, text, language});
    const auto has = [&postings](const std::string& term) {
      const auto at = std::lower_bound(postings.begin(), postings.end(), term,
                                       [](const text::Posting& posting, const std::string& wanted) {
                                         return posting.term < wanted;
                                       });
      return at != postings.end() && at->term == term;
    };
    for (std::size_t i = 0; i < question_.words.size(); ++i) {
      const auto& terms = question_.words[i].terms;
      evidence.words[i] = std::any_of(terms.begin(), terms.end(), has);
    }
    const GramSet grams = GramsOf(FoldedWords(text));
    for (std::size_t i = 0; i < grams_.size(); ++i) {
      if (grams.contains(grams_[i])) evidence.grams.push_back(i);
    }
    return evidence;
  }

  void CountPassage(const Evidence& passage) {
    ++passages_;
    for (const std::size_t gram : passage.grams) ++gram_passages_[gram];
  }

  double WordShare(const Evidence& evidence) const {
    if (question_.total_idf <= 0) return 0;
    double sum = 0;
    for (std::size_t i = 0; i < question_.words.size(); ++i) {
      if (evidence.words[i]) sum += question_.words[i].idf;
    }
    return sum / question_.total_idf;
  }

  /// Only after every passage was counted.
  double GramShare(const Evidence& evidence) const {
    double total = 0;
    for (std::size_t i = 0; i < grams_.size(); ++i) total += GramIdf(i);
    if (total <= 0) return 0;
    double sum = 0;
    for (const std::size_t gram : evidence.grams) sum += GramIdf(gram);
    return sum / total;
  }

 private:
  double GramIdf(std::size_t gram) const { return Idf(passages_, gram_passages_[gram]); }

  const QuestionModel& question_;
  text::Analyzer& analyzer_;
  std::vector<std::string> grams_;
  std::vector<double> gram_passages_;
  double passages_ = 0;
};

std::string LanguageOf(const std::string& term) {
  const auto colon = term.find(':');
  return colon == std::string::npos ? std::string() : term.substr(0, colon);
}

/// Index term to the word of the question that gave it.
std::map<std::string, std::string> Surfaces(std::string_view question,
                                            const text::KeywordQuery& query,
                                            text::Analyzer& analyzer) {
  std::set<std::string> languages;
  const auto collect = [&languages](const std::vector<text::TermAlternatives>& words) {
    for (const auto& word : words) {
      for (const std::string& term : word.terms) languages.insert(LanguageOf(term));
    }
  };
  collect(query.words);
  for (const text::Phrase& phrase : query.phrases) collect(phrase.words);
  std::map<std::string, std::string> surfaces;
  for (const std::string& language : languages) {
    for (const text::Token& token : analyzer.Tokenize(question, language)) {
      surfaces.try_emplace(token.term,
                           question.substr(token.byte_begin, token.byte_end - token.byte_begin));
    }
  }
  return surfaces;
}

// "How long", "wie oft", "cuánto tiempo": the word asks for a measure, an answer need not have it.
constexpr std::string_view kMeasureQuestions[] = {"how", "wie", "cuánto", "cuánta"};
constexpr std::string_view kMeasureWords[] = {
    "big",    "close", "deep",   "early", "far",    "fast",  "heavy",  "high",  "large", "late",
    "long",   "low",   "number", "often", "old",    "quick", "short",  "soon",  "tall",  "wide",
    "alt",    "breit", "groß",   "gross", "häufig", "hoch",  "lang",   "lange", "oft",   "schnell",
    "schwer", "spät",  "tief",   "viel",  "viele",  "weit",  "tiempo", "dinero"};

/// The measure words of a question, folded.
std::set<std::string> AskedMeasures(std::string_view question) {
  std::set<std::string> measures;
  const std::vector<std::string> words = FoldedWords(question);
  const auto holds = [](const auto& list, std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
  };
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (holds(kMeasureQuestions, words[i - 1]) && holds(kMeasureWords, words[i])) {
      measures.insert(words[i]);
    }
  }
  return measures;
}

/// Takes the measure words out, unless nothing would be left.
void DropMeasures(std::string_view question, QuestionModel& model) {
  const std::set<std::string> measures = AskedMeasures(question);
  const auto is_measure = [&measures](const QuestionWord& word) {
    return measures.contains(ComparisonForm(word.surface));
  };
  if (std::all_of(model.words.begin(), model.words.end(), is_measure)) return;
  model.words.erase(std::remove_if(model.words.begin(), model.words.end(), is_measure),
                    model.words.end());
}

}  // namespace

QuestionModel ModelQuestion(std::string_view question, std::span<const std::string> languages,
                            const store::Snapshot& snapshot, text::Analyzer& analyzer) {
  const text::KeywordQuery query = analyzer.AnalyzeQuestion(question, languages);
  const std::map<std::string, std::string> surfaces = Surfaces(question, query, analyzer);
  QuestionModel model;
  std::set<std::string> seen;
  const auto add = [&](const std::vector<std::string>& terms, std::string surface,
                       bool identifier) {
    if (terms.empty() || !seen.insert(terms.front()).second) return;
    model.words.push_back({terms, std::move(surface), IdfOf(terms, snapshot), identifier});
  };
  const auto is_part_of_identifier = [&query](const std::string& surface) {
    const std::string folded = ComparisonForm(surface);
    return std::any_of(query.identifiers.begin(), query.identifiers.end(),
                       [&folded](const std::string& identifier) {
                         return identifier.find(folded) != std::string::npos;
                       });
  };
  // A compound that is no identifier has no surface here: its parts are words of their own.
  const auto add_word = [&](const text::TermAlternatives& word) {
    for (const std::string& term : word.terms) {
      const auto surface = surfaces.find(term);
      if (surface == surfaces.end()) continue;
      if (!is_part_of_identifier(surface->second)) add(word.terms, surface->second, false);
      return;
    }
  };
  for (const std::string& identifier : query.identifiers) {
    add({identifier}, identifier.substr(1), true);
  }
  for (const text::Phrase& phrase : query.phrases) {
    for (const text::TermAlternatives& word : phrase.words) add_word(word);
  }
  for (const text::TermAlternatives& word : query.words) add_word(word);
  DropMeasures(question, model);
  for (const QuestionWord& word : model.words) {
    model.total_idf += word.idf;
    for (std::string& part : FoldedWords(word.surface)) {
      model.gram_sources.push_back(std::move(part));
    }
  }
  return model;
}

SentenceScores ScoreSentences(const QuestionModel& question, std::span<const PassageView> passages,
                              text::Analyzer& analyzer) {
  Scorer scorer(question, analyzer);
  std::vector<Evidence> whole;
  for (const PassageView& passage : passages) {
    std::string text(passage.context);
    text += '\n';
    text += passage.text;
    whole.push_back(scorer.Read(text, passage.language));
    scorer.CountPassage(whole.back());
  }
  SentenceScores result;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    result.passage_words.push_back(whole[i].words);
    const double passage_share = scorer.WordShare(whole[i]);
    const double passage_score = passage_share + kGramWeight * scorer.GramShare(whole[i]);
    for (const ByteRange& range : text::SplitSentences(passages[i].text, passages[i].language)) {
      const Evidence evidence = scorer.Read(
          passages[i].text.substr(range.begin, range.end - range.begin), passages[i].language);
      ScoredSentence sentence;
      sentence.passage = i;
      sentence.range = range;
      sentence.word_share = scorer.WordShare(evidence);
      sentence.gram_share = scorer.GramShare(evidence);
      sentence.passage_share = passage_share;
      sentence.score =
          sentence.word_share + kGramWeight * sentence.gram_share + kPassageWeight * passage_score;
      sentence.words = evidence.words;
      result.sentences.push_back(std::move(sentence));
    }
  }
  std::stable_sort(
      result.sentences.begin(), result.sentences.end(),
      [](const ScoredSentence& a, const ScoredSentence& b) { return a.score > b.score; });
  return result;
}

}  // namespace sworn::retriever
