// Questions to a model, with a generator that says what the test wants.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/service/components.h"
#include "api/service/evidence.h"
#include "api/service/index_service.h"
#include "api/service/json.h"
#include "api/service/model_answer.h"
#include "api/service/query_service.h"
#include "api/service/writing_service.h"
#include "audit/audit_reader.h"
#include "audit/audit_verify.h"
#include "core/crypto.h"
#include "core/error.h"
#include "tests/support/fake_generator.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kQuestion = "How much notice does it take to terminate the agreement?";

class AskModelTest : public testing::Test {
 protected:
  AskModelTest() {
    documents_ = fs::canonical(scratch_.path()) / "documents";
    scratch_.Write("documents/agreement.md",
                   "# Services Agreement\n\n## Termination\n\nEither party may terminate this "
                   "agreement with sixty days written notice. Fees for the notice period remain "
                   "due.\n\n## Law\n\nThis agreement is governed by the law of Ireland.\n");
    scratch_.Write("documents/minutes.txt",
                   "Minutes of the March meeting.\n\nThe budget of 12,000 euros was agreed.\n");
    config_.kb = scratch_.path() / "kb";
    config_.program = SWORN_PROGRAM;
    config_.threads = 1;
    OpenAgain();
    IndexRequest request;
    request.paths = {documents_};
    RunIndexRequest(
        *parts_, *log_, request, [](const IndexProgress&) {}, cancel_);
    scratch_.Write("kb/models/staging/one", "a model");
    ModelEntry entry;
    entry.id = "fake";
    parts_->registry->Add(scratch_.path() / "kb/models/staging/one", entry, "");
    request_.text = kQuestion;
    request_.writing.model = "fake";
  }

  void OpenAgain() {
    log_.reset();
    parts_ = Compose(config_, true);
    parts_->models.open = [this](const fs::path&, const std::string&, const std::string&) {
      ++opened_;
      return std::shared_ptr<const Generator>(std::shared_ptr<void>(), &generator_);
    };
    log_ = std::make_unique<audit::AuditLog>(config_.kb, parts_->identity.kb_id, MakeActor(config_),
                                             parts_->files, parts_->clock);
  }

  AskResponse Ask(const SentenceSink& sink = {}) {
    return RunAsk(*parts_, *log_, request_, sink, cancel_);
  }
  AskResponse Ask(const std::string& answer) {
    generator_.set_answer(answer);
    return Ask();
  }

  json Entry(std::uint64_t index) { return audit::AuditReader(config_.kb).Show(index); }

  test::TempFolder scratch_;
  fs::path documents_;
  Config config_;
  CancelFlag cancel_;
  test::FakeGenerator generator_;
  int opened_ = 0;
  std::unique_ptr<Components> parts_;
  std::unique_ptr<audit::AuditLog> log_;
  AskRequest request_;
};

TEST_F(AskModelTest, ACopiedSentenceIsCitedAndVerified) {
  const AskResponse response =
      Ask("Either party may terminate this agreement with sixty days written notice [1].");
  EXPECT_EQ(response.status, AnswerStatus::kAnswered) << response.reason;
  ASSERT_EQ(response.citations.size(), 1U);
  EXPECT_EQ(response.citations[0].quote,
            "Either party may terminate this agreement with sixty days written notice.");
  EXPECT_TRUE(response.citations[0].verified);
  EXPECT_EQ(response.citations[0].chunk.path, (documents_ / "agreement.md").native());
  EXPECT_TRUE(response.sentences.at(0).verified);
  EXPECT_THAT(response.answer, HasSubstr("[1]"));
  EXPECT_EQ(response.model_id, "fake");
  EXPECT_EQ(response.model_sha256, ToHex(Sha256("a model")));
  EXPECT_GT(response.prompt_tokens, 0U);
  EXPECT_GT(response.completion_tokens, 0U);
  EXPECT_EQ(generator_.calls().at(0).second.constraint, TextConstraint::kCite);
}

TEST_F(AskModelTest, WhatNoPassageSaysIsLeftOutAndTheAnswerIsPartial) {
  const AskResponse response =
      Ask("Either party may terminate this agreement with sixty days written notice [1]. The fee "
          "for that is 900 euros [1].");
  EXPECT_EQ(response.status, AnswerStatus::kPartial);
  EXPECT_EQ(response.sentences.size(), 1U);
  EXPECT_EQ(response.left_out, 1U);
  EXPECT_EQ(response.answer.find("900"), std::string::npos);
  EXPECT_THAT(response.reason, HasSubstr("1 sentence of the model without support"));
}

