// From a model file to an answer in the log, with a small random model in the real engine.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/service/bench_llm.h"
#include "api/service/download.h"
#include "api/service/json.h"
#include "api/service/knowledge_base.h"
#include "audit/audit_records.h"
#include "core/error.h"
#include "core/file.h"
#include "tests/support/http_server.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kQuestion = "How much notice does it take to terminate the agreement?";
constexpr int kSeeds = 20;

ModelImportRequest Importing(const fs::path& path) {
  ModelImportRequest request;
  request.path = path;
  return request;
}

class ModelAnswerTest : public testing::Test {
 protected:
  ModelAnswerTest() {
    scratch_.Write("documents/agreement.md",
                   "# Services Agreement\n\nEither party may terminate this agreement with sixty "
                   "days written notice. Fees for the notice period remain due. This agreement is "
                   "governed by the law of Ireland.\n");
    scratch_.Write("documents/minutes.txt", "The budget of 12,000 euros was agreed in March.\n");
    config_.kb = scratch_.path() / "kb";
    config_.program = SWORN_PROGRAM;
    config_.threads = 1;
    config_.model = "tiny";
    kb_ = KnowledgeBase::Open(config_, true);
    IndexRequest index;
    index.paths = {scratch_.path() / "documents"};
    kb_->Index(index, Ignore(), cancel_);
    model_file_ = scratch_.path() / "tiny.gguf";
    test::WriteTinyGguf(test::MakeTinyModel({.context = 4096, .seed = 5}), model_file_);
    entry_ = kb_->ImportModel(Importing(model_file_), Ignore(), cancel_);
    request_.text = kQuestion;
    request_.writing.quote = true;
    request_.writing.generation.max_tokens = 120;
    request_.writing.generation.sampler.temperature = 1;
  }

  static ProgressSink Ignore() {
    return [](const IndexProgress&) {};
  }

  // A random model copies at random; some seed gives whole sentences.
  AskResponse AskUntilAnswered() {
    AskResponse response;
    for (int seed = 0; seed < kSeeds; ++seed) {
      request_.writing.generation.sampler.seed = static_cast<std::uint64_t>(seed);
      response = kb_->Ask(request_);
      if (response.status != AnswerStatus::kAbstained) break;
    }
    return response;
  }

  json Payload(std::uint64_t index) { return kb_->AuditShow(index)["payload"]; }

  test::TempFolder scratch_;
  Config config_;
  CancelFlag cancel_;
  fs::path model_file_;
  std::unique_ptr<KnowledgeBase> kb_;
  ModelEntry entry_;
  AskRequest request_;
};

TEST_F(ModelAnswerTest, AnImportedModelIsListedAndVerified) {
  EXPECT_EQ(entry_.id, "tiny");
  EXPECT_EQ(entry_.architecture, "bitnet-b1.58");
  ASSERT_EQ(kb_->Models().size(), 1U);
  EXPECT_EQ(kb_->VerifyModel("tiny").sha256, entry_.sha256);
  EXPECT_EQ(kb_->Status().model_sha256, entry_.sha256);
  scratch_.Write("kb/models/tiny.gguf", "GGUF");
  EXPECT_THROW(kb_->VerifyModel("tiny"), Error);
  EXPECT_THROW(kb_->Ask(request_), Error);
  EXPECT_EQ(kb_->RemoveModel("tiny").id, "tiny");
  EXPECT_TRUE(kb_->Models().empty());
}

TEST_F(ModelAnswerTest, APackedModelAndAFolderOfHuggingFaceAreTakenToo) {
  ModelImportRequest pack = Importing(model_file_);
  pack.id = "packed";
  pack.sha256 = entry_.sha256;
  pack.pack = true;
  const ModelEntry packed = kb_->ImportModel(pack, Ignore(), cancel_);
  EXPECT_NE(packed.sha256, entry_.sha256);
  const fs::path folder = scratch_.path() / "hf";
  test::WriteTinySafetensors(test::MakeTinyModel({.context = 4096, .seed = 5}),
                             test::HfWeights::kAutoBitLinear, folder);
  kb_->ImportModel(Importing(folder), Ignore(), cancel_);
  EXPECT_EQ(kb_->Models().size(), 3U);
  pack.id = "other";
  pack.sha256 = std::string(64, '0');
  EXPECT_THROW(kb_->ImportModel(pack, Ignore(), cancel_), Error);
}

