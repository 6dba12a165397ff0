// The facade on the real stores, with real extraction workers.
#include "api/service/knowledge_base.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/sqlite.h"
#include "tests/support/temp_folder.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kAgreement =
    "# Services Agreement\n\n## Termination\n\nEither party may terminate this agreement with "
    "sixty days written notice. Fees for the notice period remain due.\n\n## Law\n\nThis agreement "
    "is governed by the law of Ireland.\n";

class KnowledgeBaseTest : public testing::Test {
 protected:
  KnowledgeBaseTest() {
    documents_ = fs::canonical(scratch_.path()) / "documents";
    fs::create_directories(documents_);
    config_.kb = scratch_.path() / "kb";
    config_.program = SWORN_PROGRAM;
    Write("agreement.md", kAgreement);
    Write("guidance.txt",
          "Warfarin guidance.\n\nCheck the INR of every patient with code C34.1 before surgery. "
          "Patients with code C34.2 need no check.\n");
    Write("minutes.txt",
          "Minutes of the March meeting.\n\nThe budget of 12,000 euros was agreed.\n");
    kb_ = KnowledgeBase::Open(config_, true);
  }

  void Write(const std::string& name, const std::string& text) {
    scratch_.Write("documents/" + name, text);
  }

  IndexReport Index(bool allow_mass_remove = false) {
    IndexRequest request;
    request.paths = {documents_};
    request.allow_mass_remove = allow_mass_remove;
    return kb_->Index(
        request, [](const IndexProgress&) {}, cancel_);
  }

  AskResponse Ask(const std::string& question) {
    AskRequest request;
    request.text = question;
    return kb_->Ask(request);
  }

  std::vector<Hit> Search(const std::string& text) {
    SearchRequest request;
    request.text = text;
    request.mode = SearchMode::kKeyword;  // the vector leg finds something for every text
    return kb_->Search(request).hits;
  }

  test::TempFolder scratch_;
  fs::path documents_;
  Config config_;
  CancelFlag cancel_;
  std::unique_ptr<KnowledgeBase> kb_;
};

TEST_F(KnowledgeBaseTest, MirrorsTheFolder) {
  IndexReport report = Index();
  EXPECT_EQ(report.added, 3U);
  EXPECT_EQ(report.failed + report.skipped, 0U);
  EXPECT_EQ(Index().unchanged, 3U);

  Write("minutes.txt", "Minutes of the April meeting.\n");
  Write("new.txt", "A new page about anchors.\n");
  fs::remove(documents_ / "guidance.txt");
  report = Index();
  EXPECT_EQ(report.updated, 1U);
  EXPECT_EQ(report.added, 1U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(Search("anchors").at(0).chunk.path, (documents_ / "new.txt").native());
  EXPECT_TRUE(Search("Warfarin").empty());
  EXPECT_EQ(kb_->List({}).size(), 3U);
}

TEST_F(KnowledgeBaseTest, AMovedFileKeepsItsDocument) {
  Index();
  const std::string id = kb_->Show("minutes.txt").document_id;
  fs::create_directories(documents_ / "2026");
  fs::rename(documents_ / "minutes.txt", documents_ / "2026" / "march.txt");
  const IndexReport report = Index();
  EXPECT_EQ(report.added, 0U);
  EXPECT_EQ(report.removed, 0U);
  EXPECT_EQ(kb_->Show("march.txt").document_id, id);
  EXPECT_EQ(Search("budget").at(0).chunk.path, (documents_ / "2026" / "march.txt").native());
}

TEST_F(KnowledgeBaseTest, AMassRemovalNeedsTheUsersWord) {
  Index();
  fs::remove_all(documents_);
  fs::create_directories(documents_);
  try {
    Index();
    FAIL() << "expected a refusal";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConflict);
    EXPECT_THAT(error.what(), HasSubstr("--allow-mass-remove"));
  }
  EXPECT_EQ(kb_->List({}).size(), 3U);
  EXPECT_EQ(Index(true).removed, 3U);
  EXPECT_TRUE(kb_->List({}).empty());
}

TEST_F(KnowledgeBaseTest, AMissingRootRemovesNothing) {
  Index();
  fs::remove_all(documents_);
  EXPECT_THROW(Index(true), Error);
  EXPECT_EQ(kb_->List({}).size(), 3U);
}

