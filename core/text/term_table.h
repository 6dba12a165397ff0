// The terms that words become, remembered: folding and stemming cost far more than a look-up.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sworn::text {

/// The longest index term; Xapian takes 245 bytes.
inline constexpr std::size_t kMaxTermBytes = 240;

/// Maps words of a text to numbered terms. One thread at a time.
class TermTable {
 public:
  using TermId = std::uint32_t;

  struct WordTerm {
    TermId id = 0;
    bool is_stop_word = false;
    std::uint32_t parts_begin = 0;  // for Parts
    std::uint8_t parts_count = 0;
  };

  TermTable();
  ~TermTable();
  TermTable(const TermTable&) = delete;
  TermTable& operator=(const TermTable&) = delete;

  /// A number for `language`, for the calls below; anything but a short code counts as unknown.
  std::uint8_t LanguageNumber(std::string_view language);

  /// The term of a word as it stands in a text, of at most kMaxWordBytes.
  WordTerm OfWord(std::string_view word, std::uint8_t language);

  /// The terms of the words that a compound holds (core/text/compounds.h), each once; valid until
  /// the next call of OfWord.
  [[nodiscard]] std::span<const TermId> Parts(const WordTerm& term) const {
    return std::span(parts_).subspan(term.parts_begin, term.parts_count);
  }

  /// The number of a term that is made already, an identifier.
  TermId OfTerm(std::string_view term);

  [[nodiscard]] const std::string& Text(TermId id) const { return *terms_[id]; }
  [[nodiscard]] std::size_t size() const { return terms_.size(); }

  /// Forgets everything if the table has grown past its bound; ids become invalid then. A single
  /// text adds no more than its own words in between.
  void TrimIfLarge();

 private:
  struct Stemmer;
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t key_begin = 0;  // in keys_
    std::uint8_t key_size = 0;
    std::uint8_t language = 0;
    WordTerm term;
  };

  void Grow();
  WordTerm MakeTerm(std::string_view word, std::uint8_t language);
  TermId StemTerm(const Stemmer& stemmer, std::string_view folded);
  void AddParts(const Stemmer& stemmer, std::string_view folded, WordTerm& term);

  std::vector<std::unique_ptr<Stemmer>> stemmers_;  // by language number
  std::vector<std::uint32_t> buckets_;              // 0 or entry index + 1; a power of two of them
  std::vector<Entry> entries_;
  std::string keys_;
  std::vector<TermId> parts_;  // of all entries that have some
  std::unordered_map<std::string, TermId> ids_;
  std::vector<const std::string*> terms_;  // keys of ids_
};

/// A word as languages without a stemmer index it: folded, apostrophes plain, without the
/// possessive "'s"; in Romance languages without the elided article ("l'homme" -> "homme").
std::string FoldWord(std::string_view word, std::string_view language);

}  // namespace sworn::text