TEST_F(ModelAnswerTest, APulledModelIsTakenOnlyWithTheWantedDigest) {
  if (!CanDownload()) GTEST_SKIP() << "built without network code";
  ::setenv("no_proxy", "127.0.0.1", 1);  // NOLINT(concurrency-mt-unsafe)
  test::HttpServer server;
  server.path = "/models/pulled.gguf";
  server.body = ReadFile(model_file_, std::uint64_t{1} << 30);
  server.cuts = 1;
  server.cut_after = server.body.size() / 2;
  ModelPullRequest request;
  request.what = "pulled";
  request.base_url = server.base() + "/models/";
  request.sha256 = std::string(64, '0');
  try {
    kb_->PullModel(request, Ignore(), cancel_);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
  }
  EXPECT_EQ(kb_->Models().size(), 1U);
  request.sha256 = entry_.sha256;
  const ModelEntry pulled = kb_->PullModel(request, Ignore(), cancel_);
  EXPECT_EQ(pulled.id, "pulled");
  EXPECT_EQ(pulled.source, server.url());
  EXPECT_EQ(kb_->VerifyModel("pulled").sha256, entry_.sha256);
  server.body = "no model at all";
  request.id = "other";
  request.sha256.clear();
  EXPECT_THROW(kb_->PullModel(request, Ignore(), cancel_), Error);
  EXPECT_EQ(kb_->Models().size(), 2U);
  const auto changes = kb_->AuditList({.limit = 0, .type = "config", .since_ms = {}});
  EXPECT_EQ(changes.size(), 2U);  // the imported and the pulled one
}

TEST_F(ModelAnswerTest, CopiesAreCitedStreamedAndAudited) {
  const AskResponse response = AskUntilAnswered();
  ASSERT_NE(response.status, AnswerStatus::kAbstained) << response.reason;
  ASSERT_FALSE(response.citations.empty());
  for (const Citation& citation : response.citations) {
    EXPECT_TRUE(citation.verified);
    const std::string text = kb_->ShowText(citation.chunk.document_id, citation.chunk.version);
    EXPECT_EQ(text.substr(citation.range.begin, citation.range.end - citation.range.begin),
              citation.quote);
  }
  std::vector<std::string> streamed;
  const AskResponse again = kb_->Ask(
      request_,
      [&](const AnswerSentence& sentence, std::span<const Citation>) {
        streamed.push_back(sentence.text);
      },
      cancel_);
  ASSERT_EQ(streamed.size(), again.sentences.size());
  for (std::size_t i = 0; i < streamed.size(); ++i) {
    EXPECT_EQ(streamed[i], again.sentences[i].text);
  }
  const json outcome = kb_->AuditShow(response.audit.outcome);
  EXPECT_EQ(outcome["model_sha256"], entry_.sha256);
  EXPECT_FALSE(outcome["kernels"].get<std::string>().empty());
  EXPECT_GT(response.prompt_tokens, 0U);
  EXPECT_TRUE(kb_->AuditVerify()["ok"].get<bool>());
}

TEST_F(ModelAnswerTest, WhatARandomModelInventsIsAnAbstention) {
  request_.writing.quote = false;
  request_.writing.generation.max_tokens = 40;
  const AskResponse response = kb_->Ask(request_);
  EXPECT_EQ(response.status, AnswerStatus::kAbstained);
  EXPECT_TRUE(response.answer.empty());
  EXPECT_FALSE(response.nearest.empty());
  EXPECT_EQ(response.completion_tokens > 0, true);
}

