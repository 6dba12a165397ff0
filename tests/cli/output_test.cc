#include "cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/console_fixture.h"

namespace sworn::cli {
namespace {

using test::ConsoleFixture;
using testing::HasSubstr;
using testing::Not;

service::Hit MakeHit() {
  service::Hit hit;
  hit.rank = 1;
  hit.score = 0.75;
  hit.keyword_rank = 1;
  hit.keyword_score = 12.5;
  hit.chunk.document_id = "d_abc";
  hit.chunk.path = "/data/lease.pdf";
  hit.chunk.heading = "Terms > Notice";
  hit.chunk.location.page = 3;
  hit.chunk.text = "The notice period is three months.";
  hit.chunk.range = {100, 134};
  return hit;
}

service::AskResponse MakeAnswer() {
  service::AskResponse response;
  response.status = service::AnswerStatus::kAnswered;
  response.answer = "The notice period is three months. [1]";
  service::Citation citation;
  citation.number = 1;
  citation.quote = "The notice period is three months.";
  citation.range = {100, 134};
  citation.chunk = MakeHit().chunk;
  citation.verified = true;
  response.citations = {citation};
  response.audit = {12, 13, 14};
  return response;
}

TEST(Output, AnAnswerShowsQuotePlaceAndAuditReference) {
  ConsoleFixture fixture;
  fixture.console.width = 200;
  PrintAnswer(fixture.console, MakeAnswer(), false);
  EXPECT_EQ(fixture.out.str(),
            "The notice period is three months. [1]\n\nSources\n"
            "[1] \"The notice period is three months.\" \u2014 /data/lease.pdf, page 3, "
            "\"Terms > Notice\", bytes 100-134, verified\n\n"
            "Audit: intent 12, outcome 13, checkpoint 14\n");
  EXPECT_EQ(fixture.err.str(), "");
}

TEST(Output, AQuoteThatDoesNotMatchIsMarked) {
  ConsoleFixture fixture;
  service::AskResponse response = MakeAnswer();
  response.citations[0].verified = false;
  PrintAnswer(fixture.console, response, false);
  EXPECT_THAT(fixture.out.str(), HasSubstr("NOT VERIFIED"));
}

TEST(Output, AnAbstentionShowsReasonAndNearestPassages) {
  ConsoleFixture fixture;
  service::AskResponse response;
  response.reason = "no passage supports an answer";
  response.nearest = {MakeHit()};
  response.audit = {1, 2, 3};
  PrintAnswer(fixture.console, response, true);
  EXPECT_THAT(fixture.out.str(), HasSubstr("No answer: no passage supports an answer\n"));
  EXPECT_THAT(fixture.out.str(), HasSubstr("1. /data/lease.pdf:3  Terms > Notice"));
  EXPECT_TRUE(fixture.out.str().ends_with("Audit: intent 1, outcome 2, checkpoint 3\n"));
  EXPECT_THAT(fixture.err.str(), HasSubstr("Timing: retrieve 0.0 ms"));
}

TEST(Output, APartialAnswerSaysWhatIsMissing) {
  ConsoleFixture fixture;
  service::AskResponse response = MakeAnswer();
  response.status = service::AnswerStatus::kPartial;
  response.reason = "nothing about the rent";
  response.coverage.unreadable = 2;
  PrintAnswer(fixture.console, response, false);
  EXPECT_THAT(fixture.out.str(), HasSubstr("Partial: nothing about the rent\n"));
  EXPECT_THAT(fixture.err.str(), HasSubstr("2 files could not be read"));
}

TEST(Output, ExplainShowsTheRanksOfAllLegs) {
  ConsoleFixture fixture;
  service::SearchResponse response;
  response.hits = {MakeHit()};
  response.legs = {
      {"keyword", true, 9, ""}, {"vector", false, 0, "no vectors"}, {"local", false, 0, "few"}};
  PrintSearch(fixture.console, response, true);
  EXPECT_THAT(fixture.out.str(),
              HasSubstr("keyword rank 1 (12.5000), vector not found, local not found"));
  EXPECT_THAT(fixture.err.str(), HasSubstr("vector search did not run: no vectors"));
  EXPECT_THAT(fixture.err.str(), Not(HasSubstr("local search")));
}

TEST(Output, NothingFoundLeavesStandardOutputEmpty) {
  ConsoleFixture fixture;
  PrintSearch(fixture.console, {}, false);
  EXPECT_EQ(fixture.out.str(), "");
  EXPECT_EQ(fixture.err.str(), "No passage matches.\n");
}

TEST(Output, ControlCharactersOfDocumentsNeverReachTheTerminal) {
  ConsoleFixture fixture;
  const std::string hostile =
      "a\x1b]0;owned\x07\x1b[31m\r\nb\xc2\x9b"
      "2Jc\x7f\xe2\x80\xae";
  service::AskResponse answer = MakeAnswer();
  answer.answer = hostile;
  answer.reason = hostile;
  answer.citations[0].quote = hostile;
  answer.citations[0].chunk.path = hostile;
  answer.citations[0].chunk.heading = hostile;
  answer.citations[0].chunk.location.sheet = hostile;
  answer.citations[0].chunk.location.attachment_path = hostile;
  answer.status = service::AnswerStatus::kPartial;
  PrintAnswer(fixture.console, answer, false);
  service::SearchResponse search;
  search.hits = {MakeHit()};
  search.hits[0].chunk.path = hostile;
  search.hits[0].chunk.heading = hostile;
  search.hits[0].chunk.text = hostile;
  search.legs = {{"vector", false, 0, hostile}};
  PrintSearch(fixture.console, search, true);
  service::IndexReport report;
  report.notes = {{hostile, "failed", hostile}, {hostile, "new", ""}};
  PrintNotes(fixture.console, report);
  PrintTable(fixture.console, {{hostile, hostile}});
  PrintFields(fixture.console, {{"Path", hostile}});
  PrintError(fixture.console, Error(ErrorCode::kNotFound, hostile));
  for (const std::string& written : {fixture.out.str(), fixture.err.str()}) {
    EXPECT_EQ(written.find_first_of("\x1b\x07\r\x7f"), std::string::npos);
    EXPECT_EQ(written.find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(written.find("\xe2\x80\xae"), std::string::npos);
  }
  EXPECT_THAT(fixture.err.str(), HasSubstr("sworn: a"));
}

TEST(Output, AHostilePathStaysOnItsLine) { EXPECT_EQ(OneLine("a\nsworn: ok\tb"), "a sworn: ok b"); }

TEST(Output, ColoursAppearOnlyWhereTheConsoleHasThem) {
  ConsoleFixture plain;
  ConsoleFixture coloured;
  coloured.console.colour = true;
  for (ConsoleFixture* fixture : {&plain, &coloured}) {
    PrintAnswer(fixture->console, MakeAnswer(), false);
    PrintTable(fixture->console, {{"A"}, {"b"}});
  }
  EXPECT_THAT(plain.out.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(coloured.out.str(), HasSubstr("\x1b[1mSources\x1b[0m"));
}

TEST(Output, ErrorsHaveAnEnvelopeInJson) {
  ConsoleFixture fixture;
  fixture.console.json = true;
  PrintError(fixture.console, Error(ErrorCode::kTooLarge, "too long \xff"));
  const auto parsed = nlohmann::json::parse(fixture.err.str());
  EXPECT_EQ(parsed["error"]["code"], "too_large");
  EXPECT_EQ(parsed["error"]["type"], "invalid_request_error");
  EXPECT_EQ(parsed["error"]["message"], "too long \uFFFD");
  EXPECT_TRUE(parsed["error"]["param"].is_null());
  EXPECT_EQ(fixture.out.str(), "");
}

TEST(Output, WrapsAtSpacesAndCountsCodePoints) {
  EXPECT_EQ(Wrap("one two  three\nfour", 9, ""), "one two\nthree\nfour");
  EXPECT_EQ(Wrap("aa bb", 5, "  "), "  aa\n  bb");
  EXPECT_EQ(Wrap("\u00e4\u00e4 \u00e4\u00e4", 5, ""), "\u00e4\u00e4 \u00e4\u00e4");
  EXPECT_EQ(Wrap("unbreakable", 4, ""), "unbreakable");
  EXPECT_EQ(Wrap("  ", 4, ""), "");
}

TEST(Output, NumbersAreReadable) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1'234'567), "1,234,567");
  EXPECT_EQ(ByteSize(1023), "1023 B");
  EXPECT_EQ(ByteSize(1536), "1.5 KiB");
}

TEST(Output, TheSummaryLineIsFixed) {
  service::IndexReport report;
  report.added = 1;
  report.updated = 2;
  report.unchanged = 3;
  report.removed = 4;
  report.failed = 5;
  report.skipped = 6000;
  EXPECT_EQ(IndexSummary(report),
            "Indexed: 1 new, 2 updated, 3 unchanged, 4 removed, 5 failed, 6000 skipped");
}

TEST(Output, TablesAlignColumns) {
  ConsoleFixture fixture;
  PrintTable(fixture.console, {{"A", "BB"}, {"\u00e4\u00e4\u00e4", "x"}, {"", ""}});
  EXPECT_EQ(fixture.out.str(), "A    BB\n\u00e4\u00e4\u00e4  x\n\n");
}

}  // namespace
}  // namespace sworn::cli
