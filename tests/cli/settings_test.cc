#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn::cli {
namespace {

using testing::HasSubstr;

std::string RefusalOf(const GlobalOptions& options, const Environment& environment) {
  try {
    LoadSettings(options, environment);
  } catch (const Error& error) {
    return std::string(ErrorCodeName(error.code())) + ": " + error.what();
  }
  return "accepted";
}

TEST(Settings, CommandLineBeatsEnvironmentBeatsFileBeatsDefault) {
  const test::TempFolder folder;
  const auto file = folder.Write("c.json", R"({"kb":"/file","max_pages":7,"chunk_bytes":500})");
  GlobalOptions options;
  options.config = file.native();
  Environment environment = {{"HOME", "/home/x"}};
  EXPECT_EQ(LoadSettings(options, environment).kb, "/file");
  EXPECT_EQ(LoadSettings(options, environment).max_pages, 7U);
  environment["SWORN_KB"] = "/environment";
  environment["SWORN_MAX_PAGES"] = "8";
  EXPECT_EQ(LoadSettings(options, environment).kb, "/environment");
  EXPECT_EQ(LoadSettings(options, environment).max_pages, 8U);
  options.kb = "/line";
  const service::Config config = LoadSettings(options, environment);
  EXPECT_EQ(config.kb, "/line");
  EXPECT_EQ(config.chunk_bytes, 500U);
  EXPECT_EQ(config.extract_seconds, service::Config().extract_seconds);
}

TEST(Settings, FoldersFollowTheXdgSpecification) {
  EXPECT_EQ(LoadSettings({}, {{"HOME", "/home/x"}}).kb, "/home/x/.local/share/sworn");
  EXPECT_EQ(LoadSettings({}, {{"HOME", "/home/x"}, {"XDG_DATA_HOME", "/d"}}).kb, "/d/sworn");
  EXPECT_EQ(LoadSettings({}, {{"HOME", "/home/x"}, {"XDG_DATA_HOME", "relative"}}).kb,
            "/home/x/.local/share/sworn");
  EXPECT_THAT(RefusalOf({}, {}), HasSubstr("not_configured"));
}

TEST(Settings, TheUsualFileIsReadWhenItIsThere) {
  const test::TempFolder folder;
  folder.Write("sworn/config.json", R"({"workers":3})");
  const Environment environment = {{"HOME", "/x"}, {"XDG_CONFIG_HOME", folder.path().native()}};
  EXPECT_EQ(LoadSettings({}, environment).workers, 3U);
}

TEST(Settings, AFileThatWasAskedForMustBeThere) {
  EXPECT_THAT(RefusalOf({}, {{"HOME", "/x"}, {"SWORN_CONFIG", "/nowhere/c.json"}}),
              HasSubstr("not_found"));
}

TEST(Settings, UnknownOrMalformedVariablesAreRefused) {
  EXPECT_THAT(RefusalOf({}, {{"HOME", "/x"}, {"SWORN_WORKRES", "2"}}),
              HasSubstr("'SWORN_WORKRES': did you mean 'SWORN_WORKERS'?"));
  EXPECT_THAT(RefusalOf({}, {{"HOME", "/x"}, {"SWORN_WORKERS", "two"}}),
              HasSubstr("SWORN_WORKERS must be a whole number"));
  EXPECT_THAT(RefusalOf({}, {{"HOME", "/x"}, {"SWORN_CHUNK_BYTES", "1"}}),
              HasSubstr("chunk_bytes"));
  EXPECT_EQ(RefusalOf({}, {{"HOME", "/x"}, {"SWORN_SHARED_DATA", "/d"}, {"SWORN_TEST_LOOPS", "9"}}),
            "accepted");
}

TEST(Settings, TextAndSwitchVariablesReachTheirKeys) {
  const service::Config config = LoadSettings({}, {{"HOME", "/x"},
                                                   {"SWORN_MODEL", "tiny"},
                                                   {"SWORN_KERNELS", "scalar"},
                                                   {"SWORN_THREADS", "3"},
                                                   {"SWORN_EXTRACTIVE_FALLBACK", "1"},
                                                   {"SWORN_MODEL_BASE_URL", "https://h"}});
  EXPECT_EQ(config.model, "tiny");
  EXPECT_EQ(config.kernels, "scalar");
  EXPECT_EQ(config.threads, 3U);
  EXPECT_TRUE(config.extractive_fallback);
  EXPECT_EQ(config.model_base_url, "https://h");
}

}  // namespace
}  // namespace sworn::cli
