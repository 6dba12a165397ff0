#include "api/service/model_logits.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/service/kernel_choice.h"
#include "core/error.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace sworn::service {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class ModelLogitsTest : public testing::Test {
 protected:
  ModelLogitsTest() {
    WriteTinyGguf(test::MakeTinyModel({.hidden = 128, .ffn = 256, .context = 200}), request_.model);
  }

  void WriteTokens(const std::vector<std::int32_t>& tokens) {
    folder_.Write("tokens", {reinterpret_cast<const char*>(tokens.data()),
                             tokens.size() * sizeof(std::int32_t)});
  }
  LogitsReport Write() { return WriteLogits(config_, request_, ops_, cancel_); }
  [[nodiscard]] std::string Output() const { return ReadFile(request_.out, 1 << 28); }

  test::TempFolder folder_;
  LogitsRequest request_{.model = folder_.path() / "model",
                         .tokens = folder_.path() / "tokens",
                         .out = folder_.path() / "out"};
  Config config_;
  FileOps ops_;
  CancelFlag cancel_;
};

TEST_F(ModelLogitsTest, AreTheSameBytesForAnyThreadsAndKernelsAndAsManyAsTheTokens) {
  std::vector<std::int32_t> tokens(150);  // more than are in memory at a time
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<std::int32_t>(i * 7 % 250);
  WriteTokens(tokens);
  config_.threads = 1;
  const LogitsReport report = Write();
  EXPECT_EQ(report.tokens, 150U);
  EXPECT_EQ(report.threads, 1U);
  const std::string expected = Output();
  EXPECT_EQ(expected.size(), 150 * report.vocabulary * sizeof(float));
  config_.threads = 2;
  config_.kernels = "scalar";
  EXPECT_EQ(Write().kernels, "scalar");
  EXPECT_EQ(Output(), expected);
}

TEST_F(ModelLogitsTest, RefusesFilesThatAreNoTokensOfTheModelAndLeavesNothing) {
  for (const std::string& bytes : {std::string(), std::string("abc"), std::string(4, '\xFF')}) {
    folder_.Write("tokens", bytes);
    EXPECT_THROW(Write(), Error);
  }
  WriteTokens(std::vector<std::int32_t>(201));
  EXPECT_THAT([&] { Write(); }, ThrowsMessage<Error>(HasSubstr("context is 200")));
  EXPECT_FALSE(std::filesystem::exists(request_.out));
  EXPECT_FALSE(std::filesystem::exists(request_.out.native() + ".new"));
}

TEST(KernelChoiceTest, NamesWhatCanRunWhenTheChoiceCannot) {
  Config config;
  config.kernels = "abacus";
  EXPECT_THAT([&] { ChooseKernels(config); }, ThrowsMessage<Error>(HasSubstr("scalar")));
  config.kernels = "scalar";
  EXPECT_EQ(ChooseKernels(config).name, "scalar");
  config.kernels.clear();
  EXPECT_EQ(&ChooseKernels(config), kernels::RunnableKernels().front());
}

}  // namespace
}  // namespace sworn::service
