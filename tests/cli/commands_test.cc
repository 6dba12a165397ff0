#include "cli/commands.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/signals.h"
#include "core/error.h"
#include "tests/cli/console_fixture.h"
#include "tests/cli/fake_knowledge_base.h"
#include "tests/support/temp_folder.h"

namespace sworn::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Commands : public testing::Test {
 protected:
  test::ConsoleFixture fixture_;
  service::Config config_;
  std::istringstream in_;
  test::ManualClock clock_;
  CancelFlag cancel_;
  Session session_{.config = config_,
                   .console = fixture_.console,
                   .in = in_,
                   .clock = clock_,
                   .cancel = cancel_};
  test::FakeKnowledgeBase kb_;

  json OutJson() { return json::parse(fixture_.out.str()); }
};

store::DocumentInfo Document(const std::string& id) {
  store::DocumentInfo document;
  document.document_id = id;
  document.collection = "default";
  document.path = "/data/" + id + ".md";
  document.version = 2;
  return document;
}

TEST_F(Commands, EmbedPrintsTheNumbersOrAJsonRow) {
  in_.str("a text\n");
  EmbedCommand command;
  command.request.text = "-";
  EXPECT_EQ(RunEmbed(kb_, command, session_), 0);
  EXPECT_EQ(kb_.embed_request.text, "a text");
  EXPECT_EQ(fixture_.out.str(), "0.600000024 -0.800000012\n");
  fixture_.out.str("");
  fixture_.console.json = true;
  EXPECT_EQ(RunEmbed(kb_, command, session_), 0);
  EXPECT_EQ(OutJson()["model"], "minilm");
  EXPECT_EQ(OutJson()["dimension"], 2);
  EXPECT_EQ(OutJson()["vector"].size(), 2U);
}

TEST_F(Commands, IndexFailsWhenAFileFailedAndNamesIt) {
  kb_.index_report.failed = 1;
  kb_.index_report.notes = {{"/a.pdf", "failed", "encrypted"}, {"/b.xyz", "skipped", "type"}};
  EXPECT_EQ(RunIndex(kb_, {}, session_), 1);
  EXPECT_EQ(fixture_.err.str(), "failed: /a.pdf: encrypted\nskipped: /b.xyz: type\n");
  EXPECT_EQ(fixture_.out.str(),
            "Indexed: 0 new, 0 updated, 0 unchanged, 0 removed, 1 failed, 0 skipped\n");
}

TEST_F(Commands, IndexWithOnlySkippedFilesSucceeds) {
  kb_.index_report.skipped = 1;
  EXPECT_EQ(RunIndex(kb_, {}, session_), 0);
}

TEST_F(Commands, ADryRunListsWhatWouldHappenOnStandardOutput) {
  kb_.index_report.notes = {{"/n.md", "new", ""}, {"/o.md", "removed", ""}};
  EXPECT_EQ(RunIndex(kb_, {}, session_), 0);
  EXPECT_THAT(fixture_.out.str(), testing::StartsWith("new: /n.md\nremoved: /o.md\nIndexed: "));
}

TEST_F(Commands, AnInterruptedIndexSaysSoAndEndsWith130) {
  kb_.index_report.cancelled = true;
  EXPECT_EQ(RunIndex(kb_, {}, session_), 130);
  EXPECT_THAT(fixture_.err.str(), HasSubstr("Interrupted"));
  EXPECT_THAT(fixture_.out.str(), HasSubstr("Indexed: "));
}

TEST_F(Commands, IndexInJsonKeepsProgressOffStandardOutput) {
  fixture_.console.json = true;
  kb_.progress_to_report.resize(1);
  kb_.progress_to_report[0].phase = "scanning";
  kb_.index_report.notes = {{"/a", "failed", "x"}};
  kb_.index_report.failed = 1;
  EXPECT_EQ(RunIndex(kb_, {}, session_), 1);
  EXPECT_EQ(OutJson()["failed"], 1);
  EXPECT_EQ(json::parse(fixture_.err.str())["phase"], "scanning");
}

