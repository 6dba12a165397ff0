#include "core/text/pretokenize.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unicode/regex.h>
#include <unicode/unistr.h>

namespace sworn::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces Cut(PretokenRule rule, const std::string& text) {
  Pieces pieces;
  Pretokenizer pretokenizer(rule, text);
  for (std::string_view piece; pretokenizer.Next(piece);) pieces.emplace_back(piece);
  return pieces;
}

TEST(Pretokenize, Gpt2KeepsTheSpaceInFrontOfAWord) {
  EXPECT_EQ(Cut(PretokenRule::kGpt2, "I've  123 apples,\n\nand y'all'd!"),
            (Pieces{"I", "'ve", " ", " 123", " apples", ",", "\n", "\n", "and", " y", "'", "all",
                    "'d", "!"}));
}

TEST(Pretokenize, Llama3CutsDigitsByThreeAndKeepsLineBreaksWithPunctuation) {
  EXPECT_EQ(Cut(PretokenRule::kLlama3, "I'VE 12345 (ok).\n\n  x\tya\n"),
            (Pieces{"I", "'VE", " ", "123", "45", " (", "ok", ").\n\n", " ", " x", "\tya", "\n"}));
}

TEST(Pretokenize, Qwen2CutsEveryDigit) {
  EXPECT_EQ(Cut(PretokenRule::kLlama3SingleDigits, "a 12½"), (Pieces{"a", " ", "1", "2", "½"}));
}

TEST(Pretokenize, SmollmCutsDigitsBeforeAnythingElse) {
  EXPECT_EQ(Cut(PretokenRule::kGpt2SingleDigits, "a  12 b"), (Pieces{"a", "  ", "1", "2", " b"}));
}

TEST(Pretokenize, AnEmptyTextHasNoPieces) { EXPECT_TRUE(Cut(PretokenRule::kLlama3, "").empty()); }

/// The pieces by ICU's regular expressions: the rules as they are published.
class Reference {
 public:
  explicit Reference(const char* pattern) {
    UErrorCode status = U_ZERO_ERROR;
    pattern_.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(pattern), 0, status));
    EXPECT_TRUE(U_SUCCESS(status)) << u_errorName(status);
  }

  [[nodiscard]] Pieces Cut(const std::string& text) const {
    const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(text);
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(wide, status));
    Pieces pieces;
    while (matcher->find() != 0) matcher->group(status).toUTF8String(pieces.emplace_back());
    EXPECT_TRUE(U_SUCCESS(status)) << u_errorName(status);
    return pieces;
  }

 private:
  std::unique_ptr<icu::RegexPattern> pattern_;
};

constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::string RandomText(std::mt19937_64& random) {
  static const std::vector<std::string> parts = {
      " ",      " ",      "  ",     "\n",         "\r",        "\t",     "\v",     "'",
      "s",      "S",      "ll",     "Ve",         "re",        "D",      "a",      "b",
      "Z",      "1",      "23",     ".",          ",",         "(",      "\u00e9", "\u017f",
      "\u00bd", "\u0661", "\u00a0", "\u3000",     "?",         "\u4e2d", "\u0301", "\u2028",
      "\u0085", "\u200b", "\u2167", "\U0001F999", "\U0001D7D8"};
  std::string text;
  for (std::size_t i = random() % 14; i > 0; --i) text += parts[random() % parts.size()];
  return text;
}

TEST(Pretokenize, AgreesWithTheRegularExpressionsOnRandomTexts) {
  const std::vector<std::pair<PretokenRule, Reference>> rules = [] {
    std::vector<std::pair<PretokenRule, Reference>> out;
    out.emplace_back(PretokenRule::kGpt2, Reference(kGpt2Pattern));
    out.emplace_back(PretokenRule::kLlama3, Reference(kLlama3Pattern));
    out.emplace_back(PretokenRule::kLlama3SingleDigits, Reference(kQwen2Pattern));
    return out;
  }();
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = RandomText(random);
    for (const auto& [rule, reference] : rules) {
      ASSERT_EQ(Cut(rule, text), reference.Cut(text)) << "seed 1, text " << i;
    }
  }
}

TEST(Pretokenize, LongRunsOfAnyKindAreOneStepEach) {
  constexpr std::size_t kBytes = 4'000'000;
  for (const char c : {' ', '\n', 'a', '.', '1', '\''}) {
    for (const PretokenRule rule :
         {PretokenRule::kGpt2, PretokenRule::kLlama3, PretokenRule::kGpt2SingleDigits}) {
      std::size_t covered = 0;
      const std::string text = std::string(kBytes, c) + "b";
      Pretokenizer pretokenizer(rule, text);
      for (std::string_view piece; pretokenizer.Next(piece);) covered += piece.size();
      EXPECT_EQ(covered, text.size()) << c;
    }
  }
}

}  // namespace
}  // namespace sworn::text
