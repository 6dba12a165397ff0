#include "llm/decode/suffix_automaton.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace sworn::llm {
namespace {

// By trying every earlier end.
SuffixAutomaton::Repeat PlainRepeat(const std::vector<Token>& tokens) {
  SuffixAutomaton::Repeat best;
  for (std::size_t end = 1; end < tokens.size(); ++end) {
    std::size_t length = 0;
    while (length < end && tokens[end - 1 - length] == tokens[tokens.size() - 1 - length]) {
      ++length;
    }
    if (length > best.length) best = {length, end};
  }
  return best;
}

TEST(SuffixAutomaton, KnowsTheLongestRepeatedEndAndItsFirstPlace) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const int kinds : {1, 2, 3, 20, 1'000}) {
    SuffixAutomaton automaton;
    std::vector<Token> tokens;
    EXPECT_EQ(automaton.LongestRepeat().length, 0U);
    for (int i = 0; i < 400; ++i) {
      tokens.push_back(static_cast<Token>(random() % static_cast<unsigned>(kinds)));
      automaton.Append(tokens.back());
      const auto found = automaton.LongestRepeat();
      const auto wanted = PlainRepeat(tokens);
      ASSERT_EQ(found.length, wanted.length) << kinds << " kinds, token " << i;
      if (wanted.length > 0) {
        ASSERT_EQ(found.next, wanted.next) << kinds << " kinds, token " << i;
      }
    }
    EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(), automaton.tokens().begin(),
                           automaton.tokens().end()));
  }
}

TEST(SuffixAutomaton, FindsALongCopyAmongManyTokens) {
  std::mt19937 random(7);
  SuffixAutomaton automaton;
  for (int i = 0; i < 50'000; ++i) automaton.Append(static_cast<Token>(random() % 100'000));
  const std::vector<Token> copied(automaton.tokens().begin() + 1'000,
                                  automaton.tokens().begin() + 1'100);
  for (const Token token : copied) automaton.Append(token);
  EXPECT_GE(automaton.LongestRepeat().length, 100U);
  EXPECT_EQ(automaton.LongestRepeat().next, 1'100U);
}

}  // namespace
}  // namespace sworn::llm
