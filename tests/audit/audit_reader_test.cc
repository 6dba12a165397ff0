#include "audit/audit_reader.h"

#include <gtest/gtest.h>

#include "audit/merkle_tree.h"
#include "audit/tlog_proof.h"
#include "core/error.h"
#include "tests/audit/log_fixture.h"

namespace sworn::audit {
namespace {

using test::LogFixture;
using test::Question;

class AuditReaderTest : public testing::Test, protected LogFixture {
 protected:
  AuditReaderTest() { Fill(3); }
};

TEST_F(AuditReaderTest, ListsNewestFirstWithLimitTypeAndTime) {
  AuditReader reader(folder.path());
  EXPECT_EQ(reader.Size(), 7U);
  const auto all = reader.List({0, std::nullopt, std::nullopt});
  ASSERT_EQ(all.size(), 7U);
  EXPECT_EQ(all.front().at("index"), 6);
  EXPECT_EQ(all.back().at("type"), "log_opened");
  EXPECT_EQ(all.back().at("kb_id"), test::kTestKbId);
  EXPECT_EQ(reader.List({2, std::nullopt, std::nullopt}).size(), 2U);
  const auto outcomes = reader.List({0, EntryType::kOutcome, std::nullopt});
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes.front().at("intent"), 5);
  EXPECT_EQ(outcomes.front().at("status"), "answered");
  EXPECT_EQ(outcomes.front().at("passages").at(0).at("chunk_id"), "17");
  EXPECT_EQ(outcomes.front().at("passages").at(0).at("score"), 0.75);
  const std::int64_t third = ParseRfc3339(all.at(4).at("time").get<std::string>());
  EXPECT_EQ(reader.List({0, std::nullopt, third}).size(), 5U);
}

TEST_F(AuditReaderTest, ShowsThePayloadAndThatItIsTheLoggedOne) {
  AuditReader reader(folder.path());
  const auto intent = reader.Show(1);
  EXPECT_EQ(intent.at("payload").at("data").at("question"), "question 0");
  EXPECT_EQ(intent.at("payload").at("principal"), "alice");
  EXPECT_EQ(intent.at("payload_checked"), true);
  EXPECT_EQ(intent.at("operation"), "ask");
  EXPECT_EQ(reader.Show(2).at("payload").at("answer").at("answer"), "answer 0");
  EXPECT_THROW(reader.Show(7), Error);
}

TEST_F(AuditReaderTest, EntriesHoldNothingPersonal) {
  AuditReader reader(folder.path());
  reader.Export([](const nlohmann::json& line) {
    if (!line.contains("entry")) return;
    const std::string bytes = FromBase64(line.at("entry").get<std::string>());
    const Sha256Digest document = Sha256("document");
    for (const std::string& secret :
         {std::string("alice"), std::string("question"), std::string("answer 0"),
          std::string(document.begin(), document.end())}) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
    }
  });
}

TEST_F(AuditReaderTest, EveryExportedLineIsProvenByTheExportedCheckpoint) {
  const VerifierKey key = AuditLog(folder.path(), test::kTestKbId, {}, ops, clock).public_key();
  std::vector<nlohmann::json> lines;
  AuditReader(folder.path()).Export([&](const nlohmann::json& line) { lines.push_back(line); });
  ASSERT_EQ(lines.size(), 8U);
  const Checkpoint checkpoint =
      OpenCheckpoint(lines.back().at("checkpoint").get<std::string>(), key);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    std::vector<Sha256Digest> proof;
    for (const auto& hash : lines[i].at("proof")) {
      const std::string bytes = FromBase64(hash.get<std::string>());
      std::copy(bytes.begin(), bytes.end(), proof.emplace_back().begin());
    }
    EXPECT_TRUE(VerifyInclusion(HashLeaf(FromBase64(lines[i].at("entry").get<std::string>())), i,
                                checkpoint.size, proof, checkpoint.root));
  }
}

TEST_F(AuditReaderTest, GivesAReceiptOfAnyCoveredEntry) {
  AuditLog log = Open();
  const PendingIntent open = log.BeginIntent(Question("q"));
  AuditReader reader(folder.path());
  for (std::uint64_t index = 0; index < 7; ++index) {
    const Receipt receipt = reader.ReceiptOf(index);
    const TlogProof proof = ParseTlogProof(receipt.tlog_proof);
    EXPECT_EQ(proof.index, index);
    EXPECT_EQ(VerifyTlogProof(proof, log.public_key()).size, receipt.checkpoint_size);
  }
  EXPECT_THROW(reader.ReceiptOf(open.index()), Error);
}

TEST_F(AuditReaderTest, AFolderWithoutALogIsNotFound) {
  const sworn::test::TempFolder empty;
  EXPECT_THROW(AuditReader(empty.path()), Error);
}

TEST(EntryToJsonTest, UnknownTypesAndTagsAreShownInHexadecimal) {
  AuditEntry entry;
  entry.type = static_cast<EntryType>(500);
  entry.fields.SetRaw(900, "\x01\xff");
  const auto json = EntryToJson(4, entry);
  EXPECT_EQ(json.at("type"), "type_500");
  EXPECT_EQ(json.at("tag_900"), "01ff");
}

TEST(AnswerDigestTest, LeavesOutWhatChangesFromRunToRun) {
  nlohmann::json answer = {{"answer", "x"}, {"usage", {{"prompt_tokens", 3}}}};
  const Sha256Digest digest = AnswerDigest(answer);
  answer["audit"] = {{"intent", 1}};
  answer["timing_ms"] = {{"total", 1.25}};
  answer.erase("usage");
  EXPECT_EQ(AnswerDigest(answer), digest);
  EXPECT_EQ(digest, Sha256(R"({"answer":"x"})"));
  answer["answer"] = "y";
  EXPECT_NE(AnswerDigest(answer), digest);
}

TEST(EventTest, EventsCarryTheirFields) {
  const std::string digest(64, 'a');
  const EventRecord run = IndexRunEvent({"c_x", 4}, {1, 2, 3, 4, 5, 6}, digest, nullptr);
  const auto json = EntryToJson(0, {run.type, run.fields});
  EXPECT_EQ(json.at("type"), "index_run");
  EXPECT_EQ(json.at("generation"), 4);
  EXPECT_EQ(json.at("skipped"), 6);
  EXPECT_EQ(json.at("embedder_sha256"), digest);
  const EventRecord removed = DocumentWithdrawnEvent({"c_x", 5}, "d_y", 2, {{"path", "a.txt"}});
  EXPECT_EQ(EntryToJson(0, {removed.type, removed.fields}).at("document_id"), "d_y");
  EXPECT_EQ(VerifyEvent(false, 9).fields.Number(Tag::kOk), 0U);
  EXPECT_EQ(LogReadEvent(EntryType::kExport, 3, 4).fields.Number(Tag::kEntryCount), 4U);
}

}  // namespace
}  // namespace sworn::audit
