// Damaged and hostile GGUF files: always an Error that names what is wrong.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "llm/files/gguf.h"
#include "llm/files/gguf_writer.h"
#include "tests/support/temp_folder.h"

namespace sworn::llm {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kHuge = std::uint64_t{1} << 60U;

// A file put together field by field, without the writer.
class Raw {
 public:
  Raw& Put(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  Raw& U32(std::uint32_t value) {
    return Put({reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  Raw& U64(std::uint64_t value) {
    return Put({reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  Raw& Text(std::string_view text) { return U64(text.size()).Put(text); }
  Raw& Header(std::uint64_t tensors, std::uint64_t entries) {
    return Put("GGUF").U32(3).U64(tensors).U64(entries);
  }
  Raw& Tensor(std::string_view name, const std::vector<std::uint64_t>& lengths, std::uint32_t type,
              std::uint64_t offset) {
    Text(name).U32(static_cast<std::uint32_t>(lengths.size()));
    for (const std::uint64_t length : lengths) U64(length);
    return U32(type).U64(offset);
  }
  /// Pads to the alignment and adds tensor data.
  Raw& Data(std::size_t count, std::size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment + count);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

void CheckRefused(const Raw& raw, ErrorCode code, const std::vector<std::string>& named) {
  const test::TempFolder folder;
  const auto path = folder.Write("m.gguf", raw.bytes());
  try {
    OpenGguf(path);
    ADD_FAILURE() << "not refused: " << named.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(path.native()));
    for (const std::string& part : named) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

void CheckDamaged(const Raw& raw, const std::vector<std::string>& named) {
  CheckRefused(raw, ErrorCode::kIntegrity, named);
}

// The file is sound until a test spoils one thing.
Raw OneTensor(std::uint64_t columns, std::uint32_t type, std::uint64_t offset) {
  return Raw().Header(1, 0).Tensor("w", {columns, 2}, type, offset);
}

TEST(GgufDamageTest, TheFilesThatTheOtherTestsSpoilAreSound) {
  const test::TempFolder folder;
  const auto file = OpenGguf(folder.Write("m.gguf", OneTensor(4, 0, 0).Data(32).bytes()));
  EXPECT_EQ(file->Find("w")->bytes.size(), 32);
}

TEST(GgufDamageTest, AFileCutAnywhereIsRefused) {
  const test::TempFolder folder;
  FileOps ops;
  std::uint64_t needed = 0;
  {
    GgufWriter writer(folder.path() / "whole.gguf", ops);
    writer.Set("general.architecture", std::string("llama"));
    writer.Set("flag", true);
    writer.Set("number", std::uint64_t{7});
    writer.Set("real", 0.5);
    writer.Set("words", std::vector<std::string>{"one", "", "three"});
    writer.Set("numbers", std::vector<std::int32_t>{1, 2, 3});
    writer.AddTensor("a", DType::kF16, {3, 4});
    writer.AddTensor("b", DType::kI2S, {2, 128});
    writer.AddTensor("c", DType::kQ8_0, {32});
    writer.Append(std::vector<std::uint8_t>(24));
    writer.Append(std::vector<std::uint8_t>(96));
    writer.Append(std::vector<std::uint8_t>(34));
    writer.Finish();
    const auto file = OpenGguf(folder.path() / "whole.gguf");
    const auto last = file->Find("c")->bytes;
    const auto first = file->Find("a")->bytes;
    needed = file->size_bytes() - 64 + 34;
    EXPECT_EQ(last.data() - first.data(), 64 + 128);
  }
  const std::string bytes = ReadFile(folder.path() / "whole.gguf", 1U << 20U);
  const auto cut = folder.path() / "cut.gguf";
  for (std::size_t length = 0; length < needed; ++length) {
    folder.Write("cut.gguf", std::string_view(bytes).substr(0, length));
    try {
      OpenGguf(cut);
      ADD_FAILURE() << "not refused at " << length;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIntegrity) << length << ": " << error.what();
    }
  }
  folder.Write("cut.gguf", std::string_view(bytes).substr(0, needed));
  EXPECT_NO_THROW(OpenGguf(cut));
}

TEST(GgufDamageTest, OtherContainersAndVersionsAreNotRead) {
  const auto unsupported = ErrorCode::kUnsupportedMedia;
  CheckRefused(Raw().Put("GGML").U32(3).U64(0).U64(0), unsupported, {"no GGUF file"});
  CheckRefused(Raw().Put("GGUF").U32(1).U64(0).U64(0), unsupported, {"version 1"});
  CheckRefused(Raw().Put("GGUF").U32(4).U64(0).U64(0), unsupported, {"version 4"});
  CheckRefused(Raw().Put("GGUF").U32(3U << 24U).U64(0).U64(0), unsupported, {"big-endian"});
}

TEST(GgufDamageTest, CountsThatTheFileCannotHoldAreRefused) {
  CheckDamaged(Raw().Header(kHuge, 0).Data(64), {"tensors"});
  CheckDamaged(Raw().Header(0, kHuge).Data(64), {"metadata entries"});
  CheckDamaged(Raw().Header(kMaxTensors + 1, 0).Data(8'000'000), {"65537 tensors"});
  CheckDamaged(Raw().Header(0, kMaxMetadataEntries + 1).Data(1'000'000), {"4097 metadata entries"});
}

TEST(GgufDamageTest, LongStringsAreRefused) {
  CheckDamaged(Raw().Header(0, 1).U64(kHuge).Data(64), {"metadata entry number 1", "at byte 24"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(8).U64(kHuge).Data(64), {"'k'", "at byte 37"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(8).U64(1'000).Data(64), {"'k'", "end of the file"});
  CheckDamaged(Raw().Header(1, 0).U64(kHuge).Data(64), {"tensor number 1"});
  CheckDamaged(Raw().Header(1, 0).Text(std::string(256, 'n')).Data(64), {"256 bytes"});
}

TEST(GgufDamageTest, LongArraysAreRefused) {
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(9).U32(0).U64(kHuge).Data(64), {"'k'"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(9).U32(8).U64(4'000'000).Data(64),
               {"'k'", "4000000 elements", "end of the file"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(9).U32(4).U64(2).U32(0), {"'k'"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(9).U32(10).U64(1).U64(~std::uint64_t{0}).Data(9),
               {"'k'", "2^63"});
  CheckRefused(Raw().Header(0, 1).Text("k").U32(9).U32(9).U64(1).Data(64),
               ErrorCode::kUnsupportedMedia, {"'k'", "array of arrays"});
}

TEST(GgufDamageTest, ValuesOfUnknownTypesAreRefused) {
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(13).Data(64), {"'k'", "unknown type 13"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(9).U32(99).U64(1).Data(64), {"'k'", "99"});
  CheckDamaged(Raw().Header(0, 1).Text("k").U32(7).Put("\2").Data(64), {"'k'", "truth value"});
}

TEST(GgufDamageTest, TheSameNameTwiceIsRefused) {
  CheckDamaged(Raw().Header(0, 2).Text("k").U32(7).Put("\1").Text("k").U32(7).Put("\1").Data(64),
               {"'k'", "twice"});
  CheckDamaged(Raw().Header(2, 0).Tensor("w", {8}, 0, 0).Tensor("w", {8}, 0, 32).Data(64),
               {"'w'", "twice"});
}

TEST(GgufDamageTest, ShapesThatDoNotMultiplyOutAreRefused) {
  const auto shape = [](const std::vector<std::uint64_t>& lengths, std::uint32_t type) {
    return Raw().Header(1, 0).Tensor("w", lengths, type, 0).Data(64);
  };
  CheckDamaged(shape({kHuge, 16}, 0), {"'w'"});
  CheckDamaged(shape({std::uint64_t{1} << 32U, std::uint64_t{1} << 32U}, 0), {"'w'"});
  CheckDamaged(shape({std::uint64_t{1} << 40U}, 0), {"'w'", "go beyond"});
  CheckDamaged(shape({8, 0}, 0), {"'w'", "dimension of 0"});
  CheckDamaged(shape({}, 0), {"'w'", "0 dimensions"});
  CheckDamaged(shape({1, 1, 1, 1, 1}, 0), {"'w'", "5 dimensions"});
  CheckDamaged(shape({33, 2}, 8), {"'w'", "Q8_0", "33 columns"});
  CheckDamaged(shape({128, 2}, 14), {"'w'", "Q6_K"});
}

TEST(GgufDamageTest, I2sBlocksAcrossRowsAreRefusedWithTheReason) {
  CheckDamaged(OneTensor(8'640, 36, 0).Data(2 * 8'640 / 4 + 32),
               {"'w'", "I2_S", "8640 columns", "128", "import"});
}

TEST(GgufDamageTest, UnknownTensorTypesAreRefused) {
  for (const std::uint32_t type : {4U, 31U, 37U, 1'000U, 0xFFFF'FFFFU}) {
    CheckRefused(OneTensor(4, type, 0).Data(64), ErrorCode::kUnsupportedMedia,
                 {"'w'", std::to_string(type)});
  }
}

TEST(GgufDamageTest, TensorsOutsideTheFileAreRefused) {
  CheckDamaged(OneTensor(4, 0, 0).Data(31), {"'w'", "32 bytes at offset 0"});
  CheckDamaged(OneTensor(4, 0, 32).Data(63), {"'w'", "go beyond"});
  CheckDamaged(OneTensor(4, 0, kHuge).Data(64), {"'w'", "go beyond"});
  CheckDamaged(OneTensor(4, 0, ~std::uint64_t{31}).Data(64), {"'w'", "go beyond"});
}

TEST(GgufDamageTest, OverlappingTensorsAreRefused) {
  CheckDamaged(Raw().Header(2, 0).Tensor("a", {16}, 0, 32).Tensor("b", {16}, 0, 0).Data(96),
               {"'a'", "overlaps", "'b'"});
  CheckDamaged(Raw().Header(2, 0).Tensor("a", {8}, 0, 0).Tensor("b", {8}, 0, 0).Data(96),
               {"overlaps"});
}

TEST(GgufDamageTest, WrongAlignmentsAreRefused) {
  CheckDamaged(OneTensor(4, 0, 8).Data(64), {"'w'", "multiple of 32"});
  for (const std::uint32_t alignment : {0U, 1U, 4U, 48U, 131'072U}) {
    CheckDamaged(Raw().Header(0, 1).Text("general.alignment").U32(4).U32(alignment).Data(64),
                 {"general.alignment", std::to_string(alignment)});
  }
  CheckDamaged(OneTensor(64, kGgufPanelsType, 0).Data(64 * 16), {"'w'", "multiple of 64"});
}

TEST(GgufDamageTest, NamesAreShownShortAndPrintable) {
  const std::string name = "evil\n\x1b[31m" + std::string(200, 'x');
  const test::TempFolder folder;
  const auto path = folder.Write("m.gguf", Raw().Header(0, 1).Text(name).U32(13).Data(64).bytes());
  try {
    OpenGguf(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("evil??[31m"));
    EXPECT_LT(std::string_view(error.what()).size(), path.native().size() + 200);
  }
}

TEST(GgufDamageTest, TensorNamesThatCannotBeShownAreRefused) {
  for (const std::string& name : {std::string(), std::string("a\n"), std::string("\x1b[31m")}) {
    CheckDamaged(Raw().Header(1, 0).Tensor(name, {4}, 0, 0).Data(32), {"tensor number 1"});
  }
}

TEST(GgufDamageTest, FoldersAndMissingFilesAreErrors) {
  const test::TempFolder folder;
  EXPECT_THROW(OpenModelFile(folder.path() / "absent.gguf"), Error);
  EXPECT_THROW(OpenModelFile(folder.path()), Error);
  EXPECT_THROW(OpenGguf(folder.path()), Error);
}

}  // namespace
}  // namespace sworn::llm
