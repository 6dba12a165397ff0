#include "api/service/kb_folder.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

ErrorCode CodeOf(const std::filesystem::path& folder, bool create) {
  FileOps files;
  try {
    OpenKbFolder(folder, create, files);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;  // no error: never expected by the callers below
}

TEST(KbFolderTest, IsCreatedOnceAndKeepsItsIdentity) {
  const test::TempFolder scratch;
  FileOps files;
  const auto folder = scratch.path() / "a" / "kb";
  const std::string id = OpenKbFolder(folder, true, files).kb_id;
  EXPECT_EQ(id.size(), 36U);
  EXPECT_EQ(OpenKbFolder(folder, true, files).kb_id, id);
  EXPECT_EQ(OpenKbFolder(folder, false, files).kb_id, id);
}

TEST(KbFolderTest, IsNotMadeUnlessAskedFor) {
  const test::TempFolder scratch;
  EXPECT_EQ(CodeOf(scratch.path() / "kb", false), ErrorCode::kNotConfigured);
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "kb"));
}

TEST(KbFolderTest, AFolderWithSomethingElseIsLeftAlone) {
  const test::TempFolder scratch;
  scratch.Write("thesis.txt", "x");
  EXPECT_EQ(CodeOf(scratch.path(), true), ErrorCode::kNotConfigured);
}

TEST(KbFolderTest, ANewerFormatIsRefusedUntouched) {
  const test::TempFolder scratch;
  const std::string newer = R"({"format": 99, "kb_id": "x"})";
  scratch.Write("kb/kb.json", newer);
  EXPECT_EQ(CodeOf(scratch.path() / "kb", true), ErrorCode::kNotConfigured);
  EXPECT_EQ(ReadFile(scratch.path() / "kb" / "kb.json", 1000), newer);
}

TEST(KbFolderTest, ADamagedIdentityIsAnIntegrityError) {
  const test::TempFolder scratch;
  scratch.Write("kb/kb.json", "{");
  EXPECT_EQ(CodeOf(scratch.path() / "kb", true), ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace sworn::service
