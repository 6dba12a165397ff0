#include "api/service/model_registry.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/service/model_service.h"
#include "core/crypto.h"
#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ModelRegistryTest : public testing::Test {
 protected:
  fs::path Stage(const std::string& bytes) {
    fs::path file = registry_.StagingFolder() / "one";
    scratch_.Write("models/staging/one", bytes);
    return file;
  }

  ModelEntry Add(const std::string& id, const std::string& bytes, const std::string& sha256 = "") {
    ModelEntry entry;
    entry.id = id;
    entry.architecture = "llama";
    entry.source = "/somewhere/x.gguf";
    return registry_.Add(Stage(bytes), entry, sha256);
  }

  template <typename Work>
  ErrorCode Refusal(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "accepted";
    return ErrorCode::kInternal;
  }

  test::TempFolder scratch_;
  FileOps files_;
  SystemClock clock_;
  ModelRegistry registry_{scratch_.path(), files_, clock_};
  std::string message_;
};

TEST_F(ModelRegistryTest, AModelIsPinnedListedAndRemoved) {
  EXPECT_TRUE(registry_.List().empty());
  const ModelEntry added = Add("tiny", "bytes of a model");
  EXPECT_EQ(added.sha256, ToHex(Sha256("bytes of a model")));
  EXPECT_EQ(added.bytes, 16U);
  const ModelRegistry reopened(scratch_.path(), files_, clock_);
  const ModelEntry found = reopened.Get("tiny");
  EXPECT_EQ(found.sha256, added.sha256);
  EXPECT_EQ(found.architecture, "llama");
  EXPECT_EQ(found.source, "/somewhere/x.gguf");
  EXPECT_EQ(found.imported_ms, added.imported_ms);
  EXPECT_TRUE(fs::exists(reopened.PathOf(found)));
  reopened.Verify(found);
  registry_.Remove("tiny");
  EXPECT_FALSE(fs::exists(reopened.PathOf(found)));
  EXPECT_EQ(Refusal([&] { (void)reopened.Get("tiny"); }), ErrorCode::kNotConfigured);
}

TEST_F(ModelRegistryTest, OneFlippedByteIsFound) {
  const ModelEntry entry = Add("tiny", "bytes of a model");
  scratch_.Write("models/tiny.gguf", "bytes of b model");
  EXPECT_EQ(Refusal([&] { registry_.Verify(entry); }), ErrorCode::kIntegrity);
  EXPECT_THAT(message_, HasSubstr(entry.sha256));
  scratch_.Write("models/tiny.gguf", "bytes of a mode");
  EXPECT_EQ(Refusal([&] { registry_.Verify(entry); }), ErrorCode::kIntegrity);
  fs::remove(registry_.PathOf(entry));
  EXPECT_EQ(Refusal([&] { registry_.Verify(entry); }), ErrorCode::kIntegrity);
}

TEST_F(ModelRegistryTest, AWrongDigestIsNotTaken) {
  EXPECT_EQ(Refusal([&] { Add("tiny", "one", ToHex(Sha256("two"))); }), ErrorCode::kIntegrity);
  EXPECT_TRUE(registry_.List().empty());
  Add("tiny", "one", ToHex(Sha256("one")));
  EXPECT_EQ(registry_.List().size(), 1U);
}

TEST_F(ModelRegistryTest, AnIdIsTakenOnceAndHasItsForm) {
  Add("tiny", "one");
  EXPECT_EQ(Refusal([&] { Add("tiny", "two"); }), ErrorCode::kConflict);
  for (const char* id : {"", "../x", "a/b", "A", ".hidden", "extractive", "x y"}) {
    EXPECT_EQ(Refusal([&] { Add(id, "two"); }), ErrorCode::kInvalidArgument) << id;
  }
  EXPECT_FALSE(IsModelId(std::string(65, 'a')));
  EXPECT_TRUE(IsModelId("bitnet-b1.58-2b-4t"));
}

TEST_F(ModelRegistryTest, IdsAreSuggestedByNames) {
  EXPECT_EQ(SuggestModelId("/data/ggml-model-i2_s.gguf"), "ggml-model-i2_s");
  EXPECT_EQ(SuggestModelId("https://host/a/My%20Model.gguf?download=true"), "my-20model");
  EXPECT_EQ(SuggestModelId("/data/Falcon3-1B/"), "falcon3-1b");
  EXPECT_EQ(SuggestModelId("/"), "");
}

TEST_F(ModelRegistryTest, ADamagedManifestIsAnErrorThatNamesIt) {
  Add("tiny", "one");
  const std::string good = ReadFile(scratch_.path() / "models" / "manifest.json", 1 << 20);
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string(R"({"format":1})"),
        std::string(R"({"format":1,"models":{"x":{"file":"../../etc/passwd","sha256":")") +
            std::string(64, '0') +
            R"(","bytes":1,"architecture":"","imported_at":"2026-01-01","source":""}}})",
        good.substr(0, good.size() / 2)}) {
    scratch_.Write("models/manifest.json", bad);
    EXPECT_EQ(Refusal([&] { (void)registry_.List(); }), ErrorCode::kIntegrity) << bad;
    EXPECT_THAT(message_, HasSubstr("manifest.json"));
  }
  scratch_.Write("models/manifest.json", R"({"format":2,"models":{}})");
  EXPECT_EQ(Refusal([&] { (void)registry_.List(); }), ErrorCode::kNotConfigured);
}

TEST(ResolvePullTest, NamesAreLookedForBelowTheBaseAddressOnly) {
  EXPECT_EQ(ResolvePull("https://h/x.gguf", "").url, "https://h/x.gguf");
  const PullSource known = ResolvePull("bitnet-b1.58-2b-4t", "https://h/");
  EXPECT_EQ(known.url,
            "https://h/microsoft/bitnet-b1.58-2B-4T-gguf/resolve/main/ggml-model-i2_s.gguf");
  EXPECT_EQ(known.sha256.size(), 64U);
  const PullSource other = ResolvePull("team/mine", "https://h");
  EXPECT_EQ(other.url, "https://h/team/mine.gguf");
  EXPECT_EQ(other.id, "mine");
  EXPECT_EQ(other.sha256, "");
  EXPECT_THROW(ResolvePull("mine", ""), Error);
}

}  // namespace
}  // namespace sworn::service
