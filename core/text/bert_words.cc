#include "core/text/bert_words.h"

#include <cstdint>
#include <utility>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include "core/error.h"

namespace sworn::text {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;  // ICU counts in 32 bits

bool IsCjk(UChar32 c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

bool IsSpace(UChar32 c) { return u_isUWhiteSpace(c) != 0; }

bool IsControl(UChar32 c) {
  return c != '\t' && c != '\n' && c != '\r' && (U_MASK(u_charType(c)) & U_GC_C_MASK) != 0;
}

// All of ASCII that is neither letter nor digit counts as punctuation ("$", "+"), as in BERT.
bool IsPunctuation(UChar32 c) {
  if (c < 0x80) {
    return (c > 0x20 && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') ||
           (c > 'z' && c < 0x7F);
  }
  return (U_MASK(u_charType(c)) & U_GC_P_MASK) != 0;
}

icu::UnicodeString Clean(std::string_view utf8, const BertWordRules& rules) {
  icu::UnicodeString out;
  const auto size = static_cast<std::int32_t>(utf8.size());
  for (std::int32_t at = 0; at < size;) {
    UChar32 c = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // inside ICU's macro
    U8_NEXT_OR_FFFD(utf8.data(), at, size, c);
#pragma GCC diagnostic pop
    if (rules.clean) {
      if (c == 0xFFFD || IsControl(c)) continue;
      if (IsSpace(c)) c = ' ';
    }
    if (rules.cjk && IsCjk(c)) {
      out.append(UChar32{' '}).append(c).append(UChar32{' '});
    } else {
      out.append(c);
    }
  }
  return out;
}

icu::UnicodeString WithoutAccents(const icu::UnicodeString& in) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const nfd = icu::Normalizer2::getNFDInstance(status);
  icu::UnicodeString decomposed;
  if (U_SUCCESS(status)) decomposed = nfd->normalize(in, status);
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::kInternal, std::string("ICU failed: ") + u_errorName(status));
  }
  icu::UnicodeString out;
  for (std::int32_t at = 0; at < decomposed.length();) {
    const UChar32 c = decomposed.char32At(at);
    at += U16_LENGTH(c);
    if (u_charType(c) != U_NON_SPACING_MARK) out.append(c);
  }
  return out;
}

std::vector<std::string> Cut(const icu::UnicodeString& text) {
  std::vector<std::string> words;
  icu::UnicodeString word;
  const auto end_word = [&] {
    if (word.isEmpty()) return;
    word.toUTF8String(words.emplace_back());
    word.remove();
  };
  for (std::int32_t at = 0; at < text.length();) {
    const UChar32 c = text.char32At(at);
    at += U16_LENGTH(c);
    if (IsSpace(c)) {
      end_word();
      continue;
    }
    if (IsPunctuation(c)) {
      end_word();
      word.append(c);
      end_word();
      continue;
    }
    word.append(c);
  }
  end_word();
  return words;
}

}  // namespace

std::vector<std::string> BertWords(std::string_view utf8, const BertWordRules& rules) {
  if (utf8.size() > kMaxBytes) {
    throw Error(ErrorCode::kTooLarge,
                "a text of " + std::to_string(utf8.size()) + " bytes is too long for one call");
  }
  icu::UnicodeString text = Clean(utf8, rules);
  if (rules.strip_accents) text = WithoutAccents(text);
  // Of each character by itself, as the vocabularies were made: no final sigma.
  if (rules.lowercase) {
    icu::UnicodeString lower;
    for (std::int32_t at = 0; at < text.length();) {
      const UChar32 c = text.char32At(at);
      at += U16_LENGTH(c);
      lower.append(u_tolower(c));
    }
    text = std::move(lower);
  }
  return Cut(text);
}

}  // namespace sworn::text