TEST_F(KnowledgeBaseTest, UnreadableFilesAreNamedAndCounted) {
  Write("empty.txt", "");
  Write("broken.pdf", "%PDF-1.7 nothing follows");
  Write("picture.png", std::string("\x89PNG\r\n\x1a\n", 8) + "xxxx");
  const IndexReport report = Index();
  EXPECT_EQ(report.added, 3U);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.skipped, 2U);
  EXPECT_EQ(report.notes.size(), 3U);
  const IndexReport again = Index();
  EXPECT_EQ(again.unchanged, 3U);
  EXPECT_EQ(again.skipped, 2U);
  EXPECT_EQ(Ask("What was the budget?").coverage.unreadable, 1U);
}

TEST_F(KnowledgeBaseTest, AnswersWithVerifiedQuotations) {
  Index();
  const AskResponse response =
      Ask("How many days of notice does it take to terminate the agreement?");
  ASSERT_NE(response.status, AnswerStatus::kAbstained) << response.reason;
  ASSERT_FALSE(response.citations.empty());
  const Citation& citation = response.citations[0];
  EXPECT_THAT(citation.quote, HasSubstr("sixty days"));
  EXPECT_TRUE(citation.verified);
  EXPECT_EQ(citation.chunk.path, (documents_ / "agreement.md").native());
  const std::string text = kb_->ShowText(citation.chunk.document_id, 0);
  EXPECT_EQ(text.substr(citation.range.begin, citation.range.end - citation.range.begin),
            citation.quote);
  EXPECT_THAT(response.answer, HasSubstr("[1]"));
  EXPECT_GT(response.audit.outcome, response.audit.intent);
}

TEST_F(KnowledgeBaseTest, AbstainsWithAReasonAndTheNearestPassages) {
  Index();
  const AskResponse response = Ask("Which telescope discovered the ninth moon of Uranus?");
  EXPECT_EQ(response.status, AnswerStatus::kAbstained);
  EXPECT_FALSE(response.reason.empty());
  EXPECT_TRUE(response.answer.empty());
}

TEST_F(KnowledgeBaseTest, AnExactIdentifierStandsAboveANearMiss) {
  Index();
  Write("other.txt", "C34.2 C34.2 C34.2 patients code check surgery INR. C34.10 too.\n");
  Index();
  EXPECT_EQ(Search("C34.1 patients code check surgery").at(0).chunk.path,
            (documents_ / "guidance.txt").native());
}

TEST_F(KnowledgeBaseTest, AQuoteIsNotVerifiedOnceTheStoredTextIsChanged) {
  Index();
  AskResponse response = Ask("How many days of notice does it take to terminate the agreement?");
  ASSERT_FALSE(response.citations.empty());
  {
    SqliteConnection catalog(config_.kb / "catalog.db", SqliteConnection::Mode::kReadWrite);
    catalog.Execute(
        "UPDATE content_text SET text = CAST(replace(CAST(text AS TEXT), 'sixty', 'ninety') AS "
        "BLOB)");
    ASSERT_GT(catalog.Changes(), 0);
  }
  // This process still reads its generation as it was; the quotations are compared with what the
  // catalog holds now.
  const std::string question = "How many days of notice does it take to terminate the agreement?";
  const AskResponse again = Ask(question);
  ASSERT_FALSE(again.citations.empty());
  EXPECT_FALSE(again.citations[0].verified);
  EXPECT_FALSE(again.sentences[0].verified);
  EXPECT_EQ(again.status, AnswerStatus::kPartial);
  // A new process meets the damage before anything is quoted.
  AskRequest request;
  request.text = question;
  EXPECT_THROW(KnowledgeBase::Open(config_, false)->Ask(request), Error);
  EXPECT_FALSE(kb_->Fsck(false, [](std::string_view) {}).empty());
}

TEST_F(KnowledgeBaseTest, EqualFilesAreStoredOnceAndBothNamed) {
  Write("copy.md", kAgreement);
  Index();
  EXPECT_EQ(kb_->List({}).size(), 4U);
  const std::vector<Hit> hits = Search("law of Ireland");
  ASSERT_FALSE(hits.empty());
  EXPECT_EQ(hits[0].chunk.also_at.size(), 1U);
  fs::remove(documents_ / "agreement.md");
  Index();
  ASSERT_FALSE(Search("law of Ireland").empty());
  EXPECT_EQ(Search("law of Ireland")[0].chunk.path, (documents_ / "copy.md").native());
}

