#include "core/glob.h"

#include <chrono>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn {
namespace {

TEST(Glob, StarStaysWithinOneFolder) {
  EXPECT_TRUE(Glob("*.pdf").Matches("a.pdf"));
  EXPECT_TRUE(Glob("*.pdf").Matches(".pdf"));
  EXPECT_FALSE(Glob("*.pdf").Matches("x/a.pdf"));
  EXPECT_TRUE(Glob("x/*/a.*").Matches("x/y/a.txt"));
  EXPECT_FALSE(Glob("x/*/a.*").Matches("x/y/z/a.txt"));
  EXPECT_FALSE(Glob("a?b").Matches("a/b"));
}

TEST(Glob, DoubleStarCrossesFolders) {
  EXPECT_TRUE(Glob("**/b.txt").Matches("b.txt"));
  EXPECT_TRUE(Glob("**/b.txt").Matches("x/y/b.txt"));
  EXPECT_FALSE(Glob("**/b.txt").Matches("x/ab.txt"));
  EXPECT_TRUE(Glob("a/**/b").Matches("a/b"));
  EXPECT_TRUE(Glob("a/**/b").Matches("a/x/y/b"));
  EXPECT_FALSE(Glob("a/**/b").Matches("a/xb"));
  EXPECT_TRUE(Glob("a/**").Matches("a/x/y"));
  EXPECT_FALSE(Glob("a/**").Matches("b/x"));
  EXPECT_TRUE(Glob("a**z").Matches("a/m/z"));
}

TEST(Glob, ClassesAndChoices) {
  EXPECT_TRUE(Glob("[a-c][!0-9]").Matches("bx"));
  EXPECT_FALSE(Glob("[a-c][!0-9]").Matches("b7"));
  EXPECT_FALSE(Glob("[!a]").Matches("/"));
  EXPECT_TRUE(Glob("[]x]").Matches("]"));
  EXPECT_TRUE(Glob("[a-]").Matches("-"));
  EXPECT_TRUE(Glob("*.{pdf,doc{x,m}}").Matches("a.docm"));
  EXPECT_TRUE(Glob("*.{pdf,doc{x,m}}").Matches("a.pdf"));
  EXPECT_FALSE(Glob("*.{pdf,doc{x,m}}").Matches("a.doc"));
  EXPECT_TRUE(Glob("a{,b}").Matches("a"));
}

TEST(Glob, CharactersAreCodePoints) {
  EXPECT_TRUE(Glob("?.txt").Matches("ü.txt"));
  EXPECT_FALSE(Glob("??.txt").Matches("ü.txt"));
  EXPECT_TRUE(Glob("[à-ü]").Matches("é"));
  EXPECT_TRUE(Glob("?").Matches("\xff"));
  EXPECT_FALSE(Glob("\xff").Matches("\xfe"));
}

TEST(Glob, BackslashTakesTheNextCharacterAsItStands) {
  EXPECT_TRUE(Glob("\\*").Matches("*"));
  EXPECT_FALSE(Glob("\\*").Matches("a"));
  EXPECT_TRUE(Glob("\\{a,b\\}").Matches("{a,b}"));
  EXPECT_TRUE(Glob("[\\]]").Matches("]"));
}

TEST(Glob, TailBeginsAfterASlash) {
  EXPECT_TRUE(Glob("*.pdf").MatchesPathOrTail("/data/a/b.pdf"));
  EXPECT_TRUE(Glob("a/b.pdf").MatchesPathOrTail("/data/a/b.pdf"));
  EXPECT_FALSE(Glob("ta/a/b.pdf").MatchesPathOrTail("/data/a/b.pdf"));
  EXPECT_TRUE(Glob("/data/**").MatchesPathOrTail("/data/a/b.pdf"));
}

TEST(Glob, RefusesMalformedPatterns) {
  for (const char* pattern : {"", "[a", "{a", "{a,[b}", "a\\", "[!"}) {
    try {
      const Glob glob(pattern);
      ADD_FAILURE() << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << pattern;
    }
  }
  EXPECT_THROW(Glob("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), Error);
  EXPECT_THROW(Glob(std::string(kMaxGlobBytes + 1, 'a')), Error);
}

TEST(Glob, ManyStarsStayFast) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(Glob(pattern + "b").Matches(std::string(2000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// The definition, word for word, by recursion: too slow for long inputs, plain enough to trust.
bool MatchesSlowly(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  if (pattern.starts_with("**")) {
    return MatchesSlowly(pattern.substr(2), path) ||
           (!path.empty() && MatchesSlowly(pattern, path.substr(1)));
  }
  if (pattern[0] == '*') {
    return MatchesSlowly(pattern.substr(1), path) ||
           (!path.empty() && path[0] != '/' && MatchesSlowly(pattern, path.substr(1)));
  }
  if (path.empty()) return false;
  const bool one = pattern[0] == '?' ? path[0] != '/' : pattern[0] == path[0];
  return one && MatchesSlowly(pattern.substr(1), path.substr(1));
}

TEST(Glob, AgreesWithTheRecursiveDefinition) {
  std::mt19937 random(7);
  constexpr std::string_view kPathAlphabet = "ab/";
  for (int round = 0; round < 5000; ++round) {
    std::string pattern;
    std::string path;
    const auto length = 1 + random() % 6;
    while (pattern.size() < length) {
      constexpr std::string_view kTokens = "ab/*?";
      const char c = kTokens[random() % kTokens.size()];
      // "**/" has a meaning of its own, and three stars are two.
      if (c == '/' && pattern.ends_with("**")) continue;
      if (c == '*' && pattern.ends_with("**")) continue;
      pattern += c;
    }
    while (random() % 8 != 0) path += kPathAlphabet[random() % kPathAlphabet.size()];
    EXPECT_EQ(Glob(pattern).Matches(path), MatchesSlowly(pattern, path)) << pattern << " " << path;
  }
}

}  // namespace
}  // namespace sworn
