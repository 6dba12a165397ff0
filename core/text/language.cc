#include "core/text/language.h"

#include <algorithm>
#include <vector>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include "core/text/stop_words.h"
#include "core/text/unicode.h"
#include "core/text/word_scanner.h"

namespace sworn::text {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} * 1024;

// How much is read for the share of function words.
constexpr std::size_t kMaxWordsBytes = std::size_t{4} * 1024;
constexpr std::size_t kMinHits = 4;
constexpr std::size_t kMinHitPercent = 25;  // running prose has 40 to 50

// Share of the text, in per cent, that the main language must have.
constexpr int kMinPercent = 50;

// Codes that CLD2 gives in another form than ISO 639-1 has today.
std::string ModernCode(std::string_view code) {
  if (code == "iw") return "he";
  if (code == "jw") return "jv";
  if (code == "in") return "id";
  if (code == "mo") return "ro";
  if (code == "nb" || code == "nn") return "no";
  if (code.size() > 3 && code[2] == '-') code = code.substr(0, 2);  // zh-Hant
  // "un" is CLD2's own word for unknown; three letters stand for dialects and made-up codes.
  return code.size() == 2 && code != "un" ? std::string(code) : std::string(kUnknownLanguage);
}

std::string StatisticalLanguage(std::string_view utf8) {
  const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                   CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3] = {};
  int percents[3] = {};
  double scores[3] = {};
  int text_bytes = 0;
  int valid_bytes = 0;
  bool is_reliable = false;
  CLD2::ExtDetectLanguageSummaryCheckUTF8(utf8.data(), static_cast<int>(utf8.size()), true,
                                          &no_hints, 0, languages, percents, scores, nullptr,
                                          &text_bytes, &is_reliable, &valid_bytes);
  if (!is_reliable || percents[0] < kMinPercent) return std::string(kUnknownLanguage);
  return ModernCode(CLD2::LanguageCode(languages[0]));
}

/// The language whose stop words make up enough of the text and are far ahead of the others.
std::string FunctionWordLanguage(std::string_view utf8) {
  const auto languages = StopWordLanguages();
  std::vector<std::size_t> hits(languages.size());
  std::size_t words = 0;
  WordScanner scanner(utf8);
  for (Word word; scanner.Next(word);) {
    if (word.size() > kMaxWordBytes || word.has_digit) continue;
    ++words;
    const std::string folded = FoldCase(utf8.substr(word.begin, word.size()));
    for (std::size_t i = 0; i < languages.size(); ++i) {
      if (IsStopWord(folded, languages[i])) ++hits[i];
    }
  }
  const auto best = std::max_element(hits.begin(), hits.end());
  if (*best < kMinHits || *best * 100 < words * kMinHitPercent) {
    return std::string(kUnknownLanguage);
  }
  const bool is_clear = std::all_of(hits.begin(), hits.end(), [&best](const std::size_t& other) {
    return &other == &*best || other * 3 <= *best;
  });
  return std::string(is_clear ? languages[static_cast<std::size_t>(best - hits.begin())]
                              : kUnknownLanguage);
}

}  // namespace

std::string DetectLanguage(std::string_view utf8) {
  std::string language = StatisticalLanguage(utf8.substr(0, CutAtCodePoint(utf8, kMaxBytes)));
  const auto listed = StopWordLanguages();
  // Function words of Spanish abound in Portuguese too: elsewhere CLD2 has the word.
  if (language != kUnknownLanguage &&
      std::find(listed.begin(), listed.end(), language) == listed.end()) {
    return language;
  }
  std::string by_words = FunctionWordLanguage(utf8.substr(0, CutAtCodePoint(utf8, kMaxWordsBytes)));
  return by_words == kUnknownLanguage ? language : by_words;
}

}  // namespace sworn::text
