#include "core/text/analyzer.h"

#include <algorithm>

#include "core/text/identifiers.h"
#include "core/text/question.h"
#include "core/text/term_table.h"
#include "core/text/unicode.h"
#include "core/text/word_scanner.h"

namespace sworn::text {
namespace {

// Between the positions of title, heading and text, so that no phrase crosses from one into the
// next.
constexpr std::uint32_t kPositionGap = 100;

// A text is taken in pieces of about this size, cut at white space; bounds the scratch memory.
constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;

std::size_t EndOfPiece(std::string_view text, std::size_t begin) {
  if (text.size() - begin <= kPieceBytes) return text.size();
  const std::size_t end = begin + kPieceBytes;
  const std::size_t space = text.find_last_of(" \n\t\f", end);
  if (space != std::string_view::npos && space > begin) return space + 1;
  return begin + CutAtCodePoint(text.substr(begin), kPieceBytes);
}

/// Whether a hyphen may join two words.
bool MayJoin(std::string_view text, std::size_t end, std::size_t begin) {
  return (begin - end == 1 && text[end] == '-') || (begin - end == 3 && text[end] == '\xE2');
}

}  // namespace

struct Analyzer::Impl {
  /// One term of the text at hand.
  struct Slot {
    TermTable::TermId term = 0;
    std::uint32_t count = 0;
    bool has_positions = false;
  };
  struct Occurrence {
    std::uint32_t slot = 0;
    std::uint32_t position = 0;
  };

  void Begin(std::string_view language_code) {
    table.TrimIfLarge();
    language_ = table.LanguageNumber(language_code);
    for (const Slot& slot : slots_) slot_of_[slot.term] = 0;
    slots_.clear();
    occurrences_.clear();
    position_ = 0;
  }

  void AddText(std::string_view text, bool with_positions) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = EndOfPiece(text, begin);
      AddPiece(text.substr(begin, end - begin), with_positions);
      begin = end;
    }
    if (!text.empty()) position_ += kPositionGap;
  }

  std::vector<Posting> Finish() {
    std::vector<std::uint32_t> order(slots_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      return table.Text(slots_[a].term) < table.Text(slots_[b].term);
    });
    std::vector<Posting> postings(slots_.size());
    std::vector<std::uint32_t> rank(slots_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      const Slot& slot = slots_[order[i]];
      rank[order[i]] = i;
      postings[i].term = table.Text(slot.term);
      postings[i].wdf = slot.count;
      if (slot.has_positions) postings[i].positions.reserve(slot.count);
    }
    for (const Occurrence& occurrence : occurrences_) {
      postings[rank[occurrence.slot]].positions.push_back(occurrence.position);
    }
    return postings;
  }

  TermTable table;

 private:
  void AddPiece(std::string_view text, bool with_positions) {
    words_.clear();
    bool may_hold_identifiers = false;
    WordScanner scanner(text);
    std::size_t last_end = 0;
    for (Word word; scanner.Next(word);) {
      may_hold_identifiers |= word.has_digit || MayJoin(text, last_end, word.begin);
      last_end = word.end;
      words_.push_back(word);
      ++position_;
      if (word.size() > kMaxWordBytes) continue;
      const TermTable::WordTerm term =
          table.OfWord(text.substr(word.begin, word.size()), language_);
      if (term.is_stop_word) continue;
      for (const TermTable::TermId part : table.Parts(term)) Count(part);
      const std::uint32_t slot = Count(term.id);
      if (!with_positions) continue;
      slots_[slot].has_positions = true;
      occurrences_.push_back({slot, position_});
    }
    if (!may_hold_identifiers) return;
    identifiers_.clear();
    FindIdentifiers(text, words_, identifiers_);
    for (const Identifier& identifier : identifiers_) Count(table.OfTerm(identifier.term));
  }

  /// Counts a term and gives its slot.
  std::uint32_t Count(TermTable::TermId term) {
    if (term >= slot_of_.size()) slot_of_.resize(table.size() + table.size() / 4, 0);
    std::uint32_t& slot = slot_of_[term];
    if (slot == 0) {
      slots_.push_back({term, 0, false});
      slot = static_cast<std::uint32_t>(slots_.size());
    }
    ++slots_[slot - 1].count;
    return slot - 1;
  }

  std::uint8_t language_ = 0;
  std::uint32_t position_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> slot_of_;  // by term: 0 or slot + 1
  std::vector<Occurrence> occurrences_;
  std::vector<Word> words_;
  std::vector<Identifier> identifiers_;
};

Analyzer::Analyzer() : impl_(std::make_unique<Impl>()) {}
Analyzer::~Analyzer() = default;
Analyzer::Analyzer(Analyzer&&) noexcept = default;
Analyzer& Analyzer::operator=(Analyzer&&) noexcept = default;

std::vector<Posting> Analyzer::AnalyzePassage(const PassageText& passage) {
  impl_->Begin(passage.language);
  impl_->AddText(passage.title, true);
  impl_->AddText(passage.heading, true);
  impl_->AddText(passage.text, true);
  return impl_->Finish();
}

std::vector<Posting> Analyzer::AnalyzeDocument(const PassageText& document) {
  impl_->Begin(document.language);
  impl_->AddText(document.title, false);
  impl_->AddText(document.text, false);
  return impl_->Finish();
}

KeywordQuery Analyzer::AnalyzeQuestion(std::string_view question,
                                       std::span<const std::string> languages) {
  impl_->table.TrimIfLarge();
  return QuestionAnalyzer(impl_->table, languages).Analyze(question);
}

std::vector<Token> Analyzer::Tokenize(std::string_view text, std::string_view language) {
  impl_->table.TrimIfLarge();
  const std::uint8_t number = impl_->table.LanguageNumber(language);
  std::vector<Token> tokens;
  WordScanner scanner(text);
  for (Word word; scanner.Next(word);) {
    if (word.size() > kMaxWordBytes) continue;
    const TermTable::WordTerm term =
        impl_->table.OfWord(text.substr(word.begin, word.size()), number);
    tokens.push_back({impl_->table.Text(term.id), word.begin, word.end});
  }
  return tokens;
}

}  // namespace sworn::text
