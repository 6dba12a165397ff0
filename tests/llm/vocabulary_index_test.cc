#include "llm/decode/vocabulary_index.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_tokenizer.h"

namespace sworn::llm {
namespace {

TEST(VocabularyIndex, FindsTheTokensThatBeginWithGivenBytes) {
  const test::FakeTokenizer tokenizer({"an", "and", "ant", "an", "b\xFFx", std::string("a\0b", 3)});
  const VocabularyIndex index(tokenizer);
  const auto matches = [&](std::string_view prefix) {
    auto range = index.All();
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      range = index.Narrow(range, i, static_cast<std::uint8_t>(prefix[i]));
    }
    const auto complete = index.Complete(range, prefix.size());
    return std::pair(range.end - range.begin, std::vector<Token>(complete.begin(), complete.end()));
  };
  EXPECT_EQ(index.All().end, 262U);  // without the two control tokens
  EXPECT_EQ(matches("a"), std::pair(std::size_t{6}, std::vector<Token>{'a'}));
  EXPECT_EQ(matches("an"), std::pair(std::size_t{4}, (std::vector<Token>{258, 261})));
  EXPECT_EQ(matches("and"), std::pair(std::size_t{1}, std::vector<Token>{259}));
  EXPECT_EQ(matches("b\xFF"), std::pair(std::size_t{1}, std::vector<Token>{}));
  EXPECT_EQ(matches(std::string_view("a\0", 2)), std::pair(std::size_t{1}, std::vector<Token>{}));
  EXPECT_EQ(matches("ax"), std::pair(std::size_t{0}, std::vector<Token>{}));
}

}  // namespace
}  // namespace sworn::llm
