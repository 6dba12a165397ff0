#include "core/canonical_json.h"

#include <limits>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn {
namespace {

using nlohmann::json;

TEST(CanonicalJsonTest, PrintsNumbersAsEcmaScriptDoes) {
  // Values and texts of RFC 8785 appendix B, and the borders of each notation.
  const std::pair<double, const char*> cases[] = {
      {0.0, "0"},
      {-0.0, "0"},
      {5e-324, "5e-324"},
      {-5e-324, "-5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {9007199254740992.0, "9007199254740992"},
      {295147905179352830000.0, "295147905179352830000"},
      {9.999999999999997e22, "9.999999999999997e+22"},
      {1e23, "1e+23"},
      {1.0000000000000001e23, "1.0000000000000001e+23"},
      {999999999999999700000.0, "999999999999999700000"},
      {999999999999999900000.0, "999999999999999900000"},
      {1e21, "1e+21"},
      {9.999999999999997e-7, "9.999999999999997e-7"},
      {0.000001, "0.000001"},
      {333333333.3333332, "333333333.3333332"},
      {-0.0000033333333333333333, "-0.0000033333333333333333"},
      {1424953923781206.2, "1424953923781206.2"},
      {4.5, "4.5"},
      {0.002, "0.002"},
      {1e30, "1e+30"},
      {1e-27, "1e-27"},
      {123456.0, "123456"},
  };
  for (const auto& [number, text] : cases) EXPECT_EQ(EcmaScriptNumber(number), text);
}

TEST(CanonicalJsonTest, GivesTheExampleOfTheRfc) {
  const json value = json::parse(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]})");
  EXPECT_EQ(CanonicalJson(value),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(CanonicalJsonTest, OrdersNamesByUtf16) {
  // U+1F600 is a surrogate pair (d83d...) and sorts before U+FB33, unlike in UTF-8.
  const json value =
      json::parse(R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})");
  EXPECT_EQ(CanonicalJson(value),
            "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,"
            "\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
}

TEST(CanonicalJsonTest, RefusesWhatHasNoCanonicalForm) {
  json deep = 1;
  for (int i = 0; i < kMaxCanonicalDepth + 2; ++i) deep = json::array({deep});
  const json refused[] = {json(std::numeric_limits<double>::quiet_NaN()),
                          json(std::numeric_limits<double>::infinity()),
                          json((1LL << 53) + 1),
                          json(-(1LL << 53) - 1),
                          json(std::numeric_limits<std::uint64_t>::max()),
                          json("\xff"),
                          json("\xed\xa0\x80"),
                          json("\xc0\x80"),
                          json("\xe2\x82"),
                          json::binary({1, 2}),
                          deep};
  for (const json& value : refused) EXPECT_THROW(CanonicalJson(value), Error);
  EXPECT_EQ(CanonicalJson(json(1LL << 53)), "9007199254740992");
}

}  // namespace
}  // namespace sworn
