#include "api/service/citations.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/text/sentences.h"
#include "core/text/stop_words.h"
#include "retriever/folded_text.h"

namespace sworn::service {
namespace {

// A word-for-word copy needs no share of informative words, but "Yes." copies nothing.
constexpr std::size_t kMinCopiedWords = 2;
// What a negation turns round stands within so many words behind it.
constexpr std::size_t kNegationReach = 3;

bool IsAsciiUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsAsciiLetter(char c) { return IsAsciiUpper(c) || (c >= 'a' && c <= 'z'); }

bool IsFunctionWord(const std::string& folded) {
  const auto languages = text::StopWordLanguages();
  return std::any_of(languages.begin(), languages.end(),
                     [&](std::string_view language) { return text::IsStopWord(folded, language); });
}

// Apostrophes of one kind, so that "don't" is cut at it.
std::vector<std::string> WordsOf(std::string_view text) {
  return retriever::FoldedWords(ComparableText(text).form());
}

bool HasNegation(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return IsNegation(word); });
}

// Forms of one word, roughly: "terminate", "terminated". Too many are taken for one rather than too
// few, because what follows is a refusal.
bool SameWord(const std::string& a, const std::string& b) {
  constexpr std::size_t kStemBytes = 5;
  return a == b || (a.size() >= kStemBytes && a.compare(0, kStemBytes, b, 0, kStemBytes) == 0);
}

// Whether a negation of `source` stands before something that `statement` says too.
bool NegatesWhatIsSaid(const std::vector<std::string>& source,
                       const std::vector<std::string>& statement) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!IsNegation(source[i])) continue;
    for (std::size_t j = i + 1; j < source.size() && j <= i + kNegationReach; ++j) {
      if (IsFunctionWord(source[j])) continue;
      const bool said =
          std::any_of(statement.begin(), statement.end(),
                      [&](const std::string& word) { return SameWord(word, source[j]); });
      if (said) return true;
      break;
    }
  }
  return false;
}

// Numbers and negations have rules of their own, so they do not count as words.
void DropStrictWords(retriever::QuestionModel& model) {
  const auto is_strict = [](const retriever::QuestionWord& word) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::any_of(word.surface.begin(), word.surface.end(), digit) ||
           HasNegation(WordsOf(word.surface));
  };
  model.words.erase(std::remove_if(model.words.begin(), model.words.end(), is_strict),
                    model.words.end());
  model.total_idf = 0;
  for (const retriever::QuestionWord& word : model.words) model.total_idf += word.idf;
}

// What has to be said by one sentence: all of it, or all but the quotations, which are looked for
// by themselves.
std::vector<std::string> StatementsOf(const std::string& text) {
  std::vector<std::string> statements = {text};
  std::string rest = text;
  for (const std::string& quotation : QuotationsOf(text)) {
    const std::size_t at = rest.find(quotation);
    if (at != std::string::npos) rest.erase(at, quotation.size());
  }
  if (rest != text) statements.push_back(std::move(rest));
  return statements;
}

// Words inside a sentence that begin with a capital letter where only names do.
std::vector<std::string> NamesIn(std::string_view text) {
  std::vector<std::string> names;
  bool begins = true;  // a sentence's first word has a capital anyway
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!IsAsciiLetter(text[i]) && byte < 0x80U) {
      if (text[i] == '"' || text[i] == ':') begins = true;
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() &&
           (IsAsciiLetter(text[end]) || static_cast<unsigned char>(text[end]) >= 0x80U)) {
      ++end;
    }
    if (!begins && IsAsciiUpper(text[i])) {
      for (std::string& word : retriever::FoldedWords(text.substr(i, end - i))) {
        names.push_back(std::move(word));
      }
    }
    begins = false;
    i = end;
  }
  return names;
}

}  // namespace

SentenceChecker::SentenceChecker(std::string_view question,
                                 std::span<const retriever::Passage> passages,
                                 std::span<const std::string> languages,
                                 const store::Snapshot& snapshot, text::Analyzer& analyzer)
    : passages_(passages), languages_(languages), snapshot_(snapshot), analyzer_(analyzer) {
  const std::set<std::string> asked = NumbersOf(question);
  for (std::string& word : WordsOf(question)) question_words_.insert(std::move(word));
  for (const retriever::Passage& passage : passages) {
    const store::StoredChunk& chunk = passage.chunks[passage.best];
    Source source{chunk.title + '\n' + chunk.heading,
                  chunk.language,
                  text::SplitSentences(passage.text, chunk.language),
                  ComparableText(passage.text),
                  {},
                  {}};
    for (std::string& word : WordsOf(passage.text)) source.words.insert(std::move(word));
    for (std::string& word : WordsOf(source.context)) source.words.insert(std::move(word));
    for (const std::string& number : NumbersOf(source.context)) {
      if (asked.contains(number)) source.context_numbers.insert(number);
    }
    sources_.push_back(std::move(source));
  }
}

ByteRange SentenceChecker::WholeSentences(std::size_t passage, const ByteRange& range) const {
  ByteRange whole = range;
  for (const ByteRange& sentence : sources_[passage].sentences) {
    if (sentence.begin < range.end && range.begin < sentence.end) {
      whole.begin = std::min(whole.begin, sentence.begin);
      whole.end = std::max(whole.end, sentence.end);
    }
  }
  return whole;
}

