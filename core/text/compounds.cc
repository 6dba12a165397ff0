#include "core/text/compounds.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_set>

#include "core/text/german_nouns.h"

namespace sworn::text {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMinCompound = 7;  // letters, as all sizes here
constexpr size_t kMaxCompound = 60;
constexpr size_t kMinPart = 3;
constexpr size_t kMinUnknownFirst = 4;
constexpr size_t kMinUnknownLast = 5;
constexpr size_t kMinVowelLast = 7;  // of an unknown last part that begins with a vowel
constexpr size_t kMinBesideUnknown = 5;
constexpr size_t kMaxParts = 5;

// What a way of cutting costs; few parts and few unknown letters win.
constexpr int kPartCost = 10;
constexpr int kShortPartCost = 3;  // beyond that, for a part of three letters
constexpr int kUnknownCost = 20;
constexpr int kUnknownLetterCost = 2;

constexpr std::array<string_view, 11> kEndings = {"e",  "n",   "s",   "en",  "er", "es",
                                                  "se", "ern", "ens", "sen", "ses"};
constexpr std::array<string_view, 8> kLinks = {"s", "n", "e", "es", "en", "er", "ns", "ens"};

// Before these endings an "s" always links.
constexpr std::array<string_view, 8> kLinkedBySuffix = {"ung",  "heit", "keit", "schaft",
                                                        "itat", "ion",  "ling", "tum"};
// No part of a compound begins a word like this, or an unknown last part so.
constexpr std::array<string_view, 24> kParticles = {
    "gegen",  "wider",  "wieder", "hinter",   "durch",  "zuruck", "zusammen", "uber",
    "unter",  "nach",   "fort",   "entgegen", "heraus", "herein", "hinaus",   "hinein",
    "voraus", "vorbei", "weiter", "dagegen",  "nieder", "ausein", "miss",     "fehl"};
constexpr std::array<string_view, 13> kSuffixStarts = {"los",  "lich", "haft",   "bar", "sam",
                                                       "keit", "heit", "schaft", "tum", "chen",
                                                       "lein", "weis", "massig"};
// Endings of adjectives and verbs, which an unknown last part has not.
constexpr std::array<string_view, 15> kSuffixEnds = {
    "isch",   "ische",  "ischen", "ischer", "isches", "schen",  "lich", "liche",
    "lichen", "licher", "liches", "iert",   "ierte",  "ierten", "ieren"};
// Nouns that many words only end like ("erzählungen", "veröffentlicht", "vorgeschlagen"): not
// behind an unknown part.
constexpr std::array<string_view, 8> kUnsureLast = {"licht",  "lunge",  "zunge", "kante",
                                                    "stelle", "schlag", "griff", "native"};
constexpr std::array<string_view, 9> kVowelStarts = {"ab",  "an",   "auf",   "aus", "ein",
                                                     "ent", "uber", "unter", "um"};

bool StartsWithAny(string_view word, const auto& list) {
  return std::any_of(list.begin(), list.end(),
                     [word](string_view start) { return word.starts_with(start); });
}

bool EndsWithAny(string_view word, const auto& list) {
  return std::any_of(list.begin(), list.end(),
                     [word](string_view end) { return word.ends_with(end); });
}

bool Holds(const auto& list, string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool IsVowel(char c) { return string_view("aeiouy").find(c) != string_view::npos; }

/// Without umlauts; empty for a word with anything but German letters.
std::string Plain(string_view folded) {
  std::string plain;
  for (size_t i = 0; i < folded.size(); ++i) {
    const char c = folded[i];
    if (c >= 'a' && c <= 'z') {
      plain += c;
      continue;
    }
    const string_view letter = folded.substr(i, 2);
    if (letter == "\xC3\xA4") {
      plain += 'a';
    } else if (letter == "\xC3\xB6") {
      plain += 'o';
    } else if (letter == "\xC3\xBC") {
      plain += 'u';
    } else if (letter == "\xC3\x9F") {
      plain += "ss";
    } else {
      return "";
    }
    ++i;
  }
  return plain;
}

using WordSet = std::unordered_set<std::string>;

WordSet SetOf(string_view list) {
  WordSet words;
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find(' ', begin), list.size());
    words.insert(Plain(list.substr(begin, end - begin)));
    begin = end + 1;
  }
  return words;
}

const WordSet& Nouns() {
  static const WordSet kNouns = SetOf(kGermanNouns);
  return kNouns;
}

const WordSet& Modifiers() {
  static const WordSet kModifiers = SetOf(kGermanModifiers);
  return kModifiers;
}

bool IsNoun(string_view word) {
  return word.size() >= kMinPart && Nouns().contains(std::string(word));
}

/// The listed noun that `word` is a form of; 0 letters of it if there is none.
size_t NounWithEnding(string_view word, const auto& endings) {
  if (IsNoun(word)) return word.size();
  for (const string_view ending : endings) {
    if (word.ends_with(ending) && IsNoun(word.substr(0, word.size() - ending.size()))) {
      return word.size() - ending.size();
    }
  }
  return 0;
}

struct Part {
  size_t begin = 0;
  size_t end = 0;
  std::string word;  // empty: it is no term
  bool is_known = false;
  bool is_clipped = false;  // of a noun in -e
  bool is_linked = false;   // unknown, but "-ungs-" and the like end it
};

