#include "core/text/language.h"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include "core/text/unicode.h"

namespace sworn::text {
namespace {

constexpr std::size_t kMaxBytes = 64 * 1024;

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

}  // namespace

std::string DetectLanguage(std::string_view utf8) {
  const std::size_t size = CutAtCodePoint(utf8, kMaxBytes);
  const CLD2::CLDHints no_hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING,
                                   CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3] = {};
  int percents[3] = {};
  double scores[3] = {};
  int text_bytes = 0;
  int valid_bytes = 0;
  bool is_reliable = false;
  CLD2::ExtDetectLanguageSummaryCheckUTF8(utf8.data(), static_cast<int>(size), true, &no_hints, 0,
                                          languages, percents, scores, nullptr, &text_bytes,
                                          &is_reliable, &valid_bytes);
  if (!is_reliable || percents[0] < kMinPercent) return std::string(kUnknownLanguage);
  return ModernCode(CLD2::LanguageCode(languages[0]));
}

}  // namespace sworn::text