TEST_F(Commands, WatchPrintsASummaryForEachRun) {
  IndexCommand command;
  command.watch = true;
  EXPECT_EQ(RunIndex(kb_, command, session_), 130);
  const std::string out = fixture_.out.str();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2);
}

TEST_F(Commands, AFirstSignalSetsTheFlagOnly) {
  {
    const CancelOnSignal stop(cancel_);
    std::raise(SIGTERM);
    EXPECT_TRUE(cancel_.cancelled());
    EXPECT_EQ(ReceivedSignal(), SIGTERM);
  }
  EXPECT_EQ(std::signal(SIGTERM, SIG_DFL), SIG_DFL);
}

TEST_F(Commands, ASecondSignalKills) {
  EXPECT_EXIT(
      {
        const CancelOnSignal stop(cancel_);
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST_F(Commands, SearchHandsTheRequestOn) {
  SearchCommand command;
  command.request.text = "rent";
  command.request.top_k = 4;
  kb_.search_response.query = "rent";
  fixture_.console.json = true;
  EXPECT_EQ(RunSearch(kb_, command, session_), 0);
  EXPECT_EQ(kb_.search_request.top_k, 4U);
  EXPECT_EQ(OutJson()["query"], "rent");
  EXPECT_TRUE(OutJson()["hits"].empty());
}

TEST_F(Commands, AnAbstentionIsASuccess) {
  AskCommand command;
  command.request.text = "why?";
  EXPECT_EQ(RunAsk(kb_, command, session_), 0);
  EXPECT_THAT(fixture_.out.str(), HasSubstr("No answer"));
}

TEST_F(Commands, AskHandsModelAndLabelsOn) {
  AskCommand command;
  command.request.text = "why?";
  command.request.writing.model = "extractive/1";
  command.request.matter = "M-7";
  EXPECT_EQ(RunAsk(kb_, command, session_), 0);
  EXPECT_EQ(kb_.ask_request.writing.model, "extractive/1");
  EXPECT_EQ(kb_.ask_request.matter, "M-7");
}

TEST_F(Commands, SummarizeNamesAFileThatIsHereByItsWholePath) {
  const test::TempFolder folder;
  const auto path = std::filesystem::canonical(folder.path()) / "a.md";
  std::ofstream(path) << "text";
  SummarizeCommand command;
  command.request.what = std::filesystem::relative(path).native();
  EXPECT_EQ(RunSummarize(kb_, command, session_), 0);
  EXPECT_EQ(kb_.summarize_request.what, path.native());
  command.request.what = "nothing of this name";
  EXPECT_EQ(RunSummarize(kb_, command, session_), 0);
  EXPECT_EQ(kb_.summarize_request.what, "nothing of this name");
}

TEST_F(Commands, AStreamedAnswerComesSentenceBySentenceAndItsSourcesLast) {
  kb_.ask_response.status = service::AnswerStatus::kAnswered;
  kb_.ask_response.sentences = {{"The rent is due.", {1}, true}, {"Pets are not.", {}, false}};
  kb_.ask_response.answer = "not printed twice";
  AskCommand command;
  command.request.text = "why?";
  command.output.stream = true;
  EXPECT_EQ(RunAsk(kb_, command, session_), 0);
  EXPECT_THAT(fixture_.out.str(),
              testing::StartsWith("The rent is due. [1]\nPets are not. [unverified]\n\nSources\n"));
}

TEST_F(Commands, AStreamInJsonIsOneEventALineAndDoneComesLast) {
  kb_.ask_response.sentences = {{"The rent is due.", {1}, true}};
  service::Citation citation;
  citation.number = 1;
  citation.quote = "due";
  kb_.ask_response.citations = {citation};
  fixture_.console.json = true;
  AskCommand command;
  command.request.text = "why?";
  command.output.stream = true;
  EXPECT_EQ(RunAsk(kb_, command, session_), 0);
  std::istringstream lines(fixture_.out.str());
  std::vector<json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["event"], "token");
  EXPECT_EQ(events[0]["text"], "The rent is due.");
  EXPECT_EQ(events[1]["event"], "citation");
  EXPECT_EQ(events[1]["quote"], "due");
  EXPECT_EQ(events[2]["event"], "done");
  EXPECT_EQ(events[2]["sentences"].size(), 1U);
}

TEST_F(Commands, ATranslationSaysThatNobodyCheckedIt) {
  kb_.translate_response.text = "Guten Tag.";
  kb_.translate_response.model_id = "m";
  TranslateCommand command;
  command.request.text = "Good day.";
  for (const bool stream : {false, true}) {
    fixture_.out.str("");
    command.output.stream = stream;
    EXPECT_EQ(RunTranslate(kb_, command, session_), 0);
    EXPECT_THAT(fixture_.out.str(),
                testing::StartsWith("Guten Tag.\n\nUnverified: a translation by model m\n"));
  }
  fixture_.console.json = true;
  fixture_.out.str("");
  command.output.stream = false;
  EXPECT_EQ(RunTranslate(kb_, command, session_), 0);
  EXPECT_EQ(OutJson()["verified"], false);
}

TEST_F(Commands, ModelsAreListedAndShown) {
  service::ModelEntry model;
  model.id = "tiny";
  model.sha256 = std::string(64, 'a');
  kb_.models = {model};
  EXPECT_EQ(RunModelList(kb_, session_), 0);
  EXPECT_THAT(fixture_.out.str(), HasSubstr("tiny"));
  fixture_.out.str("");
  ModelImportCommand import;
  import.request.path = "f.gguf";
  EXPECT_EQ(RunModelImport(kb_, import, session_), 0);
  EXPECT_EQ(kb_.import_request.path, "f.gguf");
  EXPECT_THAT(fixture_.out.str(), testing::StartsWith("Imported tiny, 0 B, sha256 aaaa"));
}

TEST_F(Commands, ATextOfADashComesFromStandardInput) {
  std::istringstream question("what is the rent?\n");
  EXPECT_EQ(ReadText("-", question), "what is the rent?");
  EXPECT_EQ(ReadText("rent", question), "rent");
}

TEST_F(Commands, AMegabyteOfQuestionIsTooLargeAndNotReadWhole) {
  std::istringstream question(std::string(1 << 20, 'x'));
  try {
    ReadText("-", question);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge);
  }
  EXPECT_LE(question.tellg(), 64 * 1024 + 1);
  std::istringstream fits(std::string(64 * 1024, 'x'));
  EXPECT_EQ(ReadText("-", fits).size(), 64U * 1024U);
}

TEST_F(Commands, ListPagesByCursor) {
  kb_.documents = {Document("d_1"), Document("d_2"), Document("d_3")};
  fixture_.console.json = true;
  ListCommand command;
  command.request.limit = 2;
  EXPECT_EQ(RunList(kb_, command, session_), 0);
  EXPECT_EQ(OutJson()["data"].size(), 2U);
  EXPECT_EQ(OutJson()["next"], "d_2");
}

TEST_F(Commands, TheLastPageHasNoCursor) {
  kb_.documents = {Document("d_1"), Document("d_2")};
  fixture_.console.json = true;
  ListCommand command;
  command.request.limit = 2;
  EXPECT_EQ(RunList(kb_, command, session_), 0);
  EXPECT_EQ(OutJson()["data"].size(), 2U);
  EXPECT_TRUE(OutJson()["next"].is_null());
}

TEST_F(Commands, ShowTextIsExactOffTheTerminalAndSafeOnIt) {
  kb_.text = "a\x1b[31mb\fc";
  ShowCommand command;
  command.text = true;
  command.version = 3;
  EXPECT_EQ(RunShow(kb_, command, session_), 0);
  EXPECT_EQ(fixture_.out.str(), kb_.text);
  EXPECT_EQ(kb_.shown_version, 3U);
  fixture_.out.str("");
  fixture_.console.out_is_terminal = true;
  EXPECT_EQ(RunShow(kb_, command, session_), 0);
  EXPECT_EQ(fixture_.out.str(), "ab\nc\n");
}

TEST_F(Commands, ShowAndStatusPrintFields) {
  kb_.documents = {Document("d_1")};
  EXPECT_EQ(RunShow(kb_, {}, session_), 0);
  EXPECT_THAT(fixture_.out.str(), HasSubstr("/data/d_1.md"));
  EXPECT_EQ(RunStatus(kb_, session_), 0);
  EXPECT_THAT(fixture_.out.str(), HasSubstr("Audit entries"));
}

TEST_F(Commands, RemoveNamesWhatItWithdrew) {
  kb_.documents = {Document("d_1")};
  EXPECT_EQ(RunRemove(kb_, {"d_1"}, session_), 0);
  EXPECT_EQ(fixture_.out.str(), "Withdrawn: d_1 /data/d_1.md\n");
}

TEST_F(Commands, CollectionsAreMadeAndRemoved) {
  EXPECT_EQ(RunCollectionCreate(kb_, {"law"}, session_), 0);
  EXPECT_EQ(RunCollectionRemove(kb_, {"law"}, session_), 0);
  EXPECT_THAT(kb_.created, testing::ElementsAre("law"));
  EXPECT_THAT(kb_.removed, testing::ElementsAre("law"));
}

TEST_F(Commands, ABrokenLogEndsWithEightAndNamesTheEntry) {
  kb_.verify_report = {{"ok", false}, {"first_bad", 7}, {"reason", "hash differs"}};
  EXPECT_EQ(RunAuditVerify(kb_, session_), 8);
  EXPECT_EQ(fixture_.out.str(), "The log is NOT sound: entry 7: hash differs\n");
  kb_.verify_report = {{"ok", true}, {"entries", 4}, {"checkpoints", 2}, {"root", "ab"}};
  EXPECT_EQ(RunAuditVerify(kb_, session_), 0);
}

TEST_F(Commands, AuditEntriesAreListedShownAndExported) {
  kb_.entries = {json{{"index", 0}, {"type", "intent"}, {"time", "T"}}};
  AuditListCommand command;
  command.request.limit = 9;
  EXPECT_EQ(RunAuditList(kb_, command, session_), 0);
  EXPECT_EQ(kb_.audit_request.limit, 9U);
  EXPECT_EQ(fixture_.out.str(), "ENTRY  TIME  TYPE\n0      T     intent\n");
  fixture_.out.str("");
  EXPECT_EQ(RunAuditExport(kb_, session_), 0);
  EXPECT_EQ(OutJson()["type"], "intent");
  fixture_.out.str("");
  EXPECT_EQ(RunAuditReceipt(kb_, {0}, session_), 0);
  EXPECT_EQ(fixture_.out.str(), "receipt of 0\n");
}

TEST_F(Commands, FsckEndsWithEightUnlessEverythingIsRepaired) {
  EXPECT_EQ(RunFsck(kb_, {}, session_), 0);
  kb_.faults = {json{{"where", "segment 1"}, {"reason", "digest"}, {"repaired", true}}};
  EXPECT_EQ(RunFsck(kb_, {}, session_), 0);
  kb_.faults[0]["repaired"] = false;
  EXPECT_EQ(RunFsck(kb_, {}, session_), 8);
  EXPECT_THAT(fixture_.out.str(), HasSubstr("fault: segment 1: digest\n"));
}

}  // namespace
}  // namespace sworn::cli