TEST_F(KnowledgeBaseTest, RemoveWithdrawsAndKeepsTheText) {
  Index();
  const std::string id = kb_->Show("minutes.txt").document_id;
  EXPECT_EQ(kb_->Remove("minutes.txt").removed.size(), 1U);
  EXPECT_TRUE(Search("budget euros agreed").empty());
  EXPECT_THAT(kb_->ShowText(id, 1), HasSubstr("budget"));
  EXPECT_THROW(kb_->Remove("no-such-file"), Error);
}

TEST_F(KnowledgeBaseTest, EveryQuestionHasItsTwoEntriesAndTheLogVerifies) {
  Index();
  Ask("What was the budget?");
  Search("budget");
  const auto entries = kb_->AuditList({.limit = 0, .type = "outcome", .since_ms = {}});
  EXPECT_EQ(entries.size(), 2U);
  const nlohmann::json report = kb_->AuditVerify();
  EXPECT_TRUE(report["ok"].get<bool>()) << report.dump();
  EXPECT_EQ(report["open_intents"], 0);
  const nlohmann::json shown = kb_->AuditShow(entries[1]["index"]);
  EXPECT_THAT(shown.dump(), HasSubstr("budget"));
}

TEST_F(KnowledgeBaseTest, ASecondJobIsBusyAndReadersAreNot) {
  Index();
  const auto other = KnowledgeBase::Open(config_, false);
  IndexRequest request;
  request.paths = {documents_};
  bool busy = false;
  // The progress of the first job is a good moment to start the second.
  kb_->Index(
      request,
      [&](const IndexProgress& progress) {
        if (progress.phase != "publishing" || busy) return;
        try {
          other->Index(
              request, [](const IndexProgress&) {}, cancel_);
        } catch (const Error& error) {
          busy = error.code() == ErrorCode::kBusy;
        }
        SearchRequest search;
        search.text = "budget";
        EXPECT_FALSE(other->Search(search).hits.empty());
      },
      cancel_);
  EXPECT_TRUE(busy);
}

TEST_F(KnowledgeBaseTest, ADryRunSaysWhatWouldHappenAndChangesNothing) {
  Index();
  Write("new.txt", "new");
  Write("minutes.txt", "changed");
  fs::remove(documents_ / "guidance.txt");
  IndexRequest request;
  request.paths = {documents_};
  request.dry_run = true;
  const IndexReport report = kb_->Index(
      request, [](const IndexProgress&) {}, cancel_);
  EXPECT_EQ(report.added, 1U);
  EXPECT_EQ(report.updated, 1U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(kb_->List({}).size(), 3U);
  EXPECT_FALSE(Search("Warfarin").empty());
}

TEST_F(KnowledgeBaseTest, CancellingKeepsWhatIsThereAndTheNextRunGoesOn) {
  for (int i = 0; i < 50; ++i) Write("f" + std::to_string(i) + ".txt", "page " + std::to_string(i));
  IndexRequest request;
  request.paths = {documents_};
  CancelFlag cancel;
  const IndexReport first = kb_->Index(
      request,
      [&](const IndexProgress& progress) {
        if (progress.done == 10) cancel.Cancel();
      },
      cancel);
  EXPECT_TRUE(first.cancelled);
  EXPECT_LT(first.added, 53U);
  EXPECT_EQ(kb_->List({}).size(), first.added);
  const IndexReport second = Index();
  EXPECT_EQ(first.added + second.added, 53U);
}

TEST_F(KnowledgeBaseTest, CollectionsAreSearchedApart) {
  Index();
  kb_->CreateCollection("other");
  SearchRequest request;
  request.text = "budget";
  request.collections = {"other"};
  EXPECT_TRUE(kb_->Search(request).hits.empty());
  request.collections = {"nowhere"};
  EXPECT_THROW(kb_->Search(request), Error);
  kb_->RemoveCollection("other");
  EXPECT_EQ(kb_->Collections().size(), 1U);
}

TEST_F(KnowledgeBaseTest, WatchingNoticesAChange) {
  CancelFlag cancel;
  std::vector<IndexReport> reports;
  IndexRequest request;
  request.paths = {documents_};
  kb_->Watch(
      request, [](const IndexProgress&) {},
      [&](const IndexReport& report) {
        reports.push_back(report);
        if (reports.size() == 2) cancel.Cancel();
        Write("later.txt", "a late page");
      },
      cancel);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].added, 3U);
  EXPECT_EQ(reports[1].added, 1U);
}

}  // namespace
}  // namespace sworn::service
