#include "audit/audit_entry.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "audit/merkle_tree.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

// The worked example of docs/formats/audit.md.
AuditEntry WorkedExample() {
  AuditEntry entry{EntryType::kIntent, {}};
  entry.fields.SetNumber(Tag::kUtcMs, 1'767'225'600'000)
      .SetNumber(Tag::kMonotonicNs, 5'000'000'000)
      .SetBytes(Tag::kBootId, "0123456789abcdef")
      .SetNumber(Tag::kProcessId, 4711)
      .SetDigest(Tag::kPayload, std::string(32, '\x11'))
      .SetNumber(Tag::kOperation, static_cast<std::uint64_t>(Operation::kAsk))
      .SetCollections({{"c_aaaa", 3}});
  return entry;
}

constexpr const char* kWorkedHex =
    "5357413100020007"
    "0001000000080000019b76daa800"
    "000200000008000000012a05f200"
    "00030000001030313233343536373839616263646566"
    "0004000000080000000000001267"
    "0006000000201111111111111111111111111111111111111111111111111111111111111111"
    "0010000000080000000000000002"
    "001400000011000106635f616161610000000000000003";
constexpr const char* kWorkedLeaf =
    "d7e033ae46c3cf4a37bc0afc4a61896ec4906803f5fdfa7f2586dc25d7d00382";

std::string Hex(std::string_view bytes) {
  return ToHex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

AuditEntry RandomEntry(std::mt19937& random) {
  AuditEntry entry{static_cast<EntryType>(random() % 20), {}};
  std::vector<PassageFields> passages(random() % 5);
  for (PassageFields& passage : passages) {
    passage = {"d_" + std::to_string(random()),
               random(),
               std::string(32, static_cast<char>(random())),
               random(),
               random(),
               random(),
               random(),
               static_cast<float>(random()),
               0.5F,
               -1.0F};
  }
  entry.fields.SetPassages(passages).SetNumber(Tag::kUtcMs, random()).SetText(Tag::kReason, "why");
  for (int i = 0; i < 4; ++i) {
    entry.fields.SetRaw(static_cast<std::uint16_t>(1000 + random() % 50),
                        std::string(random() % 9, 'x'));
  }
  return entry;
}

TEST(AuditEntryTest, TheWorkedExampleHasTheseBytesAndThisLeaf) {
  const std::string bytes = EncodeEntry(WorkedExample());
  EXPECT_EQ(Hex(bytes), kWorkedHex);
  EXPECT_EQ(ToHex(HashLeaf(bytes)), kWorkedLeaf);
  EXPECT_EQ(DecodeEntry(bytes), WorkedExample());
}

TEST(AuditEntryTest, DecodingUndoesEncodingAndKeepsUnknownTags) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const AuditEntry entry = RandomEntry(random);
    const AuditEntry decoded = DecodeEntry(EncodeEntry(entry));
    EXPECT_EQ(decoded, entry);
    EXPECT_EQ(decoded.fields.Passages(), entry.fields.Passages());
  }
}

TEST(AuditEntryTest, NoOtherBytesDecodeToTheSameEntry) {
  std::mt19937 random(2);
  for (int i = 0; i < 20; ++i) {
    const AuditEntry entry = RandomEntry(random);
    const std::string bytes = EncodeEntry(entry);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (random() % 8)));
      try {
        EXPECT_EQ(EncodeEntry(DecodeEntry(flipped)), flipped);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
      }
      EXPECT_THROW(DecodeEntry(bytes.substr(0, at)), Error);
    }
    EXPECT_THROW(DecodeEntry(bytes + "x"), Error);
  }
}

TEST(AuditEntryTest, KnownFieldsOfAWrongShapeAreRefused) {
  for (const auto tag : {Tag::kUtcMs, Tag::kBootId, Tag::kPayload, Tag::kPassages, Tag::kReason}) {
    AuditEntry entry;
    entry.fields.SetBytes(tag, "\x01\x02\x03");
    EXPECT_THROW(DecodeEntry(EncodeEntry(entry)), Error) << static_cast<int>(tag);
  }
}

TEST(AuditEntryTest, BoundsAreChecked) {
  AuditEntry entry;
  entry.fields.SetRaw(2000, std::string(kMaxEntryBytes - 14, 'x'));
  EXPECT_EQ(EncodeEntry(entry).size(), kMaxEntryBytes);
  entry.fields.SetRaw(2001, "");
  EXPECT_THROW(EncodeEntry(entry), Error);
  EXPECT_THROW(entry.fields.SetText(Tag::kReason, std::string(kMaxEntryTextBytes + 1, 'x')), Error);
  EXPECT_THROW(entry.fields.SetText(Tag::kReason, "caf\xc3\xa9"), Error);
  EXPECT_THROW(entry.fields.SetDigest(Tag::kAnswer, "short"), Error);
  EXPECT_THROW(entry.fields.SetPassages(std::vector<PassageFields>(kMaxEntryPassages + 1)), Error);
  EXPECT_THROW(entry.fields.SetCollections(std::vector<CollectionState>(kMaxEntryCollections + 1)),
               Error);
}

TEST(AuditEntryTest, EveryNameLeadsBackToItsType) {
  for (std::uint16_t number = 1; number <= static_cast<std::uint16_t>(EntryType::kClockStep);
       ++number) {
    const auto type = static_cast<EntryType>(number);
    const auto name = EntryTypeName(type);
    ASSERT_TRUE(name.has_value()) << number;
    EXPECT_EQ(EntryTypeFromName(*name), type);
  }
  EXPECT_EQ(EntryTypeName(static_cast<EntryType>(999)), std::nullopt);
}

}  // namespace
}  // namespace sworn::audit