TEST_F(AskModelTest, WhatNoPassageSaysCanBeLabelledInstead) {
  request_.writing.keep_unverified = true;
  const AskResponse response =
      Ask("Either party may terminate this agreement with sixty days written notice [1]. The fee "
          "for that is 900 euros [1].");
  EXPECT_EQ(response.status, AnswerStatus::kPartial);
  ASSERT_EQ(response.sentences.size(), 2U);
  EXPECT_FALSE(response.sentences[1].verified);
  EXPECT_TRUE(response.sentences[1].citations.empty());
  EXPECT_THAT(response.answer, HasSubstr("900 euros. [unverified]"));
}

TEST_F(AskModelTest, AnAnswerWithoutSupportIsAnAbstention) {
  AskResponse response = Ask("The agreement ends after five years and nobody has to do anything.");
  EXPECT_EQ(response.status, AnswerStatus::kAbstained);
  EXPECT_TRUE(response.answer.empty());
  EXPECT_THAT(response.reason, HasSubstr("do not support"));
  EXPECT_FALSE(response.nearest.empty());
  response = Ask("NO ANSWER");
  EXPECT_EQ(response.status, AnswerStatus::kAbstained);
  EXPECT_EQ(response.reason, "the model found no answer in the passages");
  EXPECT_EQ(Ask("").reason, "the model wrote nothing");
}

TEST_F(AskModelTest, WhatTheModelCannotAnswerIsQuotedOnlyIfThatIsConfigured) {
  EXPECT_EQ(Ask("NO ANSWER").status, AnswerStatus::kAbstained);
  parts_->config.extractive_fallback = true;
  const AskResponse response = Ask("NO ANSWER");
  EXPECT_NE(response.status, AnswerStatus::kAbstained);
  EXPECT_EQ(response.model_id, "extractive/1");
  EXPECT_FALSE(response.model_sha256);
  EXPECT_EQ(response.fallback_reason, "the model found no answer in the passages");
  EXPECT_TRUE(response.citations.at(0).verified);
}

TEST_F(AskModelTest, APassageCitedWronglyIsCorrectedAndAForeignNumberVanishes) {
  const AskResponse response =
      Ask("Either party may terminate this agreement with sixty days written notice [7].");
  ASSERT_EQ(response.status, AnswerStatus::kAnswered) << response.reason;
  EXPECT_EQ(response.answer,
            "Either party may terminate this agreement with sixty days written notice. [1]");
}

TEST_F(AskModelTest, ARepeatedSentenceIsSaidOnce) {
  const std::string sentence = "Fees for the notice period remain due [1]. ";
  EXPECT_EQ(Ask(sentence + sentence + sentence).sentences.size(), 1U);
}

TEST_F(AskModelTest, SentencesOfOneSourceShareItsCitation) {
  const AskResponse response =
      Ask("Either party may terminate this agreement with sixty days written notice. This "
          "agreement may be terminated by either party with notice.");
  ASSERT_EQ(response.sentences.size(), 2U) << response.reason;
  EXPECT_EQ(response.citations.size(), 1U);
  EXPECT_EQ(response.sentences[0].citations, response.sentences[1].citations);
}

TEST_F(AskModelTest, AQuestionThatThePassagesAreNotAboutDoesNotReachTheModel) {
  request_.text = "Which telescope discovered the ninth moon of Uranus?";
  EXPECT_EQ(Ask("The agreement may be terminated.").status, AnswerStatus::kAbstained);
  EXPECT_TRUE(generator_.calls().empty());
  EXPECT_EQ(opened_, 0);
}

TEST_F(AskModelTest, ASearchLoadsNoModelAndTwoQuestionsLoadItOnce) {
  SearchRequest search;
  search.text = "agreement";
  RunSearch(*parts_, *log_, search);
  EXPECT_EQ(opened_, 0);
  Ask();
  Ask();
  EXPECT_EQ(opened_, 1);
}

TEST_F(AskModelTest, AModelFileThatChangedIsNotUsed) {
  scratch_.Write("kb/models/fake.gguf", "a nodel");
  try {
    Ask();
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
  }
  EXPECT_EQ(opened_, 0);
  const json failed = Entry(log_->Size() - 1);
  EXPECT_EQ(failed["status"], "failed") << failed.dump();
}

