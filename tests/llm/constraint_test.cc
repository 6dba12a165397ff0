#include "llm/decode/constraint.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/llm/quote_check.h"
#include "tests/support/fake_tokenizer.h"

namespace sworn::llm {
namespace {

const std::vector<std::string>& Passages() {
  static const std::vector<std::string> passages = {
      "The court dismissed the claim. It gave\nno reasons. The claimant appealed within ten days!",
      "Rent is due on the first day. See [3] for more. The tenant pays 3.50 euros; no interest.",
      "The court dismissed the claim. It did so \"at once.\"\n\nCosts were reserved.",
  };
  return passages;
}

const std::vector<std::string>& LongTokens() {
  static const std::vector<std::string> tokens = {" [",      "[1",
                                                  "[1]",     " [1]",
                                                  " [2].",   "].",
                                                  "] ",      "]\n\n",
                                                  "][",      "1]",
                                                  "12",      "[0",
                                                  "[9",      "The",
                                                  " the",    " co",
                                                  " court",  "urt",
                                                  " claim.", ". ",
                                                  "d\n",     "day",
                                                  "ay.",     "no ",
                                                  " rea",    "sons.",
                                                  "Rent",    "It",
                                                  "It gave", "\n\n",
                                                  ".\"",     "3.50",
                                                  "Co",      "sts",
                                                  "!",       " [3]",
                                                  "s. [",    "Rent is due on the first day. [2]"};
  return tokens;
}

bool AllowsText(TextConstraint kind, const std::string& text, std::size_t passages = 3) {
  std::vector<std::string> given = Passages();
  given.resize(passages, "More.");
  return Constraint(kind, given).Allows(text);
}

bool MayEndAfter(const std::string& text) {
  Constraint constraint(TextConstraint::kQuote, Passages());
  EXPECT_TRUE(constraint.Allows(text)) << text;
  constraint.Accept(text);
  return constraint.may_end();
}

TEST(ConstraintCite, AllowsOnlyNumbersOfPassages) {
  const auto cite = TextConstraint::kCite;
  for (const char* text : {"", "anything ]] 7", "so [1].", "[1][3] and [2]", "open [", "[1"}) {
    EXPECT_TRUE(AllowsText(cite, text)) << text;
  }
  for (const char* text : {"[0", "[4", "[12", "[01", "[]", "[ 1]", "[1,", "[1 ]", "[[", "[a"}) {
    EXPECT_FALSE(AllowsText(cite, text)) << text;
  }
  EXPECT_TRUE(AllowsText(cite, "[1][10][12]", 12));
  EXPECT_FALSE(AllowsText(cite, "[13", 12));
  EXPECT_FALSE(AllowsText(cite, "[100", 12));
  EXPECT_FALSE(AllowsText(cite, "see [", 0));
}

TEST(ConstraintCite, KnowsWhatIsUnfinished) {
  Constraint constraint(TextConstraint::kCite, Passages());
  EXPECT_TRUE(constraint.may_end());
  EXPECT_EQ(constraint.unfinished(), 0U);
  constraint.Accept("so [1");
  EXPECT_FALSE(constraint.may_end());
  EXPECT_EQ(constraint.unfinished(), 2U);
  constraint.Accept("] [");
  EXPECT_EQ(constraint.unfinished(), 1U);
  constraint.Accept("2]. ]");
  EXPECT_EQ(constraint.unfinished(), 0U);
  EXPECT_TRUE(constraint.may_end());
}

TEST(ConstraintQuote, AllowsWholeSentencesAndTheirCitations) {
  const auto quote = TextConstraint::kQuote;
  for (const char* text : {
           "",
           " The court dismissed the claim. [1]",
           "\nThe court dismissed the claim. [3]",
           "The court dismissed the claim.[1]",
           "The court dismissed the claim [1].",
           "The court dismissed the claim. It gave\nno reasons. [1]",
           "The court [1] dismissed the claim. [1]",
           "The court dismissed the claim. [3] It did so \"at once.\" [3]",
           "It did so \"at once [3].\"",
           "It did so \"at once.\"\n\nCosts were reserved. [3]",
           "Rent is due on the first day. [2] The claimant appealed within ten days! [1]",
           "Costs were reserved. [3]\n\nRent is due on the first day. [2]\nIt gave\nno",
       }) {
    EXPECT_TRUE(AllowsText(quote, text)) << text;
  }
  for (const char* text : {
           "Dismissed",                           // not in a passage
           "court",                               // not the start of a sentence
           "The court dismissed the claim. [2]",  // another passage
           "The court dismissed the claim. It gave\nno reasons. [3]",
           "The court dismissed the claim. It gave no",  // white space is copied too
           "The court dismissed the claim. Rent",        // no citation between the runs
           "The cou [1]",                                // inside a word
           "The court [1] Rent",                         // inside a sentence
           "The court dismissed the claim. [1] [3]",     // one citation is enough
           "The court dismissed the claim. [1]Rent",     // no space
           "Rent is due on the first day. See",          // holds a "["
           "See",
           "The tenant pays 3 [2]",  // inside a number
           "[1]",                    // cites nothing
           "The court  ",
       }) {
    EXPECT_FALSE(AllowsText(quote, text)) << text;
  }
}

TEST(ConstraintQuote, MayEndBehindACitedSentenceOnly) {
  EXPECT_TRUE(MayEndAfter(""));
  EXPECT_FALSE(MayEndAfter("The court dismissed"));
  EXPECT_FALSE(MayEndAfter("The court dismissed the claim."));
  EXPECT_FALSE(MayEndAfter("The court dismissed [1]"));
  EXPECT_TRUE(MayEndAfter("The court dismissed the claim. [1]"));
  EXPECT_TRUE(MayEndAfter("The court dismissed the claim. [1]\n"));
  EXPECT_FALSE(MayEndAfter("The court dismissed the claim [1]"));
  EXPECT_TRUE(MayEndAfter("The court dismissed the claim [1]."));
  EXPECT_FALSE(MayEndAfter("It did so \"at once [3]."));
  EXPECT_TRUE(MayEndAfter("It did so \"at once [3].\""));
  EXPECT_FALSE(MayEndAfter("Costs were reserved. [3] Rent"));
}

TEST(ConstraintQuote, WithNothingToQuoteMayOnlyEnd) {
  const test::FakeTokenizer tokenizer(LongTokens());
  const VocabularyIndex index(tokenizer);
  const std::vector<std::vector<std::string>> nothing = {{}, {""}, {"As [2] says."}};
  for (const auto& passages : nothing) {
    Constraint constraint(TextConstraint::kQuote, passages);
    EXPECT_TRUE(constraint.may_end());
    EXPECT_FALSE(constraint.Allows("A"));
    const auto allowed = constraint.AllowedTokens(index, 100);
    ASSERT_TRUE(allowed);
    EXPECT_EQ(*allowed, (std::vector<Token>{'\n', ' ', 258 + 29}));  // white space
  }
}

// The list of allowed tokens is what asking for each token gives.
void CheckAllowedTokens(const Constraint& constraint, const test::FakeTokenizer& tokenizer,
                        const VocabularyIndex& index) {
  const auto listed = constraint.AllowedTokens(index, 1'000);
  if (!listed) return;
  std::vector<Token> asked;
  for (Token token = 0; token < static_cast<Token>(tokenizer.vocabulary()); ++token) {
    const std::string_view bytes = tokenizer.Bytes(token);
    if (!bytes.empty() && constraint.Allows(bytes)) asked.push_back(token);
  }
  ASSERT_EQ(*listed, asked);
}

std::string RandomText(TextConstraint kind, std::mt19937& random, std::size_t tokens) {
  const test::FakeTokenizer tokenizer(LongTokens());
  const VocabularyIndex index(tokenizer);
  Constraint constraint(kind, Passages());
  std::string text;
  for (std::size_t i = 0; i < tokens || !constraint.may_end(); ++i) {
    CheckAllowedTokens(constraint, tokenizer, index);
    std::vector<Token> allowed;
    if (const auto listed = constraint.AllowedTokens(index, 1'000)) {
      allowed = *listed;
    } else {
      for (Token token = 258; token < static_cast<Token>(tokenizer.vocabulary()); ++token) {
        if (constraint.Allows(tokenizer.Bytes(token))) allowed.push_back(token);
      }
    }
    if (allowed.empty() || i > 10'000) {
      ADD_FAILURE() << "no way on after " << text;
      return text;
    }
    const std::string_view bytes = tokenizer.Bytes(allowed[random() % allowed.size()]);
    constraint.Accept(bytes);
    text += bytes;
  }
  return text;
}

TEST(ConstraintCite, NeverLetsARandomTextCiteWhatIsNotThere) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::size_t citations = 0;
  for (int round = 0; round < 50; ++round) {
    const std::string text = RandomText(TextConstraint::kCite, random, 60);
    for (const int number : test::Citations(text)) {
      ++citations;
      EXPECT_TRUE(number >= 1 && number <= 3) << text;
    }
  }
  EXPECT_GT(citations, 100U);
}

TEST(ConstraintQuote, MakesRandomTextsVerbatim) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    const std::string text = RandomText(TextConstraint::kQuote, random, 40);
    test::CheckQuotes(text, Passages());
    EXPECT_FALSE(test::Citations(text).empty());
  }
}

TEST(Constraint, RefusesPassagesItCannotRead) {
  const std::vector<std::string> many(kMaxConstraintPassages + 1, "x");
  EXPECT_THROW(Constraint(TextConstraint::kCite, many), Error);
  const std::vector<std::string> large(1, std::string(kMaxConstraintBytes + 1, 'x'));
  EXPECT_THROW(Constraint(TextConstraint::kQuote, large), Error);
  EXPECT_THROW(Constraint(TextConstraint::kQuote, {"ok.", "no\xFF."}), Error);
}

}  // namespace
}  // namespace sworn::llm
