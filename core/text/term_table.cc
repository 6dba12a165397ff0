#include "core/text/term_table.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <libstemmer.h>

#include "core/text/compounds.h"
#include "core/text/language.h"
#include "core/text/stop_words.h"
#include "core/text/unicode.h"
#include "core/text/word_scanner.h"

namespace sworn::text {
namespace {

constexpr std::size_t kMaxEntries = std::size_t{1} << 17;
constexpr std::size_t kFirstBuckets = std::size_t{1} << 12;
constexpr std::size_t kMaxLanguages = 200;
constexpr std::size_t kMaxLanguageBytes = 3;
constexpr std::size_t kMaxElidedBytes = 7;  // "lorsqu'"
static_assert(kMaxWordBytes <= std::numeric_limits<std::uint8_t>::max());

std::uint64_t Hash(std::string_view word, std::uint8_t language) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  std::uint64_t hash = (word.size() << 8 | language) * kMultiplier;
  std::size_t at = 0;
  for (; at < word.size(); at += 8) {
    std::uint64_t block = 0;
    std::memcpy(&block, word.data() + at, std::min<std::size_t>(8, word.size() - at));
    hash = (hash ^ block) * kMultiplier;
    hash ^= hash >> 29;
  }
  return hash;
}

bool Elides(std::string_view language) {
  return language == "fr" || language == "it" || language == "ca";
}

}  // namespace

struct TermTable::Stemmer {
  explicit Stemmer(std::string_view code)
      : language(code), prefix(language + ":"), handle(sb_stemmer_new(language.c_str(), "UTF_8")) {}
  ~Stemmer() { sb_stemmer_delete(handle); }
  Stemmer(const Stemmer&) = delete;
  Stemmer& operator=(const Stemmer&) = delete;

  /// The word itself where Snowball has no algorithm for the language.
  [[nodiscard]] std::string_view Stem(std::string_view word) const {
    if (handle == nullptr) return word;
    const sb_symbol* stem = sb_stemmer_stem(handle, reinterpret_cast<const sb_symbol*>(word.data()),
                                            static_cast<int>(word.size()));
    if (stem == nullptr) return word;  // out of memory, by its manual
    return {reinterpret_cast<const char*>(stem),
            static_cast<std::size_t>(sb_stemmer_length(handle))};
  }

  std::string language;
  std::string prefix;
  sb_stemmer* handle;  // null without an algorithm
};

TermTable::TermTable() : buckets_(kFirstBuckets) {}
TermTable::~TermTable() = default;

std::uint8_t TermTable::LanguageNumber(std::string_view language) {
  if (language.empty() || language.size() > kMaxLanguageBytes) language = kUnknownLanguage;
  std::size_t number = 0;
  while (number < stemmers_.size() && stemmers_[number]->language != language) ++number;
  if (number == stemmers_.size()) {
    if (number == kMaxLanguages) return LanguageNumber(stemmers_.front()->language);
    stemmers_.push_back(std::make_unique<Stemmer>(language));
  }
  return static_cast<std::uint8_t>(number);
}

TermTable::WordTerm TermTable::OfWord(std::string_view word, std::uint8_t language) {
  const std::uint64_t hash = Hash(word, language);
  const std::size_t mask = buckets_.size() - 1;
  std::size_t bucket = hash & mask;
  for (; buckets_[bucket] != 0; bucket = (bucket + 1) & mask) {
    const Entry& entry = entries_[buckets_[bucket] - 1];
    if (entry.hash == hash && entry.key_size == word.size() && entry.language == language &&
        std::memcmp(keys_.data() + entry.key_begin, word.data(), word.size()) == 0) {
      return entry.term;
    }
  }
  const WordTerm term = MakeTerm(word, language);
  entries_.push_back({hash, static_cast<std::uint32_t>(keys_.size()),
                      static_cast<std::uint8_t>(word.size()), language, term});
  keys_ += word;
  buckets_[bucket] = static_cast<std::uint32_t>(entries_.size());
  if (entries_.size() * 2 > buckets_.size()) Grow();
  return term;
}

void TermTable::Grow() {
  buckets_.assign(buckets_.size() * 2, 0);
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t bucket = entries_[i].hash & mask;
    while (buckets_[bucket] != 0) bucket = (bucket + 1) & mask;
    buckets_[bucket] = static_cast<std::uint32_t>(i + 1);
  }
}

TermTable::WordTerm TermTable::MakeTerm(std::string_view word, std::uint8_t language) {
  const Stemmer& stemmer = *stemmers_[language];
  const std::string folded = FoldWord(word, stemmer.language);
  WordTerm term{StemTerm(stemmer, folded), IsStopWord(folded, stemmer.language)};
  if (stemmer.language == "de" && !term.is_stop_word) AddParts(stemmer, folded, term);
  return term;
}

TermTable::TermId TermTable::StemTerm(const Stemmer& stemmer, std::string_view folded) {
  std::string term = stemmer.prefix;
  term += stemmer.Stem(folded);
  term.resize(CutAtCodePoint(term, kMaxTermBytes));
  return OfTerm(term);
}

void TermTable::AddParts(const Stemmer& stemmer, std::string_view folded, WordTerm& term) {
  term.parts_begin = static_cast<std::uint32_t>(parts_.size());
  for (const std::string& word : SplitGermanCompound(folded)) {
    if (IsStopWord(word, stemmer.language)) continue;
    const TermId part = StemTerm(stemmer, word);
    const auto begin = parts_.begin() + term.parts_begin;
    if (part == term.id || std::find(begin, parts_.end(), part) != parts_.end()) continue;
    parts_.push_back(part);
    ++term.parts_count;
  }
}

TermTable::TermId TermTable::OfTerm(std::string_view term) {
  const auto [place, is_new] =
      ids_.try_emplace(std::string(term), static_cast<TermId>(terms_.size()));
  if (is_new) terms_.push_back(&place->first);
  return place->second;
}

void TermTable::TrimIfLarge() {
  if (entries_.size() <= kMaxEntries && terms_.size() <= kMaxEntries) return;
  buckets_.assign(kFirstBuckets, 0);
  buckets_.shrink_to_fit();
  entries_.clear();
  entries_.shrink_to_fit();
  keys_.clear();
  keys_.shrink_to_fit();
  parts_.clear();
  parts_.shrink_to_fit();
  ids_.clear();
  terms_.clear();
}

std::string FoldWord(std::string_view word, std::string_view language) {
  std::string folded = FoldCase(word);
  constexpr std::string_view kCurly = "\xE2\x80\x99";
  std::size_t at = 0;
  while ((at = folded.find(kCurly, at)) != std::string::npos) folded.replace(at, 3, "'");
  if (folded.size() > 2 && folded.ends_with("'s")) folded.resize(folded.size() - 2);
  if (Elides(language)) {
    const std::size_t apostrophe = folded.find('\'');
    if (apostrophe <= kMaxElidedBytes && apostrophe + 1 < folded.size()) {
      folded.erase(0, apostrophe + 1);
    }
  }
  return folded;
}

}  // namespace sworn::text