SupportingSpan SentenceChecker::SpanOf(std::size_t passage, const ByteRange& range) const {
  const retriever::Passage& from = passages_[passage];
  return {passage,
          {from.range.begin + range.begin, from.range.begin + range.end},
          from.text.substr(range.begin, range.end - range.begin)};
}

std::vector<std::size_t> SentenceChecker::Order(const WrittenSentence& written) const {
  std::vector<std::size_t> order;
  for (const std::uint32_t number : written.cited) {
    for (std::size_t i = 0; i < passages_.size(); ++i) {
      if (passages_[i].number == number) order.push_back(i);
    }
  }
  for (std::size_t i = 0; i < passages_.size(); ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  }
  return order;
}

std::vector<SentenceChecker::Candidate> SentenceChecker::Candidates(
    const WrittenSentence& written) {
  std::vector<Candidate> candidates;
  const std::vector<std::size_t> order = Order(written);
  const auto is_cited = [&](std::size_t passage) {
    return std::find(written.cited.begin(), written.cited.end(), passages_[passage].number) !=
           written.cited.end();
  };
  const std::string form = StatementForm(written.text);
  if (WordsOf(form).size() >= kMinCopiedWords) {
    for (const std::size_t passage : order) {
      if (const auto range = sources_[passage].comparable.Find(form)) {
        candidates.push_back(
            {passage, WholeSentences(passage, *range), 1, true, is_cited(passage)});
      }
    }
  }
  std::vector<retriever::PassageView> views;
  for (std::size_t i = 0; i < passages_.size(); ++i) {
    views.push_back({passages_[i].text, sources_[i].language, sources_[i].context});
  }
  std::vector<Candidate> worded;
  for (const std::string& statement : StatementsOf(written.text)) {
    retriever::QuestionModel model =
        retriever::ModelQuestion(statement, languages_, snapshot_, analyzer_);
    DropStrictWords(model);
    if (model.words.empty()) continue;
    for (const auto& sentence : ScoreSentences(model, views, analyzer_).sentences) {
      if (sentence.word_share < kMinSupportedShare) continue;
      worded.push_back({sentence.passage, sentence.range, sentence.word_share, false,
                        is_cited(sentence.passage)});
    }
  }
  std::stable_sort(worded.begin(), worded.end(), [](const Candidate& a, const Candidate& b) {
    if (a.cited != b.cited) return a.cited;
    return a.share > b.share;
  });
  candidates.insert(candidates.end(), worded.begin(), worded.end());
  // Stable: a copy stands before a paraphrase of the same rank.
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.cited && !b.cited; });
  return candidates;
}

bool SentenceChecker::NamesStandIn(std::string_view text, const Source& source) const {
  if (source.language == "de") return true;  // every noun has a capital
  const std::vector<std::string> names = NamesIn(text);
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return source.words.contains(name) || question_words_.contains(name) || IsFunctionWord(name);
  });
}

std::string SentenceChecker::Objection(const WrittenSentence& written,
                                       const Candidate& candidate) const {
  const Source& source = sources_[candidate.passage];
  const std::string_view span =
      std::string_view(passages_[candidate.passage].text)
          .substr(candidate.range.begin, candidate.range.end - candidate.range.begin);
  const std::set<std::string> known = NumbersOf(span);
  for (const std::string& number : NumbersOf(written.text)) {
    if (!known.contains(number) && !source.context_numbers.contains(number)) {
      return "its source does not give the number or month " + number;
    }
  }
  const std::vector<std::string> said = WordsOf(written.text);
  const std::vector<std::string> stands = WordsOf(span);
  if (HasNegation(said) && !HasNegation(stands)) return "its source does not negate";
  if (!HasNegation(said) && NegatesWhatIsSaid(stands, said)) return "its source negates it";
  if (!candidate.verbatim && !NamesStandIn(written.text, source)) {
    return "it names something that its source does not";
  }
  return "";
}

bool SentenceChecker::AddQuotations(const WrittenSentence& written,
                                    CheckedSentence& checked) const {
  for (const std::string& quotation : QuotationsOf(written.text)) {
    const std::string form = StatementForm(quotation);
    if (form.empty()) continue;
    std::optional<SupportingSpan> found;
    for (const std::size_t passage : Order(written)) {
      if (const auto range = sources_[passage].comparable.Find(form)) {
        found = SpanOf(passage, WholeSentences(passage, *range));
        break;
      }
    }
    if (!found) return false;
    if (std::find(checked.spans.begin(), checked.spans.end(), *found) == checked.spans.end()) {
      checked.spans.push_back(std::move(*found));
    }
  }
  return true;
}

CheckedSentence SentenceChecker::Check(const WrittenSentence& written) {
  CheckedSentence checked;
  checked.text = written.text;
  checked.reason = "no passage says it";
  for (const Candidate& candidate : Candidates(written)) {
    const std::string objection = Objection(written, candidate);
    if (!objection.empty()) {
      checked.reason = objection;
      continue;
    }
    checked.spans.push_back(SpanOf(candidate.passage, candidate.range));
    if (!AddQuotations(written, checked)) {
      checked.spans.clear();
      checked.reason = "it quotes what no passage says";
      return checked;
    }
    checked.supported = true;
    checked.reason.clear();
    return checked;
  }
  return checked;
}

}  // namespace sworn::service