/// A part that others follow.
std::optional<Part> FirstPart(string_view plain, size_t begin, size_t end) {
  const string_view piece = plain.substr(begin, end - begin);
  if (const size_t letters = NounWithEnding(piece, kLinks); letters > 0) {
    return Part{begin, end, std::string(piece.substr(0, letters)), true};
  }
  // "miet-" for "miete", "schul-" for "schule".
  if (const std::string with_e = std::string(piece) + "e"; piece.size() > kMinPart) {
    if (IsNoun(with_e)) return Part{begin, end, with_e, true, true};
  }
  if (Modifiers().contains(std::string(piece))) return Part{begin, end, "", true};
  if (piece.size() < kMinUnknownFirst || std::none_of(piece.begin(), piece.end(), IsVowel) ||
      Holds(kParticles, piece) || piece.ends_with("ge") || piece.ends_with("zu")) {
    return std::nullopt;
  }
  const string_view unlinked = piece.substr(0, piece.size() - (piece.ends_with('s') ? 1 : 0));
  const bool is_linked = unlinked.size() < piece.size() && EndsWithAny(unlinked, kLinkedBySuffix);
  return Part{begin, end, std::string(is_linked ? unlinked : piece), false, false, is_linked};
}

std::optional<Part> LastPart(string_view plain, size_t begin) {
  const string_view piece = plain.substr(begin);
  if (const size_t letters = NounWithEnding(piece, kEndings); letters > 0) {
    return Part{begin, plain.size(), std::string(piece.substr(0, letters)), true};
  }
  if (piece.size() < kMinUnknownLast || StartsWithAny(piece, kSuffixStarts) ||
      EndsWithAny(piece, kSuffixEnds)) {
    return std::nullopt;
  }
  if (IsVowel(piece.front()) &&
      (piece.size() < kMinVowelLast || !StartsWithAny(piece, kVowelStarts))) {
    return std::nullopt;
  }
  if (std::none_of(piece.begin(), piece.end(), IsVowel)) return std::nullopt;
  return Part{begin, plain.size(), std::string(piece), false};
}

int CostOf(const Part& part) {
  const size_t letters = part.end - part.begin;
  if (part.is_known) return kPartCost + (letters <= kMinPart ? kShortPartCost : 0);
  return kUnknownCost + kUnknownLetterCost * static_cast<int>(letters);
}

/// The cheapest way to cut a word, letter position by letter position.
class Cutter {
 public:
  explicit Cutter(string_view plain) : plain_(plain) {}

  std::vector<Part> Run() {
    best_.resize(plain_.size() + 1);
    best_[0][0].cost = 0;
    for (size_t end = kMinPart; end + kMinPart <= plain_.size(); ++end) {
      for (size_t begin = 0; begin + kMinPart <= end; ++begin) {
        if (!IsReached(begin)) continue;
        if (const auto part = FirstPart(plain_, begin, end)) Extend(*part);
      }
    }
    for (size_t begin = kMinPart; begin + kMinPart <= plain_.size(); ++begin) {
      if (!IsReached(begin)) continue;
      if (const auto part = LastPart(plain_, begin)) Extend(*part);
    }
    const auto& [known, one_unknown] = best_[plain_.size()];
    return known.cost <= one_unknown.cost ? known.parts : one_unknown.parts;
  }

 private:
  static constexpr int kUnreached = std::numeric_limits<int>::max();
  struct Way {
    int cost = kUnreached;
    std::vector<Part> parts;
  };
  using Ways = std::array<Way, 2>;  // by how many of the parts are unknown

  [[nodiscard]] bool IsReached(size_t at) const {
    return best_[at][0].cost != kUnreached || best_[at][1].cost != kUnreached;
  }

  void Extend(const Part& part) {
    const size_t unknown = part.is_known ? 0 : 1;
    for (size_t before = 0; before + unknown < 2; ++before) {
      const Way& from = best_[part.begin][before];
      if (from.cost == kUnreached || from.parts.size() == kMaxParts) continue;
      if (!from.parts.empty() && !MayStandTogether(from.parts.back(), part)) continue;
      Way& to = best_[part.end][before + unknown];
      const int cost = from.cost + CostOf(part);
      if (cost >= to.cost) continue;
      Way way{cost, from.parts};
      way.parts.push_back(part);
      to = std::move(way);
    }
  }

  /// An unknown part needs a known noun of some length beside it.
  [[nodiscard]] bool MayStandTogether(const Part& left, const Part& right) const {
    if (left.is_known && right.is_known) return true;
    if (left.is_clipped || right.is_clipped) return false;
    if (left.is_linked && right.is_known) return true;
    if (!left.is_known && Holds(kUnsureLast, right.word)) return false;
    // The "s" of an unknown last part is more likely a link, or the link part of "sch".
    const string_view piece = string_view(plain_).substr(right.begin);
    const bool is_link =
        piece.starts_with('s') && (left.word.ends_with('t') || left.word.ends_with('g'));
    const bool is_torn = piece.starts_with("ch") && plain_[right.begin - 1] == 's';
    if (!right.is_known && (is_link || is_torn)) return false;
    return (left.is_known ? left : right).word.size() >= kMinBesideUnknown;
  }

  string_view plain_;
  std::vector<Ways> best_;
};

}  // namespace

std::vector<std::string> SplitGermanCompound(string_view folded) {
  if (folded.size() < kMinCompound || folded.size() > kMaxCompound) return {};
  const std::string plain = Plain(folded);
  if (plain.size() < kMinCompound || NounWithEnding(plain, kEndings) > 0) return {};
  const std::vector<Part> parts = Cutter(plain).Run();
  std::vector<std::string> words;
  for (const Part& part : parts) {
    if (!part.word.empty()) words.push_back(part.word);
  }
  // The compounds inside: from one part to another, but for the whole.
  for (size_t first = 0; first < parts.size(); ++first) {
    for (size_t last = first + 1; last < parts.size(); ++last) {
      if (last - first + 1 == parts.size() || parts[last].word.empty()) continue;
      words.push_back(plain.substr(parts[first].begin, parts[last].begin - parts[first].begin) +
                      parts[last].word);
    }
  }
  return words;
}

}  // namespace sworn::text
