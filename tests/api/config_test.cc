#include "api/service/config.h"

#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::service {
namespace {

std::string Refusal(const std::string& text) {
  Config config;
  try {
    ApplyConfig(text, config);
    config.kb = config.kb.empty() ? "kb" : config.kb;
    ValidateConfig(config);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    return error.what();
  }
  return "";
}

TEST(ConfigTest, AppliesWhatIsGivenAndKeepsTheRest) {
  Config config;
  ApplyConfig(R"({"kb": "/data/kb", "workers": 3, "chunk_bytes": 800})", config);
  EXPECT_EQ(config.kb, "/data/kb");
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.chunk_bytes, 800U);
  EXPECT_EQ(config.max_pages, Config{}.max_pages);
  ValidateConfig(config);
}

TEST(ConfigTest, NamesTheKeyThatIsWrong) {
  EXPECT_NE(Refusal(R"({"worker": 3})").find("'worker'"), std::string::npos);
  EXPECT_NE(Refusal(R"({"workers": "3"})").find("'workers'"), std::string::npos);
  EXPECT_NE(Refusal(R"({"workers": -1})").find("'workers'"), std::string::npos);
  EXPECT_NE(Refusal(R"({"workers": 5000000000})").find("'workers'"), std::string::npos);
  EXPECT_NE(Refusal(R"({"workers": 1000})").find("'workers'"), std::string::npos);
  EXPECT_NE(Refusal(R"({"kb": 1})").find("'kb'"), std::string::npos);
  EXPECT_NE(Refusal(R"({"chunk_bytes": 10})").find("'chunk_bytes'"), std::string::npos);
}

TEST(ConfigTest, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "{", "1", "{} x"}) EXPECT_NE(Refusal(text), "") << text;
}

}  // namespace
}  // namespace sworn::service