TEST_F(AskModelTest, AnUnknownModelOrABadOptionIsRefusedBeforeAnythingIsLogged) {
  const std::uint64_t before = log_->Size();
  request_.writing.model = "other";
  EXPECT_THROW(Ask(), Error);
  request_.writing.model = "fake";
  request_.writing.generation.sampler.temperature = 9;
  EXPECT_THROW(Ask(), Error);
  request_.writing.generation.sampler.temperature = 0;
  request_.writing.generation.max_tokens = 0;
  EXPECT_THROW(Ask(), Error);
  request_.writing.generation.max_tokens = 10;
  request_.writing.generation.stop = {""};
  EXPECT_THROW(Ask(), Error);
  EXPECT_EQ(log_->Size(), before);
}

TEST_F(AskModelTest, StreamingGivesEachCheckedSentenceAfterItsIntentAndBeforeItsOutcome) {
  generator_.set_answer(
      "Either party may terminate this agreement with sixty days written notice [1]. The moon is "
      "made of cheese. Fees for the notice period remain due [1].");
  std::vector<std::string> seen;
  std::vector<std::size_t> citations;
  const std::uint64_t before = log_->Size();
  const AskResponse response =
      Ask([&](const AnswerSentence& sentence, std::span<const Citation> added) {
        EXPECT_EQ(log_->Size(), before + 1);
        EXPECT_TRUE(sentence.verified);
        seen.push_back(sentence.text);
        citations.push_back(added.size());
      });
  EXPECT_EQ(log_->Size(), before + 2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1], "Fees for the notice period remain due.");
  EXPECT_THAT(citations, testing::ElementsAre(1, 1));
  EXPECT_EQ(response.sentences.size(), 2U);
}

