#include "llm/text/text_stream.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::llm {
namespace {

struct Streamed {
  std::string text;
  std::vector<std::string> pieces;
  bool stopped = false;
};

Streamed Stream(const std::vector<std::string>& stop, const std::vector<std::string>& tokens) {
  Streamed streamed;
  const TextSink sink = [&](std::string_view piece) { streamed.pieces.emplace_back(piece); };
  TextStream stream(stop, sink);
  for (const std::string& token : tokens) {
    streamed.stopped = stream.Push(token, 0);
    if (streamed.stopped) break;
  }
  if (!streamed.stopped) stream.Finish(0);
  streamed.text = stream.text();
  return streamed;
}

TEST(TextStream, DeliversWholeCodePoints) {
  const auto streamed = Stream({}, {"na\xC3", "\xAF", "ve \xF0\x9F", "\x98", "\x80!"});
  EXPECT_EQ(streamed.text, "na\xC3\xAFve \xF0\x9F\x98\x80!");
  EXPECT_EQ(streamed.pieces,
            (std::vector<std::string>{"na", "\xC3\xAF", "ve ", "\xF0\x9F\x98\x80!"}));
}

TEST(TextStream, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(Stream({}, {"a\xFF", "b"}).text, "a\uFFFDb");
  EXPECT_EQ(Stream({}, {"\xE2\x82", "x"}).text, "\uFFFDx");            // one maximal part
  EXPECT_EQ(Stream({}, {"\xED\xA0\x80"}).text, "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(Stream({}, {"\xC0\x80"}).text, "\uFFFD\uFFFD");            // too long
  EXPECT_EQ(Stream({}, {"\xF4\x90\x80\x80"}).text, "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Stream({}, {"x\xE2\x82"}).text, "x");  // not complete at the end
  std::string all;
  for (int byte = 255; byte >= 0; --byte) all += static_cast<char>(byte);
  EXPECT_TRUE(text::IsValidUtf8(Stream({}, {all, all}).text));
}

TEST(TextStream, StopsBeforeAStopTextThatTokensSplit) {
  auto streamed = Stream({"\n\nUser"}, {"one", "\n", "\nUs", "er: two", "three"});
  EXPECT_TRUE(streamed.stopped);
  EXPECT_EQ(streamed.pieces, std::vector<std::string>{"one"});

  // Held back while it may become one, then delivered.
  streamed = Stream({"\n\nUser", "\nEnd"}, {"one", "\n", "\nU", "se", "d"});
  EXPECT_FALSE(streamed.stopped);
  EXPECT_EQ(streamed.pieces, (std::vector<std::string>{"one", "\n\nUsed"}));

  // The first in the text, whatever the order of the list.
  EXPECT_EQ(Stream({"d", "b"}, {"abcd"}).text, "a");
  // A begun one at the end is text.
  EXPECT_EQ(Stream({"END"}, {"x EN"}).text, "x EN");
  // An end that repeats itself.
  EXPECT_EQ(Stream({"aab"}, {"a", "a", "a", "b", "c"}).text, "a");
  EXPECT_EQ(Stream({"\xC3\xA9!"}, {"caf\xC3", "\xA9", "!"}).text, "caf");
}

TEST(TextStream, HoldsBackWhatItsCallerSays) {
  std::string delivered;
  const TextSink sink = [&](std::string_view piece) { delivered += piece; };
  TextStream stream({}, sink);
  EXPECT_FALSE(stream.Push("see [", 1));
  EXPECT_EQ(delivered, "see ");
  EXPECT_FALSE(stream.Push("1", 2));
  EXPECT_EQ(delivered, "see ");
  EXPECT_FALSE(stream.Push("] and [1", 2));
  EXPECT_EQ(delivered, "see [1] and ");
  stream.Finish(2);
  EXPECT_EQ(stream.text(), "see [1] and ");
}

TEST(TextStream, RefusesStopTextsItCannotKeep) {
  const TextSink none;
  EXPECT_THROW(TextStream({""}, none), Error);
  EXPECT_THROW(TextStream({"\xFF"}, none), Error);
  EXPECT_THROW(TextStream({std::string(kMaxStopBytes + 1, 'x')}, none), Error);
  EXPECT_THROW(TextStream(std::vector<std::string>(kMaxStopTexts + 1, "x"), none), Error);
}

}  // namespace
}  // namespace sworn::llm