TEST_F(ModelAnswerTest, TheRecordedValuesGiveTheSameBytesInANewProcess) {
  const AskResponse first = AskUntilAnswered();
  const json intent = Payload(first.audit.intent)["data"];
  for (const std::uint32_t threads : {1U, 2U}) {
    config_.threads = threads;
    const json old = Payload(first.audit.outcome);
    kb_ = KnowledgeBase::Open(config_, false);
    request_.writing.replay = Replay{intent["answer_id"], intent["prompt_nonce"]};
    const AskResponse second = kb_->Ask(request_);
    const json now = Payload(second.audit.outcome);
    EXPECT_EQ(audit::AnswerDigest(ToJson(first)), audit::AnswerDigest(ToJson(second)));
    EXPECT_EQ(old["prompt_sha256"], now["prompt_sha256"]);
    EXPECT_EQ(old["generation"]["completions"][0]["text"],
              now["generation"]["completions"][0]["text"]);
  }
}

TEST_F(ModelAnswerTest, ASecondQuestionUsesWhatWasComputedForTheFirst) {
  const AskResponse first = kb_->Ask(request_);
  const AskResponse second = kb_->Ask(request_);
  const auto cached = [&](const AskResponse& response) {
    return Payload(response.audit.outcome)["generation"]["completions"][0]["cached_tokens"]
        .get<std::uint64_t>();
  };
  EXPECT_EQ(cached(first), 0U);
  EXPECT_GT(cached(second), second.prompt_tokens / 2);
  EXPECT_EQ(first.answer, second.answer);
}

TEST_F(ModelAnswerTest, CancellingIsInTheLog) {
  cancel_.Cancel();
  try {
    kb_->Ask(request_, {}, cancel_);
    FAIL() << "not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  const auto entries = kb_->AuditList({.limit = 1, .type = "outcome", .since_ms = {}});
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0]["status"], "failed");
  EXPECT_EQ(entries[0]["reason"], "cancelled");
}

TEST_F(ModelAnswerTest, AnUnknownKernelTableIsRefusedAndAForcedOneIsUsed) {
  config_.kernels = "quantum";
  EXPECT_THROW(KnowledgeBase::Open(config_, false)->Ask(request_), Error);
  config_.kernels = "scalar";
  kb_ = KnowledgeBase::Open(config_, false);
  EXPECT_EQ(kb_->AuditShow(kb_->Ask(request_).audit.outcome)["kernels"], "scalar");
}

TEST(BenchLlmTest, ATinyShapeGivesEveryFigureAndAFileThatOthersCanRead) {
  const test::TempFolder scratch;
  Config config;
  config.threads = 2;
  BenchLlmRequest request;
  request.shape = "tiny";
  request.prompt = 32;
  request.generate = 4;
  request.repeat = 1;
  request.write_model = scratch.path() / "tiny.gguf";
  const CancelFlag cancel;
  const auto ignore = [](std::string_view) {};
  const BenchLlmReport report = BenchLlm(config, request, ignore, cancel);
  EXPECT_EQ(report.threads, 2U);
  EXPECT_GT(report.prefill_tokens_per_s, 0);
  EXPECT_GT(report.decode_tokens_per_s, 0);
  EXPECT_GT(report.verify6_cost_ratio, 0);
  EXPECT_GT(report.bandwidth_share, 0);
  EXPECT_GT(report.load_s, 0);
  EXPECT_GT(report.vm_hwm_bytes, 0U);
  const json written = ToJson(report);
  for (const char* field :
       {"shape", "threads", "kernels", "prefill_tokens_per_s", "decode_tokens_per_s",
        "verify6_cost_ratio", "vnni_peak_share", "bandwidth_share", "load_s", "vm_hwm_bytes"}) {
    EXPECT_TRUE(written.contains(field)) << field;
  }
  request.shape.clear();
  request.model = request.write_model;
  request.write_model.clear();
  EXPECT_EQ(BenchLlm(config, request, ignore, cancel).shape, "tiny.gguf");
  request.model.clear();
  request.shape = "tiny";
  request.head = "q6_k";
  EXPECT_GT(BenchLlm(config, request, ignore, cancel).decode_tokens_per_s, 0);
  request.shape = "270m";
  EXPECT_THROW(BenchLlm(config, request, ignore, cancel), Error);
}

}  // namespace
}  // namespace sworn::service