TEST_F(AskModelTest, CancellingLogsWhatWasShownAndThrows) {
  generator_.set_answer(
      "Either party may terminate this agreement with sixty days written notice [1]. Fees for the "
      "notice period remain due [1].");
  int shown = 0;
  try {
    Ask([&](const AnswerSentence&, std::span<const Citation>) {
      ++shown;
      cancel_.Cancel();
    });
    FAIL() << "not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_EQ(shown, 1);
  const json entry = Entry(log_->Size() - 1);
  EXPECT_EQ(entry["status"], "failed") << entry.dump(1);
  EXPECT_EQ(entry["reason"], "cancelled");
  EXPECT_THAT(entry.dump(), HasSubstr("sixty days"));
  EXPECT_EQ(entry.dump().find("remain due [1]"), std::string::npos);
}

TEST_F(AskModelTest, TheOutcomeNamesWhatWroteTheAnswer) {
  request_.writing.generation.sampler.temperature = 0.5;
  request_.writing.generation.sampler.seed = 18'446'744'073'709'551'615ULL;
  request_.writing.generation.max_tokens = 77;
  const AskResponse response = Ask();
  const json intent = Entry(response.audit.intent);
  const json outcome = Entry(response.audit.outcome);
  EXPECT_EQ(outcome["model_id"], "fake");
  EXPECT_EQ(outcome["model_sha256"], ToHex(Sha256("a model")));
  EXPECT_EQ(outcome["kernels"], "none");
  EXPECT_EQ(outcome["seed"], 18'446'744'073'709'551'615ULL);
  EXPECT_EQ(outcome["sampler"], "t=0.5 k=40 p=1 m=0 r=1 w=64");
  EXPECT_EQ(outcome["max_tokens"], 77);
  EXPECT_EQ(outcome["threads"], 1);
  EXPECT_EQ(outcome["prompt_template"], kPromptTemplate);
  EXPECT_EQ(outcome["prompt_tokens"], response.prompt_tokens);
  EXPECT_EQ(outcome["completion_tokens"], response.completion_tokens);
  EXPECT_TRUE(outcome.contains("prompt_commitment"));
  EXPECT_THAT(intent.dump(), HasSubstr(parts_->prompt_nonce));
  EXPECT_THAT(intent.dump(), HasSubstr("18446744073709551615"));
  log_->Close();
  const audit::VerifyReport report = audit::VerifyLog(config_.kb, {});
  EXPECT_TRUE(report.ok) << report.reason;
}

TEST_F(AskModelTest, TheRecordedValuesGiveTheSameAnswerInANewProcess) {
  const AskResponse first = Ask();
  const json payload = Entry(first.audit.intent)["payload"]["data"];
  OpenAgain();
  ASSERT_NE(parts_->prompt_nonce, payload["prompt_nonce"]);
  request_.writing.replay = Replay{payload["answer_id"], payload["prompt_nonce"]};
  const AskResponse second = Ask();
  EXPECT_EQ(audit::AnswerDigest(ToJson(first)), audit::AnswerDigest(ToJson(second)));
  const json a = Entry(first.audit.outcome)["payload"];
  const json b = Entry(second.audit.outcome)["payload"];
  EXPECT_EQ(a["prompt_sha256"], b["prompt_sha256"]);
  EXPECT_EQ(a["generation"], b["generation"]);
  request_.writing.replay.reset();
  const json c = Entry(Ask().audit.outcome)["payload"];
  EXPECT_NE(a["prompt_sha256"], c["prompt_sha256"]);  // another nonce, other fences
}

TEST_F(AskModelTest, QuoteModeAsksTheGeneratorForCopiesOnly) {
  request_.writing.quote = true;
  const AskResponse response = Ask();
  EXPECT_EQ(generator_.calls().at(0).second.constraint, TextConstraint::kQuote);
  EXPECT_EQ(response.status, AnswerStatus::kAnswered) << response.reason;
}

TEST_F(AskModelTest, AQuestionInALanguageOfNoDocumentReachesTheModel) {
  // The name is what the document is found by: words of another language are not.
  request_.text =
      "\u00bfCon cu\u00e1ntos d\u00edas de preaviso se puede rescindir el Services Agreement?";
  EXPECT_EQ(
      Ask("Either party may terminate this agreement with sixty days written notice [1].").status,
      AnswerStatus::kAnswered);
  EXPECT_THAT(generator_.calls().at(0).first.turns[0].text, HasSubstr("Answer in Spanish"));
}

TEST_F(AskModelTest, ADocumentIsSummarisedWithCitations) {
  generator_.set_answer(
      "Either party may terminate this agreement with sixty days written notice [1]. Unicorns "
      "are involved.");
  SummarizeRequest request;
  request.what = "agreement.md";
  request.writing.model = "fake";
  const AskResponse response = RunSummarize(*parts_, *log_, request, {}, cancel_);
  EXPECT_EQ(response.status, AnswerStatus::kPartial);
  ASSERT_EQ(response.citations.size(), 1U);
  EXPECT_TRUE(response.citations[0].verified);
  EXPECT_EQ(response.citations[0].chunk.path, (documents_ / "agreement.md").native());
  EXPECT_EQ(Entry(response.audit.intent)["operation"], "summarize");
}

TEST_F(AskModelTest, ATextIsSummarisedWithCitationsIntoItself) {
  generator_.set_answer("The ferry leaves at nine [1].");
  SummarizeRequest request;
  request.what = "The ferry leaves at nine. Nobody may smoke on board.";
  request.writing.model = "fake";
  const AskResponse response = RunSummarize(*parts_, *log_, request, {}, cancel_);
  ASSERT_EQ(response.citations.size(), 1U) << response.reason;
  EXPECT_EQ(response.citations[0].quote, "The ferry leaves at nine.");
  EXPECT_TRUE(response.citations[0].verified);
  EXPECT_TRUE(response.citations[0].chunk.document_id.empty());
  request.what = "no-such-file.md";
  EXPECT_THROW(RunSummarize(*parts_, *log_, request, {}, cancel_), Error);
}

TEST_F(AskModelTest, ATranslationIsAuditedAndUnverified) {
  generator_.set_answer("Die F\u00e4hre f\u00e4hrt um neun.");
  TranslateRequest request;
  request.text = "The ferry leaves at nine.";
  request.to = "de";
  request.writing.model = "fake";
  std::string streamed;
  const TranslateResponse response = RunTranslate(
      *parts_, *log_, request, [&](std::string_view piece) { streamed += piece; }, cancel_);
  EXPECT_EQ(response.text, "Die F\u00e4hre f\u00e4hrt um neun.");
  EXPECT_EQ(streamed, response.text);
  EXPECT_EQ(ToJson(response)["verified"], false);
  EXPECT_EQ(Entry(response.audit.intent)["operation"], "translate");
  EXPECT_THAT(Entry(response.audit.outcome).dump(), HasSubstr("neun"));
  request.writing.model = "extractive";
  EXPECT_THROW(RunTranslate(*parts_, *log_, request, {}, cancel_), Error);
}

}  // namespace
}  // namespace sworn::service
