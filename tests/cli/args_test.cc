#include "cli/args.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/suggest.h"
#include "core/error.h"

namespace sworn::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

template <typename T>
T ParseAs(const Words& words) {
  return std::get<T>(ParseArguments(words).command);
}

std::string RefusalOf(const Words& words) {
  try {
    ParseArguments(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(Arguments, IndexTakesPathsAndRepeatedOptions) {
  const auto command = ParseAs<IndexCommand>(
      {"index", "--include", "*.md", "a", "--include", "*.txt", "b c", "--exclude", "tmp/**",
       "--meta", "matter=7=x", "--collection", "law", "--dry-run", "--allow-mass-remove"});
  EXPECT_THAT(command.request.paths, ElementsAre("a", "b c"));
  EXPECT_THAT(command.request.include, ElementsAre("*.md", "*.txt"));
  EXPECT_THAT(command.request.exclude, ElementsAre("tmp/**"));
  EXPECT_EQ(command.request.meta.at("matter"), "7=x");
  EXPECT_EQ(command.request.collection, "law");
  EXPECT_TRUE(command.request.dry_run);
  EXPECT_TRUE(command.request.allow_mass_remove);
  EXPECT_FALSE(command.watch);
}

TEST(Arguments, EmbeddersAreNamedImportedAndAsked) {
  EXPECT_EQ(ParseAs<IndexCommand>({"index", "a", "--embedder", "minilm"}).request.embedder,
            "minilm");
  const auto import =
      ParseAs<ModelImportCommand>({"model", "import", "f", "--int8", "--query-prefix",
                                   "query: ", "--passage-prefix", "", "--pooling", "cls"});
  EXPECT_TRUE(import.request.int8);
  EXPECT_EQ(import.request.query_prefix, "query: ");
  EXPECT_EQ(import.request.passage_prefix, "");
  EXPECT_EQ(import.request.pooling, "cls");
  EXPECT_FALSE(import.request.storage);
  const auto embed = ParseAs<EmbedCommand>({"embed", "a text", "--model", "minilm", "--passage"});
  EXPECT_EQ(embed.request.text, "a text");
  EXPECT_EQ(embed.request.model, "minilm");
  EXPECT_EQ(embed.request.kind, service::EmbedKind::kPassage);
  EXPECT_EQ(ParseAs<EmbedCommand>({"embed", "x", "--query"}).request.kind,
            service::EmbedKind::kQuery);
  EXPECT_THAT(RefusalOf({"embed", "x", "--query", "--passage"}), HasSubstr("--passage"));
  EXPECT_THAT(RefusalOf({"embed", "x", "--model", "m", "--collection", "c"}),
              HasSubstr("--collection"));
}

TEST(Arguments, SearchTakesFilters) {
  const auto command = ParseAs<SearchCommand>(
      {"search",  "notice period", "-n",      "3",           "--mode",    "keyword",
       "--path",  "*.md",          "--type",  "pdf",         "--since",   "2025-01-01",
       "--until", "2025-02-01",    "--where", "client=acme", "--explain", "--collection",
       "a",       "--collection",  "b"});
  EXPECT_EQ(command.request.text, "notice period");
  EXPECT_EQ(command.request.top_k, 3U);
  EXPECT_EQ(command.request.mode, service::SearchMode::kKeyword);
  EXPECT_THAT(command.request.collections, ElementsAre("a", "b"));
  EXPECT_THAT(command.request.filter.path_globs, ElementsAre("*.md"));
  EXPECT_THAT(command.request.filter.media_types, ElementsAre("pdf"));
  EXPECT_EQ(*command.request.filter.since_ms, 1'735'689'600'000);
  EXPECT_EQ(*command.request.filter.until_ms, 1'738'368'000'000);
  EXPECT_EQ(command.request.filter.where.at("client"), "acme");
  EXPECT_TRUE(command.explain);
}

TEST(Arguments, AskDefaultsToTheExtractiveModel) {
  EXPECT_EQ(ParseAs<AskCommand>({"ask", "why?"}).request.writing.model, "");
  const auto command = ParseAs<AskCommand>(
      {"ask", "why?", "--model", "x/1", "--timing", "--matter", "M-1", "--purpose", "review"});
  EXPECT_EQ(command.request.writing.model, "x/1");
  EXPECT_EQ(command.request.matter, "M-1");
  EXPECT_EQ(command.request.purpose, "review");
  EXPECT_TRUE(command.output.timing);
}

TEST(Arguments, GlobalOptionsStandBeforeAndAfterTheVerb) {
  for (const Words& words : {Words{"--kb", "/k", "--json", "-v", "collection", "list"},
                             Words{"collection", "list", "--json", "-v", "--kb", "/k"},
                             Words{"collection", "--json", "list", "--kb=/k", "--verbose"}}) {
    const Arguments arguments = ParseArguments(words);
    EXPECT_EQ(arguments.global.kb, "/k");
    EXPECT_TRUE(arguments.global.json);
    EXPECT_TRUE(arguments.global.verbose);
    EXPECT_TRUE(std::holds_alternative<CollectionListCommand>(arguments.command));
  }
}

TEST(Arguments, TheOtherCommandsFillTheirFields) {
  EXPECT_TRUE(ParseAs<ListCommand>({"list", "--withdrawn"}).request.with_withdrawn);
  EXPECT_EQ(ParseAs<ListCommand>({"list", "--limit", "5", "--after", "d_x"}).request.limit, 5U);
  const auto show = ParseAs<ShowCommand>({"show", "d_x", "--text", "--version", "2"});
  EXPECT_EQ(show.id_or_path, "d_x");
  EXPECT_TRUE(show.text);
  EXPECT_EQ(show.version, 2U);
  EXPECT_EQ(ParseAs<RemoveCommand>({"remove", "a/b"}).id_or_path, "a/b");
  ParseAs<StatusCommand>({"status"});
  EXPECT_EQ(ParseAs<CollectionCreateCommand>({"collection", "create", "law"}).name, "law");
  EXPECT_EQ(ParseAs<CollectionRemoveCommand>({"collection", "remove", "law"}).name, "law");
  const auto list = ParseAs<AuditListCommand>({"audit", "list", "-n", "7", "--type", "outcome"});
  EXPECT_EQ(list.request.limit, 7U);
  EXPECT_EQ(list.request.type, "outcome");
  EXPECT_EQ(ParseAs<AuditShowCommand>({"audit", "show", "12"}).index, 12U);
  ParseAs<AuditVerifyCommand>({"audit", "verify"});
  ParseAs<AuditExportCommand>({"audit", "export"});
  EXPECT_EQ(ParseAs<AuditReceiptCommand>({"audit", "receipt", "3"}).index, 3U);
  const auto beir = ParseAs<EvalBeirCommand>({"eval", "beir", "x", "y", "--mixed"}).request;
  EXPECT_THAT(beir.folders, ElementsAre("x", "y"));
  EXPECT_EQ(beir.modes.size(), 3U);
  EXPECT_TRUE(beir.legs);
  EXPECT_TRUE(beir.mixed);
  const auto one = ParseAs<EvalBeirCommand>({"eval", "beir", "x", "--mode", "vector"}).request;
  EXPECT_THAT(one.modes, ElementsAre(service::SearchMode::kVector));
  EXPECT_FALSE(one.legs);
  EXPECT_EQ(ParseAs<EvalAnswersCommand>({"eval", "answers", "f", "--split", "fit"}).split, "fit");
  EXPECT_TRUE(ParseAs<FsckCommand>({"fsck", "--repair"}).repair);
  ParseAs<DoctorCommand>({"doctor"});
  EXPECT_TRUE(ParseAs<BackupCommand>({"backup", "f", "--with-keys"}).with_keys);
  EXPECT_EQ(ParseAs<RestoreCommand>({"restore", "f", "--reason", "disk died"}).reason, "disk died");
}

TEST(Arguments, AQuestionMayLookLikeAVerbOrAnOption) {
  EXPECT_EQ(ParseAs<SearchCommand>({"search", "index"}).request.text, "index");
  EXPECT_EQ(ParseAs<AskCommand>({"ask", "--", "--json"}).request.text, "--json");
  EXPECT_EQ(ParseAs<AskCommand>({"ask", "-"}).request.text, "-");
  EXPECT_EQ(ParseAs<AskCommand>({"ask", "[a, b] {c}"}).request.text, "[a, b] {c}");
}

TEST(Arguments, AMistypedVerbIsNamedWithTheOneMeant) {
  EXPECT_EQ(RefusalOf({"serach", "x"}), "unknown command 'serach': did you mean 'search'?");
  EXPECT_EQ(RefusalOf({"--kb", "/k", "indx", "."}),
            "unknown command 'indx': did you mean 'index'?");
  EXPECT_EQ(RefusalOf({"audit", "verfy"}), "unknown command 'verfy': did you mean 'verify'?");
  EXPECT_THAT(RefusalOf({"frobnicate"}), HasSubstr("unknown command 'frobnicate'; see"));
}

TEST(Arguments, AMistypedOptionIsNamedWithTheOneMeant) {
  EXPECT_EQ(RefusalOf({"search", "x", "--explian"}),
            "unknown option '--explian': did you mean '--explain'?");
  EXPECT_EQ(RefusalOf({"search", "--explian"}),
            "unknown option '--explian': did you mean '--explain'?");
  EXPECT_EQ(RefusalOf({"list", "--jsn"}), "unknown option '--jsn': did you mean '--json'?");
  EXPECT_EQ(RefusalOf({"list", "--colection=x"}),
            "unknown option '--colection': did you mean '--collection'?");
  EXPECT_EQ(RefusalOf({"list", "--zzzzzz"}), "unknown option '--zzzzzz'");
}

TEST(Arguments, BadValuesAreRefused) {
  EXPECT_THAT(RefusalOf({}), HasSubstr("a command is missing; one of: index, search, ask"));
  EXPECT_THAT(RefusalOf({"audit"}), HasSubstr("a command is missing; one of: list, show, verify"));
  EXPECT_THAT(RefusalOf({"search"}), HasSubstr("TEXT"));
  EXPECT_THAT(RefusalOf({"search", "two", "words"}), HasSubstr("unexpected word 'words'"));
  EXPECT_THAT(RefusalOf({"search", "x", "-n", "0"}), HasSubstr("-n must be from 1 to 1000"));
  EXPECT_THAT(RefusalOf({"search", "x", "-n", "1001"}), HasSubstr("-n must be from 1 to 1000"));
  EXPECT_THAT(RefusalOf({"search", "x", "-n", "many"}), HasSubstr("many"));
  EXPECT_THAT(RefusalOf({"search", "x", "--mode", "magic"}), HasSubstr("'magic'"));
  EXPECT_THAT(RefusalOf({"search", "x", "--where", "nokey"}), HasSubstr("key=value"));
  EXPECT_THAT(RefusalOf({"search", "x", "--where", "a=1", "--where", "a=2"}), HasSubstr("twice"));
  EXPECT_THAT(RefusalOf({"search", "x", "--since", "yesterday"}), HasSubstr("yesterday"));
  EXPECT_THAT(RefusalOf({"search", "x", "--since", "2025-02-01", "--until", "2025-01-01"}),
              HasSubstr("--since must be before --until"));
  EXPECT_THAT(RefusalOf({"index", ".", "--watch", "--dry-run"}), HasSubstr("exclude each other"));
  EXPECT_THAT(RefusalOf({"show", "x", "--version", "2"}), HasSubstr("--text"));
  EXPECT_THAT(RefusalOf({"audit", "show", "first"}), HasSubstr("first"));
  EXPECT_THAT(RefusalOf({"audit", "show", "-1"}), HasSubstr("-1"));
  EXPECT_THAT(RefusalOf({"restore", "f"}), HasSubstr("--reason"));
  EXPECT_THAT(RefusalOf({"-q", "-v", "list"}), HasSubstr("exclu"));
}

TEST(Arguments, HelpAndVersionAreTexts) {
  EXPECT_THAT(ParseAs<PrintCommand>({"--help"}).text, HasSubstr("search"));
  EXPECT_THAT(ParseAs<PrintCommand>({"search", "--help"}).text, HasSubstr("--explain"));
  EXPECT_THAT(ParseAs<PrintCommand>({"audit", "list", "-h"}).text, HasSubstr("--since"));
  EXPECT_THAT(ParseAs<PrintCommand>({"--version"}).text, testing::MatchesRegex("sworn [0-9.]+\n"));
}

TEST(Arguments, JsonIsSeenInALineThatCannotBeParsed) {
  EXPECT_TRUE(WantsJson({"serach", "--json"}));
  EXPECT_FALSE(WantsJson({"ask", "--", "--json"}));
}

TEST(Suggest, CountsEditsAndSwaps) {
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("abc", "abc"), 0U);
  EXPECT_EQ(EditDistance("serach", "search"), 1U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("abcd", "badc"), 2U);
}

TEST(Suggest, StaysSilentWhenNothingIsClose) {
  const std::vector<std::string> known = {"list", "show"};
  EXPECT_EQ(Suggest("lst", known), "list");
  EXPECT_EQ(Suggest("remove", known), std::nullopt);
  EXPECT_EQ(Suggest(std::string(100'000, 'x'), known), std::nullopt);
}

TEST(ExitCode, EveryErrorHasItsFixedStatus) {
  const std::vector<std::pair<ErrorCode, int>> table = {{ErrorCode::kInvalidArgument, 2},
                                                        {ErrorCode::kTooLarge, 2},
                                                        {ErrorCode::kUnsupportedMedia, 2},
                                                        {ErrorCode::kNotConfigured, 3},
                                                        {ErrorCode::kUnauthenticated, 4},
                                                        {ErrorCode::kDenied, 4},
                                                        {ErrorCode::kUnreachable, 5},
                                                        {ErrorCode::kBusy, 6},
                                                        {ErrorCode::kTimeout, 7},
                                                        {ErrorCode::kAuditUnavailable, 8},
                                                        {ErrorCode::kIntegrity, 8},
                                                        {ErrorCode::kNotBuilt, 9},
                                                        {ErrorCode::kNotFound, 1},
                                                        {ErrorCode::kConflict, 1},
                                                        {ErrorCode::kHeld, 1},
                                                        {ErrorCode::kNoSpace, 1},
                                                        {ErrorCode::kInternal, 1},
                                                        {ErrorCode::kCancelled, 130}};
  for (const auto& [code, status] : table) {
    EXPECT_EQ(ExitCode(code), status) << ErrorCodeName(code);
    EXPECT_FALSE(ErrorType(code).empty()) << ErrorCodeName(code);
  }
}

TEST(Arguments, ModelVerbsTakeTheirOptions) {
  const auto import =
      ParseAs<ModelImportCommand>({"model", "import", "m.gguf", "--id", "mine", "--sha256", "ab"});
  EXPECT_EQ(import.request.path, "m.gguf");
  EXPECT_EQ(import.request.id, "mine");
  EXPECT_EQ(import.request.sha256, "ab");
  const auto pull = ParseAs<ModelPullCommand>(
      {"model", "pull", "mine", "--base-url", "https://h", "--id", "other"});
  EXPECT_EQ(pull.request.what, "mine");
  EXPECT_EQ(pull.request.base_url, "https://h");
  EXPECT_EQ(pull.request.id, "other");
  EXPECT_EQ(ParseAs<ModelVerifyCommand>({"model", "verify", "x"}).id, "x");
  const auto logits = ParseAs<ModelLogitsCommand>(
      {"model", "logits", "--model", "m", "--tokens", "t", "--out", "o", "--threads", "3"});
  EXPECT_EQ(logits.request.model, "m");
  EXPECT_EQ(logits.request.tokens, "t");
  EXPECT_EQ(logits.request.out, "o");
  EXPECT_EQ(logits.threads, 3U);
  EXPECT_THAT(RefusalOf({"model", "logits", "--model", "m", "--out", "o"}), HasSubstr("--tokens"));
  EXPECT_THAT(RefusalOf({"model", "verfy", "x"}), HasSubstr("verify"));
  EXPECT_THAT(RefusalOf({"model", "import"}), HasSubstr("FILE"));
}

TEST(Arguments, APresetIsOverriddenByTheOptionsBesideIt) {
  const auto command =
      ParseAs<AskCommand>({"ask", "why?", "--preset", "creative", "--temperature", "0.3", "--seed",
                           "18446744073709551615", "--max-tokens", "99", "--stop", "END", "--stop",
                           "STOP", "--stream", "--quote", "--threads", "2", "--keep-unverified"});
  const GenerationOptions& generation = command.request.writing.generation;
  EXPECT_EQ(generation.sampler.temperature, 0.3);
  EXPECT_EQ(generation.sampler.top_p, SamplerPreset("creative").top_p);
  EXPECT_EQ(generation.sampler.seed, 18'446'744'073'709'551'615ULL);
  EXPECT_EQ(generation.max_tokens, 99U);
  EXPECT_THAT(generation.stop, ElementsAre("END", "STOP"));
  EXPECT_TRUE(command.request.writing.quote);
  EXPECT_TRUE(command.request.writing.keep_unverified);
  EXPECT_TRUE(command.output.stream);
  EXPECT_EQ(command.output.threads, 2U);
  EXPECT_THAT(RefusalOf({"ask", "why?", "--preset", "wild"}), HasSubstr("wild"));
  EXPECT_THAT(RefusalOf({"ask", "why?", "--seed", "-1"}), HasSubstr("whole number"));
}

TEST(Arguments, SummarizeTranslateAndBenchTakeTheirOptions) {
  const auto summarize = ParseAs<SummarizeCommand>({"summarize", "a.md", "--to", "de"});
  EXPECT_EQ(summarize.request.what, "a.md");
  EXPECT_EQ(summarize.request.language, "de");
  const auto translate =
      ParseAs<TranslateCommand>({"translate", "hello there", "--to", "es", "--model", "m"});
  EXPECT_EQ(translate.request.text, "hello there");
  EXPECT_EQ(translate.request.to, "es");
  EXPECT_EQ(translate.request.writing.model, "m");
  EXPECT_THAT(RefusalOf({"translate", "hello"}), HasSubstr("--to"));
  const auto bench = ParseAs<BenchLlmCommand>(
      {"bench", "llm", "--shape", "2b-4t", "--head", "q6_k", "--prompt", "64", "--threads", "2"});
  EXPECT_EQ(bench.request.shape, "2b-4t");
  EXPECT_EQ(bench.request.head, "q6_k");
  EXPECT_EQ(bench.request.prompt, 64U);
  EXPECT_EQ(bench.threads, 2U);
  EXPECT_THAT(RefusalOf({"bench", "llm"}), HasSubstr("--shape"));
  EXPECT_THAT(RefusalOf({"bench", "llm", "--shape", "tiny", "--model", "f"}), HasSubstr("--model"));
}

}  // namespace
}  // namespace sworn::cli
